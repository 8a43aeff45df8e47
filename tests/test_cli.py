"""The commands as a user calls them, in processes of their own."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accordingto.errors import REASONS
from accordingto.table import COLUMNS

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "accordingto", *map(str, args)], input=stdin, capture_output=True, timeout=120, check=False)


def test_extract_writes_a_table_and_one_line_of_summary(tmp_path):
    done = run("extract", SEEDS, "-o", tmp_path / "claims.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "claims.csv").read_bytes().decode("utf-8-sig"), newline="")))
    assert done.returncode == 0
    assert tuple(rows[0]) == COLUMNS
    assert {r["article_id"] for r in rows} == {p.stem for p in SEEDS.iterdir()}
    assert done.stdout == b""
    assert done.stderr.decode().splitlines() == [f"{len(rows)} claims from 2 articles (0 without claims), 0 inputs not read -> {tmp_path / 'claims.csv'}"]


def test_extract_reads_a_pipe_and_writes_one():
    done = run("extract", "-", "-o", "-", "--format", "jsonl", stdin="Officials said “it rained”.".encode())
    claim = json.loads(done.stdout)
    assert (claim["source"]["text"], claim["cue"]["text"], claim["quotation"]) == ("Officials", "said", "direct")
    assert (claim["stance"], claim["negated"]) == ("assert", False)


def test_extract_reports_bad_inputs_and_reads_the_others(tmp_path):
    (tmp_path / "good.txt").write_text("Officials said it rained.")
    (tmp_path / "empty.txt").write_text("")
    done = run("extract", tmp_path, tmp_path / "gone\x1bx.txt", "-o", tmp_path / "claims.jsonl")
    errors = done.stderr.decode()
    assert done.returncode == 3
    assert "empty.txt' was not read: it holds no text; remove it" in errors
    assert "was not read: there is no such file; check the path." in errors
    assert "\x1b" not in errors
    assert "1 article " in errors
    assert len((tmp_path / "claims.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("extract", "gone.txt", "-o", "{tmp}/x.csv"), 1, "there is no such file"),
        (("extract", SEEDS, "-o", "{tmp}/x.doc"), 1, "names no format; choose one of .csv"),
        (("extract", SEEDS, "-o", "{tmp}/gone/x.csv"), 1, "no such file or directory"),
        (("extract", SEEDS, "--model", "gone", "-o", "{tmp}/x.csv"), 1, "the model 'gone' cannot be loaded"),
        (("evaluate", "gone.jsonl"), 1, "'gone.jsonl' is no gold data: there is no such file; give"),
        (("extract",), 2, "Missing argument"),
        (("train", "gone"), 1, "the training cannot run: "),
    ],
)
def test_errors_are_one_line_with_a_remedy_and_an_exit_code(tmp_path, args, code, message):
    done = run(*(str(a).format(tmp=tmp_path) for a in args))
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_filters_leave_out_what_they_say(tmp_path):
    run("extract", SEEDS, "-o", tmp_path / "all.jsonl")
    run("extract", SEEDS, "-o", tmp_path / "some.jsonl", "--min-confidence", "0.8", "--no-nested")
    every, some = ([json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()] for name in ("all.jsonl", "some.jsonl"))
    assert some == [c for c in every if c["confidence"] >= 0.8 and c["parent_id"] is None]
    assert 0 < len(some) < len(every)


def test_evaluate_holds_the_pinned_floors():
    """The score gate: real gold, the shipped model; a drop below a floor fails here."""
    done = run("evaluate", ROOT / "tests/data/written_dev.jsonl.gz", "--floors", ROOT / "tests/data/floors.json", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert "floors held" in done.stderr.decode()
    assert json.loads(done.stdout)["articles"] == 12


def test_evaluate_scores_a_file_of_claims(tmp_path):
    done = run("evaluate", ROOT / "tests/data/written_dev.jsonl.gz", "--predicted", _plain(tmp_path, "predicted.jsonl.gz"))
    assert "cue_f1" in done.stdout.decode()
    assert "(people on PolNeAR 81.4)" in done.stdout.decode()


def _plain(folder: Path, name: str) -> Path:
    import gzip

    path = folder / "predicted.jsonl"
    path.write_bytes(gzip.decompress((ROOT / "tests/data" / name).read_bytes()))
    return path


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_run_leaves_the_last_table_as_it_was(tmp_path, sign):
    (tmp_path / "in").mkdir()
    text = (SEEDS / "000_95dab18b4d6ef3f7.txt").read_text("utf-8")
    for i in range(300):
        (tmp_path / "in" / f"{i}.txt").write_text(text)
    table = tmp_path / "claims.csv"
    table.write_text("the last run's")
    process = subprocess.Popen([sys.executable, "-m", "accordingto", "extract", str(tmp_path / "in"), "-o", str(table)], stderr=subprocess.PIPE, preexec_fn=_heed_interrupts)  # noqa: PLW1509  (no threads here)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".claims.csv.*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(sign)
    process.communicate()
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[sign]
    assert table.read_text() == "the last run's"
    if sign != signal.SIGKILL:
        assert not list(tmp_path.glob(".claims.csv.*"))


def _heed_interrupts() -> None:
    """Undo what a shell does to the commands that it runs in the background: they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_every_command_and_column_is_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = {"extract", "verify", "retry", "evaluate", "train", "report", "review", "import", "merge", "agreement", "export"}
    assert all(f"accordingto {command}" in readme for command in commands)
    assert {line.split()[1] for line in run("--help").stdout.decode().splitlines() if line.startswith("│ ") and line.split()[1] in commands} == commands
    assert [c for c in COLUMNS if f"`{c}`" not in readme] == []


