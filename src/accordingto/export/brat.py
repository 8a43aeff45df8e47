"""brat: stand-off annotation in PolNeAR's dialect, a pair of files an article, which brat and many tools of corpora open.

A covered text stands on one line there: spans are split at line breaks, and a claim with a tab in it cannot be written.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from accordingto.errors import OutputError
from accordingto.export.judged import JudgedArticle, JudgedClaim, parents_among
from accordingto.export.mark import PARTS, Mark, check_marks, marks_of, whole_text
from accordingto.label import LABELS
from accordingto.schema import CharSpan

CONFIG = "annotation.conf"
_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")  # all that str.splitlines breaks at: readers of lines differ
_UNSAFE = re.compile(r"[^\w.-]|^\.+")
ATTRIBUTES = {name: "".join(word.capitalize() for word in name.split("_")) for name in LABELS if name != "negated"}  # of an event; `Negated` has no value


def write_brat(articles: Sequence[JudgedArticle], folder: Path, *, unreviewed: bool) -> tuple[int, int]:
    """Write articles into a new folder; return the number of claims, and that of those left out for a tab or for want of a cue.

    Raises OutputError where the folder holds something, or where the files, read again, do not hold what was given.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(folder, "there is something in its place", "give the name of a new folder")
    new = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        counts = _write_files(articles, new, unreviewed=unreviewed)
        if folder.exists():
            folder.rmdir()
        new.rename(folder)
    except OSError as error:
        raise OutputError(folder, (error.strerror or str(error)).lower(), "check that the place may be written to") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return counts


def _write_files(articles: Sequence[JudgedArticle], folder: Path, *, unreviewed: bool) -> tuple[int, int]:
    (folder / CONFIG).write_bytes(configuration().encode("utf-8"))
    written = left_out = 0
    names: set[str] = set()
    for article in articles:
        name = _file_name(article.article_id, names)
        held = article.held(unreviewed=unreviewed)
        fitting = [c for c in held if _fits(article.text, c)]
        (folder / f"{name}.txt").write_bytes(article.text.encode("utf-8"))
        (folder / f"{name}.ann").write_bytes("".join(f"{line}\n" for line in annotation_lines(article.text, fitting)).encode("utf-8"))
        check_marks(folder / f"{name}.ann", marks_of(article, fitting, name, one_line_spans), _marks_in(folder, name))
        written, left_out = written + len(fitting), left_out + len(held) - len(fitting)
    return written, left_out


def _file_name(article_id: str, taken: set[str]) -> str:
    """Return a name for an article's files that every system takes, and that is no other's, whatever the letters' case."""
    plain = _UNSAFE.sub("_", article_id)[:100] or "article"
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name.lower())
    return name


def one_line_spans(text: str, spans: Sequence[CharSpan]) -> tuple[CharSpan, ...]:
    """Return spans without the line breaks in them, split there; white space alone is no span."""
    out = []
    for start, end in spans:
        edges = [start, *(edge for found in _BREAKS.finditer(text, start, end) for edge in found.span()), end]
        out += [(s, e) for s, e in zip(edges[::2], edges[1::2]) if text[s:e].strip()]
    return tuple(out)


def _fits(text: str, claim: JudgedClaim) -> bool:
    """Return whether a claim can be written: no tab in it, and a cue and a content that are more than white space."""
    parts = {part: getattr(claim.claim, part).spans for part in PARTS}
    tabs = any("\t" in text[s:e] for spans in parts.values() for s, e in spans)
    return not tabs and all(one_line_spans(text, spans) for part, spans in parts.items() if spans or part != "source")


def annotation_lines(text: str, claims: Sequence[JudgedClaim]) -> Iterator[str]:
    """Yield the lines of an .ann file: for each claim its parts, the event that joins them, its labels and what else is known of it."""
    number = 0
    parents = parents_among(claims)
    for event, (claim, parent) in enumerate(zip(claims, parents, strict=True), 1):
        arguments = []
        for part in PARTS:
            spans = one_line_spans(text, getattr(claim.claim, part).spans)
            if spans:
                number += 1
                yield _text_bound(number, part.capitalize(), text, spans)
                arguments.append(f"{part.capitalize()}:T{number}")
        kind = "Attribution" if claim.claim.source.spans else "Attribution-no-source"
        number += 1
        yield _text_bound(number, kind, text, one_line_spans(text, claim.claim.cue.spans)[:1])
        yield f"E{event}\t{kind}:T{number} {' '.join(arguments)}"
        yield from _attributes(event, claim)
        yield f"#{event}\tAnnotatorNotes E{event}\t{_note(claim, parent)}"


def _text_bound(number: int, kind: str, text: str, spans: Sequence[CharSpan]) -> str:
    return f"T{number}\t{kind} {';'.join(f'{s} {e}' for s, e in spans)}\t{' '.join(text[s:e] for s, e in spans)}"


def _attributes(event: int, claim: JudgedClaim) -> Iterator[str]:
    """Yield an event's labels; their numbers need only be unique."""
    for place, (field, name) in enumerate(ATTRIBUTES.items()):
        value = getattr(claim.claim, field)
        if value:
            yield f"A{event * 10 + place}\t{name} E{event} {value}"
    if claim.claim.negated:
        yield f"A{event * 10 + len(ATTRIBUTES)}\tNegated E{event}"


def _note(claim: JudgedClaim, parent: int | None) -> str:
    """Return what brat has no line for, as JSON on one line."""
    facts = {"claim_id": claim.claim.claim_id, "parent": None if parent is None else f"E{parent + 1}", "verdict": claim.verdict, "reviewers": list(claim.reviewers)}
    known = {name: getattr(claim.claim, name) for name in ("speaker", "speaker_role", "attitude_target")} | {"note": claim.note}
    line = json.dumps(facts | {name: value for name, value in known.items() if value}, ensure_ascii=False)
    return _BREAKS.sub(lambda found: "".join(f"\\u{ord(c):04x}" for c in found[0]), line)


def configuration() -> str:
    """Return the annotation.conf that belongs to the files."""
    values = "\n".join(f"{name}\tArg:<EVENT>, Value:{'|'.join(str(v) for v in LABELS[field])}" for field, name in ATTRIBUTES.items())
    events = "Attribution\tSource?:Source, Cue:Cue, Content:Content\nAttribution-no-source\tCue:Cue, Content:Content"
    return f"[entities]\nSource\nCue\nContent\n\n[events]\n{events}\n\n[attributes]\n{values}\nNegated\tArg:<EVENT>\n\n[relations]\n"


def _marks_in(folder: Path, name: str) -> Iterator[Mark]:
    """Yield the marks of an article's files as they are read back."""
    text = (folder / f"{name}.txt").read_bytes().decode("utf-8")
    yield whole_text(name, text)
    for line in (folder / f"{name}.ann").read_bytes().decode("utf-8").split("\n"):
        if line.startswith("T"):
            _, kind_and_spans, covered = line.split("\t")
            kind, _, places = kind_and_spans.partition(" ")
            spans = tuple((int(s), int(e)) for s, e in (place.split(" ") for place in places.split(";")))
            if kind.lower() in PARTS:
                texts = tuple(text[s:e] for s, e in spans)
                yield Mark(name, kind.lower(), spans, texts if " ".join(texts) == covered else (*texts, covered))
