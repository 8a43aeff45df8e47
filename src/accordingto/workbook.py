"""Workbooks: claims as XLSX for a person to review, with drop-downs, a summary, the lists, and what the columns mean."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from accordingto import __version__
from accordingto import table as tables
from accordingto.column import COLUMN_TEXTS
from accordingto.errors import OutputError
from accordingto.label import LABELS
from accordingto.schema import Claim
from accordingto.table import COLUMNS, REVIEW_COLUMNS, columns_of, flatten_claim, replacing

XLSX_CELL = 32_767  # characters that Excel takes in a cell
CONTEXT_CELL = 1_000  # of a context: a sheet is for reading, the article itself has all of it
LINKS = 65_530  # that Excel takes in a sheet
LINK = 2_079  # characters of one
CUT_MARK = " […]"
CHECK = "row_check"
NUMBERS = ("confidence", "speaker_confidence", "stance_confidence")
LISTS: dict[str, tuple[str | bool, ...]] = {"decision": ("accept", "reject", "unsure"), **LABELS, "corrected_stance": LABELS["stance"]}
FIRST = ("claim_id", "speaker", "stance", "claim", "context", *REVIEW_COLUMNS)  # what one reviews with; the others follow in the CSV's order
FROZEN = 2  # of them, which stay in sight
WIDTHS = {
    "claim_id": 8, "speaker": 20, "stance": 10, "claim": 48, "context": 56, "decision": 11, "corrected_speaker": 20, "corrected_stance": 16, "corrected_claim": 30, "note": 24,
    "reviewer": 12, "source": 26, "cue": 16, "content": 48, "title": 30, "url": 30, "article_id": 24, "why": 20, "attitude_target": 20, "source_spans": 13, "cue_spans": 11,
    "content_spans": 14, "near_duplicate_of": 18, "confidence": 12, "speaker_confidence": 19, "stance_confidence": 18, "negated": 10, "attribution_type": 16, "row_check": 12,
}  # fmt: skip
WIDTH = 14  # of the others, in characters
LINE, MOST_LINES = 15, 8  # points of a line; lines of a row, before a person opens it further
MOST_NAMED, MOST_PROBLEMS = 50, 10_000  # speakers, and inputs that were not read, that the summary names


@dataclass(frozen=True)
class About:
    """What a workbook says of its making."""

    facts: Mapping[str, str] = field(default_factory=dict)  # the run, the model, the versions
    problems: Callable[[], Iterable[tuple[str, str]]] = tuple  # place and reason of what was not read, asked for when the claims are written
    places: Mapping[str, str] = field(default_factory=dict)  # article_id → its file, for those that have one of their own
    folder: Path = Path()  # of the workbook, from where the links lead to the files


def write_workbooks(claims: Iterable[Claim], path: Path | str, src: Sequence[str], about: About | None) -> int:
    """Write claims to a workbook, and to further ones what its sheet cannot hold, all or none; return their number."""
    stream, count = iter(claims), 0
    with ExitStack() as files:
        for number, part in enumerate(_parts(stream)):
            if str(path) == "-" and number:
                raise OutputError("stdout.xlsx", f"a sheet holds {tables.XLSX_ROWS - 1:,} claims", "write to a file, which others then follow, or another format")
            place = [Path(path), *tables.further_files(path, "xlsx", count + 1)][-1]
            file = sys.stdout.buffer if str(path) == "-" else files.enter_context(replacing(place))
            count += write_workbook(part, file, src, about)
    return count


def _parts(stream: Iterator[Claim]) -> Iterator[Iterable[Claim]]:
    """Yield claims by the sheet; the first part may be empty."""
    yield islice(stream, tables.XLSX_ROWS - 1)
    while first := list(islice(stream, 1)):
        yield chain(first, islice(stream, tables.XLSX_ROWS - 2))


def write_workbook(claims: Iterable[Claim], file: BinaryIO, src: Sequence[str] = (), about: About | None = None) -> int:
    """Write the claims of one workbook and return their number. Strings stay strings; the same claims give the same bytes."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise OutputError("claims.xlsx", "the package XlsxWriter is missing", "pip install 'accordingto[xlsx]'") from error
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})
        sheets = {name: book.add_worksheet(name) for name in ("Claims", "Summary", "Lists", "Read me")}
        counts = _Counts()
        _write_lists(book, sheets["Lists"])
        _write_claims(book, sheets["Claims"], counts.counting(claims), src, about or About())
        _write_summary(book, sheets["Summary"], counts, about or About())
        _write_readme(book, sheets["Read me"], counts.models, about or About())
    return counts.claims