def test_every_reason_is_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [code for code in REASONS if f"`{code}`" not in readme] == []


def test_table_of_articles_keeps_its_columns(tmp_path):
    (tmp_path / "news.csv").write_text("id,body,outlet,beat\nn1,Officials said it rained.,Daily,weather\nn2,,Daily,roads\n")
    done = run("extract", tmp_path / "news.csv", "-o", tmp_path / "claims.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "claims.csv").read_bytes().decode("utf-8-sig"), newline=""))
    assert done.returncode == 3
    assert "row 3' was not read: its text is empty" in done.stderr.decode()
    assert (row["article_id"], row["publisher"], row["src_beat"]) == ("n1", "Daily", "weather")


def test_every_module_is_in_the_code_map():
    readme = (ROOT / "README.md").read_text("utf-8")
    modules = [p.relative_to(ROOT / "src/accordingto").as_posix() for p in (ROOT / "src").rglob("*.py") if not p.name.startswith("__")]
    assert [m for m in modules if f"`{m}`" not in readme] == []


def test_workbooks_that_go_on_in_others_are_named(tmp_path, monkeypatch, capsys):
    from accordingto.outcome import _name_further

    monkeypatch.setattr("accordingto.table.XLSX_ROWS", 3)
    (tmp_path / "claims-2.xlsx").touch()
    for claims in (2, 3):
        _name_further(tmp_path / "claims.xlsx", claims)
    assert capsys.readouterr().err == f"a sheet was full: {tmp_path / 'claims.xlsx'} goes on in {tmp_path / 'claims-2.xlsx'}\n"


def test_table_that_a_reviewer_wrote_into_is_not_replaced(tmp_path):
    import openpyxl

    (tmp_path / "a.txt").write_text("Officials said it rained. The mayor denied it.")
    for name, column in (("t.csv", "decision"), ("t.xlsx", "note")):
        table = tmp_path / name
        assert run("extract", tmp_path / "a.txt", "-o", table).returncode == 0
        assert run("extract", tmp_path / "a.txt", "-o", table).returncode == 0  # nobody has written into it
        if name == "t.csv":
            rows = list(csv.reader(io.StringIO(table.read_text("utf-8-sig"), newline="")))
            rows[-1][rows[0].index(column)] = "accept"
            with table.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(rows)
        else:
            book = openpyxl.load_workbook(table)
            sheet = book["Claims"]
            sheet.cell(2, [cell.value for cell in sheet[1]].index(column) + 1).value = "see p. 3"
            book.save(table)
        before = table.read_bytes()
        done = run("extract", tmp_path / "a.txt", "-o", table)
        assert (done.returncode, table.read_bytes()) == (1, before)
        assert "a reviewer has written into the table that stands there; give another name, or --overwrite" in done.stderr.decode()
        assert run("extract", tmp_path / "a.txt", "-o", table, "--overwrite").returncode == 0
        assert table.read_bytes() != before


def test_old_table_stays_where_nothing_could_be_read(tmp_path):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "t.csv").write_text("old")
    for output, words in (("t.csv", "stays as it was"), ("u.csv", "was not written")):
        for name in ("typo.txt", "empty.txt"):
            done = run("extract", tmp_path / name, "-o", tmp_path / output)
            assert done.returncode == 1
            assert f"nothing could be read, 1 input not read; {tmp_path / output} {words}\n" in done.stderr.decode()
    assert (tmp_path / "t.csv").read_text() == "old"
    assert not (tmp_path / "u.csv").exists()


def test_version_and_the_name_of_the_program(monkeypatch):
    from accordingto import __version__

    assert run("--version").stdout.decode() == f"accordingto {__version__}\n"
    monkeypatch.setenv("ACCORDINGTO_PROGRAM", "python3 start.py")
    assert "Usage: python3 start.py extract" in run("extract", "--help").stdout.decode()
