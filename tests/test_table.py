import csv
import io
import json
import os
import subprocess
import sys

import openpyxl
import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accordingto.errors import OutputError, TableError
from accordingto.guard import guard, unguard
from accordingto.row import read_rows
from accordingto.schema import Claim, SpanText
from accordingto.table import COLUMNS, claim_from_json, flatten_claim, json_of_claim, to_frame, write_table


def claim(**changes) -> Claim:
    empty = dict.fromkeys(("speaker", "speaker_role", "source_kind", "stance", "negated", "certainty", "attitude", "attitude_target", "framing", "attribution_type", "parent_id", "speaker_confidence", "stance_confidence"))
    meta = dict.fromkeys(("title", "publisher", "published", "url"), "")
    facts = {"claim_id": "c_1", "article_id": "a", "quotation": "direct", "claim": "it rains", "context": "He said it rains.", "confidence": 0.5, "why": "said", "model": "m 1"}
    spans = {"source": SpanText("He", ((0, 2),)), "cue": SpanText("said", ((3, 7),)), "content": SpanText("it … rains", ((8, 10), (11, 16)))}
    return Claim(**(empty | meta | facts | spans | changes))


NASTY = ["a\rb", "a\nb", 'a"b', "a,b", "=1+1", "{=1}", "NA", "None", "null", "é😀", " lead", "http://x.y", "1e5", "00012", "\u2028", "-5", "'quoted'"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_every_format_gives_back_what_went_in(tmp_path, ending):
    claims = [claim(claim_id=f"c_{i}", claim=text, speaker=text, negated=bool(i % 2)) for i, text in enumerate(NASTY)]
    path = tmp_path / f"claims.{ending}"
    assert write_table(claims, path) == len(NASTY)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if ending == "csv":
        rows = pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")
        assert rows == list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    elif ending == "jsonl":
        rows = [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n")[:-1]]  # not splitlines: U+2028 ends no line of JSON
    elif ending == "parquet":
        rows = pd.read_parquet(path).to_dict("records")
    else:
        sheet = openpyxl.load_workbook(path)["Claims"]
        header, *body = sheet.iter_rows(values_only=True)
        rows = [dict(zip(header, row)) for row in body]
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    own = unguard if ending == "csv" else lambda text: text.replace("_x000D_", "\r")
    assert [own(row["claim"]) for row in rows] == NASTY
    assert [own(row["speaker"]) for row in rows] == NASTY


def test_csv_opens_in_excel_as_utf8_with_one_line_a_claim(tmp_path):
    path = tmp_path / "claims.csv"
    write_table([claim()], path)
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfclaim_id,article_id,")
    assert data.count(b"\r\n") == 2
    row = next(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert (row["content"], row["content_spans"], row["speaker"], row["confidence"]) == ("it … rains", "8 10;11 16", "", "0.5")


def test_no_claims_give_a_table_with_its_header(tmp_path):
    for ending in ("csv", "parquet"):
        path = tmp_path / f"none.{ending}"
        assert write_table([], path) == 0
    assert tuple(pd.read_csv(tmp_path / "none.csv").columns) == COLUMNS
    assert tuple(pd.read_parquet(tmp_path / "none.parquet").columns) == COLUMNS


def test_frame_has_types(tmp_path):
    frame = to_frame([claim(negated=True), claim()])
    assert frame["confidence"].sum() == 1.0
    assert frame["negated"].tolist() == [True, pd.NA]
    assert frame["speaker"].isna().all()


def test_table_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text("the last run's")

    def broken():
        yield claim()
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_table(broken(), path)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["the last run's"]


@pytest.mark.parametrize(("name", "why"), [("claims.doc", "names no format"), ("gone/claims.csv", "no such file")])
def test_table_that_cannot_be_written_is_refused(tmp_path, name, why):
    with pytest.raises(OutputError, match=why):
        write_table([claim()], tmp_path / name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_csv_keeps_any_text(tmp_path, text):
    path = tmp_path / "claims.csv"
    write_table([claim(claim=text)], path)
    assert next(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))["claim"] == guard(text)
    assert pd.read_csv(path, dtype=str, keep_default_na=False).map(unguard)["claim"][0] == text


def test_columns_are_the_rows_keys():
    assert tuple(flatten_claim(claim())) == COLUMNS


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_columns_of_the_input_are_carried_through(tmp_path, ending):
    path = tmp_path / f"claims.{ending}"
    write_table([claim(src={"beat": "roads"}), claim(src={"=risky": "=1"}), claim()], path, src=["beat", "=risky"])
    if ending == "csv":
        rows = [{name: unguard(text) for name, text in row.items()} for row in csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))]
    elif ending == "jsonl":
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    elif ending == "parquet":
        rows = pyarrow.parquet.read_table(path).to_pylist()
    else:
        header, *body = openpyxl.load_workbook(path)["Claims"].iter_rows(values_only=True)
        rows = [dict(zip(header, row)) for row in body]
    assert [row.get("src_beat") or "" for row in rows] == ["roads", "", ""]
    assert [row.get("src_=risky") or "" for row in rows] == ["", "=1", ""]


def test_claim_comes_back_from_its_line():
    original = claim(src={"beat": "roads"}, parent_id="c_0", negated=False)
    assert claim_from_json(json_of_claim(original)) == original


def text_row(row: dict) -> dict:
    return {name: "" if value is None else str(value) for name, value in row.items()}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_every_format_is_read_back_as_the_same_rows(tmp_path, ending):
    claims = [claim(claim_id=f"c_{i}", claim=text, speaker=text, negated=bool(i % 2), confidence=i / 7) for i, text in enumerate(NASTY)]
    write_table(claims, tmp_path / f"t.{ending}")
    rows = list(read_rows(tmp_path / f"t.{ending}"))
    assert [float(row.pop("confidence")) for row in rows] == pytest.approx([c.confidence for c in claims])  # a sheet keeps 16 digits
    assert rows == [{name: text for name, text in text_row(flatten_claim(c)).items() if name != "confidence"} for c in claims]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_text_is_read_back(tmp_path, text):
    for ending in ("csv", "jsonl"):
        write_table([claim(claim=text)], tmp_path / f"t.{ending}")
        assert [row["claim"] for row in read_rows(tmp_path / f"t.{ending}")] == [text]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_that_a_spreadsheet_saved_otherwise_is_read(tmp_path, separator):
    """Other separators, other order, a column of the reader's own, some of ours gone, empty rows at the end."""
    text = "\r\n".join(separator.join(cells) for cells in [("mine", "speaker", "claim_id"), ("x", '"Ada; Ben, Cid"', "c_1"), ("", "", ""), ()])
    (tmp_path / "t.csv").write_bytes(text.encode("utf-8"))
    assert list(read_rows(tmp_path / "t.csv")) == [dict.fromkeys(COLUMNS, "") | {"speaker": "Ada; Ben, Cid", "claim_id": "c_1"}]


def test_sheet_that_a_person_edited_is_read(tmp_path):
    """Numbers and dates in cells, short and empty rows, another sheet's name."""
    book = openpyxl.Workbook()
    book.active.append(["claim_id", "claim", "published", "confidence", "negated", "note"])
    book.active.append(["c_1", 12, pd.Timestamp("2026-11-18").to_pydatetime(), 0.5, True])
    book.active.append([])
    book.active.append(["c_2", "=1+1"])
    book.save(tmp_path / "t.xlsx")
    rows = list(read_rows(tmp_path / "t.xlsx"))
    assert [[row[c] for c in ("claim_id", "claim", "published", "confidence", "negated", "note")] for row in rows] == [["c_1", "12", "2026-11-18 00:00:00", "0.5", "True", ""], ["c_2", "", "", "", "", ""]]


def test_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("accordingto.row.XLSX_BYTES", 1_000)
    write_table([claim()], tmp_path / "t.xlsx")
    with pytest.raises(TableError, match="it unpacks to more than"):
        list(read_rows(tmp_path / "t.xlsx"))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_table_cut_anywhere_is_refused_or_shorter(tmp_path, ending):
    """A half-copied file never gives a row that was not there; CSV and JSON lines cut at the end of a line are whole tables."""
    claims = [claim(claim_id=f"c_{i}", claim=text) for i, text in enumerate(NASTY[:6])]
    write_table(claims, tmp_path / f"t.{ending}")
    whole, data = list(read_rows(tmp_path / f"t.{ending}")), (tmp_path / f"t.{ending}").read_bytes()
    refused = 0
    for size in range(0, len(data), max(1, len(data) // 150)):
        (tmp_path / f"t.{ending}").write_bytes(data[:size])
        try:
            assert (rows := list(read_rows(tmp_path / f"t.{ending}"))) == whole[: len(rows)]
        except TableError:
            refused += 1
    assert refused > 50


def test_what_a_killed_process_left_half_written_is_swept_and_a_living_ones_is_not(tmp_path):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    dead, alive, other = (tmp_path / name for name in (f".claims.csv.{done.stdout.strip()}.x.partial", f".claims.csv.{os.getpid()}.x.partial", ".notes.csv.1.x.partial"))
    for path in (dead, alive, other):
        path.write_bytes(b"half")
    write_table([claim()], tmp_path / "claims.csv")
    assert [path.exists() for path in (dead, alive, other)] == [False, True, True]
