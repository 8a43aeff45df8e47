import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from accordingto.column import COLUMN_TEXTS
from accordingto.errors import OutputError
from accordingto.ledger import Ledger
from accordingto.output import write_outputs
from accordingto.row import read_rows
from accordingto.schema import Article, Problem
from accordingto.table import COLUMNS, REVIEW_COLUMNS, json_of_claim, write_table
from accordingto.workbook import CHECK, CONTEXT_CELL, CUT_MARK, FIRST, LISTS, XLSX_CELL, About, plain, row_check, sheet_columns, sheet_row
from test_table import NASTY, claim

ROOT = Path(__file__).parents[1]


def book_of(tmp_path, claims, **options):
    write_table(claims, tmp_path / "t.xlsx", **options)
    return openpyxl.load_workbook(tmp_path / "t.xlsx")


def test_sheet_of_claims_is_ready_for_a_reviewer(tmp_path):
    book = book_of(tmp_path, [claim(claim_id=f"c_{i}", stance="assert") for i in range(3)])
    assert book.sheetnames == ["Claims", "Summary", "Lists", "Read me"]
    sheet = book["Claims"]
    columns = [cell.value for cell in sheet[1]]
    assert columns == sheet_columns()
    assert sorted(columns) == sorted((*COLUMNS, CHECK))
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C2", f"A1:{sheet.cell(4, len(columns)).coordinate}")
    assert not sheet.protection.sheet
    assert not sheet.merged_cells.ranges
    fills = {name: sheet.cell(1, columns.index(name) + 1).fill.fgColor.rgb for name in columns}
    assert len({fills[name] for name in REVIEW_COLUMNS}) == 1
    assert fills["decision"] != fills["claim"]


def test_every_label_and_the_decision_have_a_list(tmp_path):
    book = book_of(tmp_path, [claim(), claim()])
    columns = [cell.value for cell in book["Claims"][1]]
    found = {}
    for rule in book["Claims"].data_validations.dataValidation:
        (place,) = rule.sqref.ranges
        assert (place.min_row, place.max_row, rule.type) == (2, 3, "list")
        column, first, last = re.fullmatch(r"Lists!\$(\w+)\$(\d+):\$\w+\$(\d+)", rule.formula1).groups()
        found[columns[place.min_col - 1]] = tuple(book["Lists"][f"{column}{row}"].value for row in range(int(first), int(last) + 1))
    assert found == LISTS
    assert {"decision", "stance", "negated", "certainty", "attitude", "framing", "attribution_type", "source_kind", "corrected_stance"} == found.keys()


def test_confidence_is_a_number_with_a_scale(tmp_path):
    sheet = book_of(tmp_path, [claim(confidence=0.9)])["Claims"]
    column = len(FIRST) + [c for c in COLUMNS if c not in FIRST].index("confidence") + 1
    cell = sheet.cell(2, column)
    assert (cell.value, cell.data_type, cell.number_format) == (0.9, "n", "0.00")
    rules = {str(area.sqref): rule.type for area in sheet.conditional_formatting for rule in area.rules}
    assert rules[cell.coordinate] == "colorScale"


def test_no_cell_of_any_sheet_is_a_formula(tmp_path):
    claims = [claim(claim_id=text, title=text, speaker=text, claim=text, url=text, article_id=text, model=text, src={text: text}) for text in [*NASTY, '=HYPERLINK("http://x.y")', "@SUM(A1)", "{=1}"]]
    about = About({"=1+1": "=1+1"}, lambda: [("=1+1", "=2+2")])
    book = book_of(tmp_path, claims, src=["=1+1"], about=about)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    assert sum(cell.value == "=1+1" for cell in cells) > 6
    with zipfile.ZipFile(tmp_path / "t.xlsx") as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist() if "sheets/sheet" in name)