def sheet_columns(src: Iterable[str] = ()) -> list[str]:
    """Return the columns of the sheet of claims in their order."""
    return [*FIRST, *(c for c in columns_of(src) if c not in FIRST), CHECK]


def sheet_row(claim: Claim) -> dict[str, Any]:
    """Return a claim as the cells of its row, cut where a cell would be too long, with the check of them."""
    row = {name: cut(value, CONTEXT_CELL if name == "context" else XLSX_CELL) if isinstance(value, str) else value for name, value in flatten_claim(claim).items()}
    return row | {CHECK: row_check(row)}


def cut(text: str, size: int) -> str:
    """Return a text of a size at most; one that was cut ends in a mark that says so."""
    return text if len(text) <= size else text[: size - len(CUT_MARK)] + CUT_MARK


def row_check(row: Mapping[str, Any]) -> str:
    """Return a short digest of what the machine wrote into a row, as text; it begins with a letter and survives a save by any program that changes nothing."""
    cells = "\0".join(plain(name, row.get(name)) for name in COLUMNS if name not in REVIEW_COLUMNS)
    return "r" + base64.b32encode(hashlib.sha256(cells.encode("utf-8", "surrogatepass")).digest()).decode("ascii")[:9].lower()


def plain(name: str, value: Any) -> str:
    """Return a cell's value in the form in which all programs' versions of it are equal: white space, capitals of truth values and digits behind the second do not count."""
    text = "" if value is None else " ".join(str(value).split())
    if name == "negated":
        return {"1": "true", "0": "false"}.get(text, text.lower())
    if name in NUMBERS:
        try:
            return f"{float(text.replace(',', '.')):.2f}"
        except ValueError:
            return text
    return text


class _Counts:
    """What the summary counts, as the claims pass."""

    def __init__(self) -> None:
        self.claims, self.nested = 0, 0
        self.articles: set[str] = set()
        self.by: dict[str, Counter[str]] = {name: Counter() for name in ("stance", "speaker", "source_kind", "framing", "attribution_type")}
        self.models: set[str] = set()

    def counting(self, claims: Iterable[Claim]) -> Iterator[Claim]:
        for claim in claims:
            self.claims += 1
            self.nested += claim.parent_id is not None
            self.articles.add(claim.article_id)
            self.models.add(claim.model)
            for name, counter in self.by.items():
                counter[getattr(claim, name) or ""] += 1
            yield claim


def _write_claims(book: Any, sheet: Any, claims: Iterable[Claim], src: Sequence[str], about: About) -> None:
    columns = sheet_columns(src)
    text, own = book.add_format(_CELL), book.add_format(_CELL | {"bg_color": "#FFF9E5"})
    formats = dict.fromkeys(REVIEW_COLUMNS, own) | {name: book.add_format(_CELL | {"num_format": "0.00", "align": "center"}) for name in NUMBERS}
    formats["negated"] = book.add_format(_CELL | {"num_format": _TRUTH, "align": "center"})
    formats |= {name: book.add_format(_CELL | {"font_color": "#808080", "text_wrap": False}) for name in (CHECK, "source_spans", "cue_spans", "content_spans", "model", "parent_id")}
    formats["claim_id"] = book.add_format(_CELL | {"font_color": "#808080", "text_wrap": False, "align": "fill"})  # which does not spill over an empty speaker
    link = book.add_format(_CELL | {"font_color": "#1F5FA8", "underline": 1})
    heads = book.add_format(_HEAD), book.add_format(_HEAD | {"bg_color": "#B45F06"})
    sheet.freeze_panes(1, FROZEN)
    for column, name in enumerate(columns):
        sheet.set_column(column, column, WIDTHS.get(name, WIDTH))
        sheet.write_string(0, column, name, heads[name in REVIEW_COLUMNS])
    sheet.set_row(0, 32)
    links = count = 0
    for count, claim in enumerate(claims, 1):
        row = sheet_row(claim)
        sheet.set_row(count, LINE * _lines(row))
        for column, name in enumerate(columns):
            target = _target(name, row, about) if links < LINKS else ""
            links += bool(target)
            _write_cell(sheet, count, column, row.get(name), formats.get(name, text), target, link)
    sheet.autofilter(0, 0, count, len(columns) - 1)
    _add_choices(book, sheet, columns, max(count, 1))
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.repeat_rows(0)
    sheet.print_area(0, 0, count, len(FIRST) - 1)
    sheet.fit_to_pages(1, 0)


