"""The round trip through LibreOffice Calc itself: a run's workbook and CSV, changed as a reviewer would, saved, and imported. Skipped where it is not installed."""

import ast
import csv
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from runs import ROOT, run

from accordingto.review.decision import fold
from accordingto.review.imported import import_tables
from accordingto.review.log import DecisionLog
from accordingto.review.runs import read_run
from accordingto.row import read_rows
from accordingto.table import write_table
from test_table import claim

PYTHON = "/usr/bin/python3"  # the system's, for which LibreOffice's `uno` is installed
HAS_UNO = shutil.which("soffice") is not None and Path(PYTHON).exists() and subprocess.run([PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode == 0
pytestmark = pytest.mark.skipif(not HAS_UNO, reason="needs LibreOffice: apt-get install libreoffice-calc-nogui python3-uno")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run of the seeds and of an article with an awkward id and date, and what a reviewer at Calc made of its tables."""
    folder = tmp_path_factory.mktemp("calc")
    (folder / "news.csv").write_text('id,body,outlet,published,headline\n00012,"Officials said on Monday that it rained. = sources say",1e5,2026-11-18,3/4\n', "utf-8")
    done = run("extract", "seeds", folder / "news.csv", "-o", folder / "run", "--format", "csv", "--format", "xlsx", "--no-near-duplicates")
    assert done.returncode == 0, done.stderr
    shutil.copy(folder / "run/claims.csv", folder / "opened.csv")
    names = [folder / "run/claims.xlsx", folder / "saved.xlsx", folder / "saved.csv", folder / "opened.csv"]
    reviewer = subprocess.run([PYTHON, ROOT / "tests/review/calc.py", *names], capture_output=True, text=True, timeout=180, check=False)
    assert reviewer.returncode == 0, reviewer.stderr
    return folder, ast.literal_eval(reviewer.stdout)


@pytest.mark.parametrize("name", ["saved.xlsx", "saved-Claims.csv"])
def test_what_a_reviewer_did_in_calc_comes_back(saved, tmp_path, name):
    folder, said = saved
    shutil.copytree(folder / "run", tmp_path / "run")
    if name.endswith("csv"):
        assert (folder / name).read_bytes().startswith(b"claim_id;")  # no byte order mark, semicolons
    done = import_tables(tmp_path / "run", [folder / name])
    assert done.rows == said["rows"]
    assert (sorted(done.accepted), sorted(done.rejected), sorted(done.edited)) == (sorted(said["accepted"]), sorted(said["rejected"]), sorted(said["edited"]))
    assert (done.unknown, done.duplicated, done.refused, done.lost) == ([], [], [], 0)
    assert done.missing == len(said["deleted"]) == 2
    with DecisionLog(tmp_path / "run") as log:
        states = fold(d for _, d in log.read())
    assert set(states) == set(said["accepted"] + said["rejected"])
    first, second, fourth = (states[claim_id].edits for claim_id in said["edited"])
    assert (first, second) == ({"speaker": "Ann Lee"}, {"note": "-5 °C, he says"})
    assert fourth.keys() == {"framing"}


def test_both_files_say_the_same(saved, tmp_path):
    folder, _ = saved
    shutil.copytree(folder / "run", tmp_path / "run")
    assert import_tables(tmp_path / "run", [folder / "saved.xlsx"]).written > 10
    assert import_tables(tmp_path / "run", [folder / "saved-Claims.csv"]).written == 0


def test_csv_that_calc_opened_with_its_guesses_is_reported_and_changes_nothing(saved, tmp_path):
    folder, _ = saved
    shutil.copytree(folder / "run", tmp_path / "run")
    with (folder / "opened.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    mangled = next(row for row in rows if row["title"] or row["publisher"])
    assert mangled["article_id"] == "12"
    done = import_tables(tmp_path / "run", [folder / "opened.csv"])
    assert (done.rows, len(done.untouched), done.refused, done.lost, done.written) == (len(rows), len(rows), [], 0, 0)
    own = next(c for c in read_run(tmp_path / "run").claims() if c.article_id == "00012")
    assert {(cell.column, cell.was, cell.found) for cell in done.mangled if cell.claim_id == own.claim_id} >= {("article_id", "00012", "12"), ("publisher", "1e5", mangled["publisher"])}
    assert {cell.column for cell in done.mangled} <= {"article_id", "title", "publisher", "published"}


def opened_by_calc(path: Path, folder: Path) -> list:
    """Return the cells of a table as Calc sees them when it opens it with all its guesses."""
    options = ["--infilter=CSV:44,34,76,1,,1033,false,true"] if path.suffix == ".csv" else []
    office = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", *options, "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", folder / "seen", path]
    done = subprocess.run(office, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [cell for row in openpyxl.load_workbook(folder / "seen" / f"{path.stem}.xlsx").worksheets[0].iter_rows(min_row=2) for cell in row]


def test_calc_sees_texts_where_a_formula_might_be(tmp_path):
    risky = ["=1+1", "+1", "-1+2", "@SUM(A1)", '=HYPERLINK("http://x.y";"z")', "%1", "|x", "'=1"]
    claims = [claim(claim_id=f"c_{i}", claim=text, speaker=text) for i, text in enumerate(risky)]
    for name in ("book.xlsx", "table.csv"):
        write_table(claims, tmp_path / name)
        cells = opened_by_calc(tmp_path / name, tmp_path)
        assert len(cells) > 100
        assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert [row["claim"] for row in read_rows(tmp_path / "seen/book.xlsx")] == risky
    (tmp_path / "unguarded.csv").write_text("claim_id,claim\nc_1,=1+1\n")
    assert [cell.data_type for cell in opened_by_calc(tmp_path / "unguarded.csv", tmp_path)] == ["s", "f"]  # so the test would see one