def test_what_a_cell_cannot_hold_ends_in_a_mark(tmp_path):
    sheet = book_of(tmp_path, [claim(claim="x" * (XLSX_CELL + 1), context="y" * (CONTEXT_CELL + 1), content=replace(claim().content, text="z" * XLSX_CELL))])["Claims"]
    cells = {head.value: cell.value for head, cell in zip(sheet[1], sheet[2])}
    assert [(len(cells[name]), cells[name].endswith(CUT_MARK)) for name in ("claim", "context", "content")] == [(XLSX_CELL, True), (CONTEXT_CELL, True), (XLSX_CELL, False)]


def test_links_lead_to_pages_and_files_and_nowhere_else(tmp_path):
    claims = [claim(article_id=name, url=url) for name, url in [("page", "https://x.y/a b"), ("page2", "https://x.y/a?b=c&d"), ("file", ""), ("evil", "javascript:alert(1)"), ("hash", ""), ("none", "")]]
    about = About(places={"file": str(tmp_path / "news/a.txt"), "page2": "b.txt", "hash": "a#b.txt"}, folder=tmp_path)
    sheet = book_of(tmp_path, claims, about=about)["Claims"]
    names = [cell.value for cell in sheet[1]]
    found = [{name: row[names.index(name)].hyperlink.target if row[names.index(name)].hyperlink else None for name in ("article_id", "url")} for row in sheet.iter_rows(min_row=2)]
    page, nothing = "https://x.y/a?b=c&d", {"article_id": None, "url": None}
    assert found == [nothing, {"article_id": page, "url": page}, {"article_id": r"news\a.txt", "url": None}, nothing, nothing, nothing]
    assert [row["article_id"] for row in read_rows(tmp_path / "t.xlsx")] == ["page", "page2", "file", "evil", "hash", "none"]


def test_links_end_where_the_sheet_takes_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("accordingto.workbook.LINKS", 3)
    sheet = book_of(tmp_path, [claim(url=f"http://x.y/{i}") for i in range(4)])["Claims"]
    assert sum(cell.hyperlink is not None for row in sheet.iter_rows() for cell in row) == 3


def test_summary_counts_and_names_what_was_not_read(tmp_path):
    claims = [claim(stance="deny", speaker="Ann"), claim(stance="deny", parent_id="c_0"), claim(stance="ask", article_id="b")]
    book = book_of(tmp_path, claims, about=About({"run": "r"}, lambda: [("a.pdf", "no text"), ("b.pdf", "gone")]))
    lines = [(a.value, b.value) for a, b in book["Summary"].iter_rows(max_col=2)]
    assert {("claims", 3), ("of these inside of other claims", 1), ("articles with claims", 2), ("speakers", 1), ("deny", 2), ("ask", 1), ("(none)", 2), ("Ann", 1), ("a.pdf", "no text"), ("b.pdf", "gone")} <= set(lines)
    readme = [(a.value, b.value) for a, b in book["Read me"].iter_rows(max_col=2)]
    assert {("run", "r"), ("model", "m 1")} <= set(readme)


def test_columns_are_explained_as_in_the_readme(tmp_path):
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme[readme.index("| column | what it is |") :].split("\n\n")[0].splitlines()[2:]
    rows = [re.fullmatch(r"\| (.*?) \| (.*) \|", line).groups() for line in table]
    assert {tuple(re.findall(r"`([^`]+)`", names)): text for names, text in rows} == COLUMN_TEXTS
    explained = {name for names in COLUMN_TEXTS for name in names}
    assert {*COLUMNS, CHECK} <= explained
    sheet = book_of(tmp_path, [])["Read me"]
    assert {", ".join(names) for names in COLUMN_TEXTS} <= {cell.value for cell in sheet["A"]}