_URL = re.compile(r"https?://[^\s\"<>#]+", re.IGNORECASE)
_TRUTH = '"TRUE";"TRUE";"FALSE"'  # LibreOffice would show 1 and 0
_CELL = {"text_wrap": True, "valign": "top", "font_size": 10, "bottom": 1, "bottom_color": "#D9D9D9"}
_TITLE, _WRAP = {"bold": True, "font_size": 12}, {"text_wrap": True, "valign": "top", "align": "left"}
_HEAD = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#2F4B6E", "valign": "vcenter", "text_wrap": True, "font_size": 10}


def _lines(row: Mapping[str, Any]) -> int:
    """Return how many lines a row takes at the widths of its columns, not more than are pleasant."""
    needed = (sum(-(-max(1, len(line)) // (WIDTHS.get(name, WIDTH) - 1)) for line in value.split("\n")) for name in ("speaker", "claim", "context", "source") if (value := row[name]))
    return min(MOST_LINES, max(needed, default=1))


def _target(name: str, row: Mapping[str, Any], about: About) -> str:
    """Return what a cell leads to: the article's page, or its file; empty where it leads nowhere."""
    url = row["url"] if _URL.fullmatch(row["url"]) else ""
    if name == "url" or (name == "article_id" and url):
        return url if len(url) <= LINK else ""
    place = about.places.get(row["article_id"], "") if name == "article_id" else ""
    if not place or "#" in place:  # Excel would take what follows it for a place in the file
        return ""
    target = f"external:{os.path.relpath(place, about.folder)}"
    return target if len(target) <= LINK else ""


def _write_cell(sheet: Any, row: int, column: int, value: Any, format: Any, target: str = "", link: Any = None) -> None:
    if target:
        sheet.write_url(row, column, target, link, string=value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, format)
    elif isinstance(value, float):
        sheet.write_number(row, column, value, format)
    elif value:
        sheet.write_string(row, column, value, format)
    else:
        sheet.write_blank(row, column, None, format)


def _add_choices(book: Any, sheet: Any, columns: Sequence[str], last: int) -> None:
    """Give the labels their lists, the decisions their colours, the confidences their scale."""
    for number, (name, values) in enumerate(LISTS.items()):
        letter = _letter(number)
        column = columns.index(name)
        message = {"error_title": name, "error_message": f"Choose one of {', '.join(str(v).lower() for v in values)}."}
        sheet.data_validation(1, column, last, column, {"validate": "list", "source": f"=Lists!${letter}$2:${letter}${len(values) + 1}", **message})
    decision = columns.index("decision")
    for word, colors in (("accept", ("#C9E4CA", "#1E4620")), ("reject", ("#F4C7C3", "#7B1E16")), ("unsure", ("#FCE8B2", "#5F4B00"))):
        shade = book.add_format({"bg_color": colors[0], "font_color": colors[1], "bold": True})
        sheet.conditional_format(1, decision, last, decision, {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": shade})
    scale = {"type": "3_color_scale", "min_type": "num", "mid_type": "num", "max_type": "num", "min_value": 0, "mid_value": 0.5, "max_value": 1, "min_color": "#F6B26B", "mid_color": "#FFFFFF", "max_color": "#9FC5E8"}
    for name in NUMBERS:
        sheet.conditional_format(1, columns.index(name), last, columns.index(name), scale)


def _letter(number: int) -> str:
    return chr(ord("A") + number)


def _write_lists(book: Any, sheet: Any) -> None:
    head, truth = book.add_format(_HEAD), book.add_format({"num_format": _TRUTH, "align": "left"})
    for column, name in enumerate(LISTS):
        sheet.set_column(column, column, 18)
        sheet.write_string(0, column, name, head)
    for row in range(max(map(len, LISTS.values()))):
        for column, values in enumerate(LISTS.values()):
            if row < len(values):
                _write_cell(sheet, row + 1, column, values[row], truth)
    sheet.freeze_panes(1, 0)
    sheet.fit_to_pages(1, 0)


def _write_summary(book: Any, sheet: Any, counts: _Counts, about: About) -> None:
    """Write what the claims are, and what was not read."""
    head, bold, wrap = book.add_format(_HEAD), book.add_format(_TITLE), book.add_format(_WRAP)
    lines: list[tuple[str, str | int, Any]] = [("What is in this workbook", "", bold)]
    whole = {"claims": counts.claims, "of these inside of other claims": counts.nested, "articles with claims": len(counts.articles), "speakers": len(counts.by["speaker"].keys() - {""})}
    lines += [(name, number, wrap) for name, number in whole.items()]
    for name, counter in counts.by.items():
        ranked = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
        lines += [("", "", wrap), (name, "claims", head), *((value or "(none)", number, wrap) for value, number in ranked[:MOST_NAMED])]
        if len(ranked) > MOST_NAMED:
            lines.append((f"{len(ranked) - MOST_NAMED:,} others", sum(number for _, number in ranked[MOST_NAMED:]), wrap))
    problems = list(islice(about.problems(), MOST_PROBLEMS + 1))
    lines += [("", "", wrap), ("Inputs that were not read", "", bold), *((place, reason, wrap) for place, reason in problems[:MOST_PROBLEMS])]
    if not problems:
        lines.append(("none", "", wrap))
    elif len(problems) > MOST_PROBLEMS:
        lines.append(("…", "and more, which the run's quarantine.jsonl holds, or the command printed", wrap))
    _write_lines(sheet, lines, (60, 90))


def _write_lines(sheet: Any, lines: Iterable[tuple[str, str | int, Any]], widths: tuple[int, int]) -> None:
    """Write two columns, a format a line."""
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.fit_to_pages(1, 0)
    for row, (name, value, format) in enumerate(lines):
        sheet.set_row(row, LINE * min(MOST_LINES, max(-(-len(str(text)) // (width - 8)) or 1 for text, width in zip((name, value), widths))))
        sheet.write_string(row, 0, cut(name, XLSX_CELL), format)
        if isinstance(value, int):
            sheet.write_number(row, 1, value, format)
        else:
            sheet.write_string(row, 1, cut(value, XLSX_CELL), format)


def _write_readme(book: Any, sheet: Any, models: Iterable[str], about: About) -> None:
    """Write how to review, what the columns mean, and what made the workbook."""
    head, bold, wrap = book.add_format(_HEAD), book.add_format(_TITLE), book.add_format(_WRAP)
    lines = [("How to review", "", bold), *(("", text, wrap) for text in HOW_TO), ("", "", wrap), ("The columns", "", bold), ("column", "what it is", head)]
    lines += [(", ".join(names), re.sub(r"[`*]", "", text), wrap) for names, text in COLUMN_TEXTS.items()]
    lines += [("", "", wrap), ("What made this workbook", "", bold), ("accordingto", __version__, wrap), ("model", ", ".join(sorted(models)), wrap), *((name, value, wrap) for name, value in about.facts.items())]
    _write_lines(sheet, lines, (34, 110))


HOW_TO = (
    "Choose accept, reject or unsure in decision, and write your name into reviewer.",
    "Where something is wrong, write what is right into corrected_speaker, corrected_stance and corrected_claim. The other labels may be changed where they stand; texts may not: a row whose texts were changed is not taken.",
    "Sort, filter and delete rows as you like, always whole rows: sort with the arrows in the header. Keep claim_id.",
    "accordingto import RUN claims.xlsx takes the sheet back, also after LibreOffice or as CSV, and says what it took and what not; accordingto import RUN --undo takes that back.",
    "A claim is what the text attributes to somebody. Whether it is true, nobody has checked.",
)
