"""What was not read can be found again: by its place in a file that is there, by its bytes where there is no file."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile

import openpyxl
import pyarrow.parquet
import pytest
from warcio.archiveiterator import ArchiveIterator

import inputs
from accordingto.article import read_outcomes
from accordingto.schema import Article, Problem

MENU = b"<html><body><nav><a href=/>Home</a></nav></body></html>"
GOOD, EMPTY = inputs.page(), ""
ROWS = inputs.records([inputs.TEXT, EMPTY, inputs.TEXT + " It rained."])


def number_in(locator):
    return int(locator.rsplit(" ", 1)[-1])


def warc_payload(data, locator):
    """Return what a WARC's record holds, found by nothing but its place."""
    _, place, record_id = locator.split()
    record = next(iter(ArchiveIterator(io.BytesIO(data[int(place) :]))))
    assert record.rec_headers.get_header("WARC-Record-ID") == record_id
    return record.content_stream().read()


def row_of_csv(data, locator):
    return dict(zip(ROWS[0], list(csv.reader(io.StringIO(data.decode())))[number_in(locator) - 1]))


def row_of_workbook(data, locator):
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    return {key: cell.value or "" for key, cell in zip(ROWS[0], sheet[number_in(locator)])}


CASES = {
    "page.zip": (inputs.packed({"a.txt": inputs.TEXT.encode(), "b/c.html": MENU}), lambda data, place: zipfile.ZipFile(io.BytesIO(data)).read(place), MENU),
    "table.zip": (
        inputs.packed({"a.txt": inputs.TEXT.encode(), "b/c.csv": inputs.csv_table(ROWS)}),
        lambda data, place: row_of_csv(zipfile.ZipFile(io.BytesIO(data)).read(place.split(", ")[0]), place.split(", ")[1]),
        ROWS[1],
    ),
    "table.csv": (inputs.csv_table(ROWS), row_of_csv, ROWS[1]),
    "table.xlsx": (inputs.workbook(ROWS), row_of_workbook, ROWS[1]),
    "table.parquet": (inputs.parquet(ROWS), lambda data, place: pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()[number_in(place) - 1], ROWS[1]),
    "table.jsonl": (inputs.jsonl(ROWS), lambda data, place: json.loads(data.splitlines()[number_in(place) - 1]), ROWS[1]),
    "list.json": (inputs.fundus([inputs.TEXT, EMPTY]), lambda data, place: json.loads(data)[number_in(place) - 1]["plaintext"], EMPTY),
    "archive.warc": (inputs.warc([GOOD, MENU, GOOD], compressed=False), warc_payload, MENU),
    "archive.warc.gz": (inputs.warc([GOOD, MENU, GOOD]), warc_payload, MENU),
}


@pytest.mark.parametrize("name", CASES)
def test_place_leads_to_what_was_not_read(tmp_path, name):
    data, find, expected = CASES[name]
    (tmp_path / name).write_bytes(data)
    outcomes = list(read_outcomes([tmp_path / name]))
    (problem,) = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert len(outcomes) > 1  # the others were read
    assert problem.path == str(tmp_path / name)
    assert find(data, problem.locator) == expected


def test_places_behind_damage_are_true_of_the_whole_archive(tmp_path):
    data = bytearray(inputs.warc([GOOD, GOOD, GOOD, MENU]))
    data[900] ^= 255
    (tmp_path / "a.warc.gz").write_bytes(data)
    outcomes = list(read_outcomes([tmp_path / "a.warc.gz"]))
    assert [getattr(o, "code", "article") for o in outcomes].count("corrupt_member") == 1
    read = [o for o in outcomes if isinstance(o, Article)]
    assert read
    assert [warc_payload(bytes(data), o.locator) for o in read] == [GOOD] * len(read)
    (menu,) = [o for o in outcomes if isinstance(o, Problem) and o.code == "html_no_article"]
    assert warc_payload(bytes(data), menu.locator) == MENU


def run(*args, **options):
    return subprocess.run([sys.executable, "-m", "accordingto", *map(str, args)], capture_output=True, timeout=240, check=False, **options)


def test_retry_from_another_folder_is_refused_and_nothing_is_forgotten(tmp_path):
    (tmp_path / "a.txt").write_text("Officials said it rained.")
    (tmp_path / "b.txt").write_text("")
    assert run("extract", "a.txt", "b.txt", "-o", "run", cwd=tmp_path).returncode == 3
    (tmp_path / "b.txt").write_text("Ann Lee said it snowed.")
    (tmp_path / "elsewhere").mkdir()
    refused = run("retry", "../run", cwd=tmp_path / "elsewhere")
    assert (refused.returncode, f"named from '{tmp_path}'" in refused.stderr.decode()) == (1, True), refused.stderr
    done = run("retry", "run", "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["quarantined"], json.loads(done.stdout)["extracted"]) == (0, {}, 2), done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_pipe_with_a_name_is_no_input_of_a_run(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    done = run("extract", tmp_path / "pipe.txt", "-o", tmp_path / "run")
    assert (done.returncode, "cannot be read again" in done.stderr.decode()) == (1, True)
    assert not (tmp_path / "run").exists()