def test_same_claims_give_the_same_bytes(tmp_path):
    claims = [claim(claim_id=f"c_{i}", url="http://x.y") for i in range(9)]
    for name in ("a", "b"):
        write_table(claims, tmp_path / f"{name}.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize(("number", "files"), [(0, 1), (3, 1), (4, 2), (7, 3)])
def test_what_a_sheet_does_not_hold_goes_to_further_files(tmp_path, monkeypatch, number, files):
    monkeypatch.setattr("accordingto.table.XLSX_ROWS", 4)
    assert write_table([claim(claim_id=f"c_{i}") for i in range(number)], tmp_path / "t.xlsx") == number
    names = ["t.xlsx", *(f"t-{i}.xlsx" for i in range(2, files + 1))]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    assert [row["claim_id"] for name in names for row in read_rows(tmp_path / name)] == [f"c_{i}" for i in range(number)]


def test_further_files_appear_with_the_first_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr("accordingto.table.XLSX_ROWS", 3)

    def broken():
        yield from [claim()] * 5
        raise RuntimeError("in the middle of the third")

    with pytest.raises(RuntimeError):
        write_table(broken(), tmp_path / "t.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_run_names_further_workbooks_and_says_what_was_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("accordingto.table.XLSX_ROWS", 3)
    (tmp_path / "a.txt").write_text("He said it rains.")
    (tmp_path / "run").mkdir()
    ledger = Ledger(tmp_path / "run")
    ledger.set_facts({"version": "0", "model": "digest", "model_folder": "", "options": {"formats": ["xlsx"]}})
    ledger.add_item(str(tmp_path / "a.txt"), 0, Article("a", "He said it rains."), "s1")
    ledger.add_item("b.pdf", 0, Problem("b.pdf", "no_text_layer", "it holds pictures"))
    ledger.set_claims("s1", b"\n".join(json_of_claim(claim(claim_id=f"c_{i}")) for i in range(3)), 3, b"")
    assert write_outputs(ledger, ("xlsx",), lambda _: True, near_duplicates=False, filtered=()).claims == 3
    ledger.close()
    assert {"claims.xlsx", "claims-2.xlsx"} <= json.loads((tmp_path / "run/run.json").read_bytes())["files"].keys()
    book = openpyxl.load_workbook(tmp_path / "run/claims-2.xlsx")
    assert ("b.pdf", "it holds pictures") in {(a.value, b.value) for a, b in book["Summary"].iter_rows(max_col=2)}
    assert {("digest of the model", "digest"), ("model", "m 1")} <= {(a.value, b.value) for a, b in book["Read me"].iter_rows(max_col=2)}
    (link,) = (cell.hyperlink.target for row in book["Claims"].iter_rows() for cell in row if cell.hyperlink)
    assert link == r"..\a.txt"


def test_standard_output_takes_one_sheet(monkeypatch, tmp_path):
    monkeypatch.setattr("accordingto.table.XLSX_ROWS", 2)
    with (tmp_path / "out").open("w") as out, pytest.raises(OutputError, match="a sheet holds 1 claims"):
        monkeypatch.setattr("sys.stdout", out)
        write_table([claim()] * 2, "-", "xlsx")


def test_check_is_that_of_the_cells_as_they_are_read_back(tmp_path):
    claims = [claim(claim_id=f"c_{i}", speaker=text, claim=text, context=text * 500, negated=bool(i % 2), confidence=i / 7, stance_confidence=None) for i, text in enumerate(NASTY)]
    write_table(claims, tmp_path / "t.xlsx")
    rows = list(read_rows(tmp_path / "t.xlsx", keep=(CHECK,)))
    assert [row[CHECK] for row in rows] == [row_check(row) for row in rows] == [sheet_row(c)[CHECK] for c in claims]
    assert len({row[CHECK] for row in rows}) == len(rows)
    assert all(re.fullmatch("r[a-z2-7]{9}", row[CHECK]) for row in rows)


@pytest.mark.parametrize("name", [c for c in COLUMNS if c not in REVIEW_COLUMNS])
def test_check_sees_a_change_of_every_column_of_the_machine(name):
    row = sheet_row(claim())
    assert row_check(row | {name: "0.77"}) != row_check(row) == row_check(row | {"decision": "accept", "note": "x"})


def test_what_programs_write_differently_is_equal():
    assert plain("negated", True) == plain("negated", "TRUE") == plain("negated", "1") == "true"
    assert plain("confidence", 0.9089) == plain("confidence", "0,91") == plain("confidence", "0.9089") == "0.91"
    assert plain("claim", "a\r\nb  c ") == plain("claim", "a b c")
    assert plain("speaker", None) == plain("speaker", "") == ""
