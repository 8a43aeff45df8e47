import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordingto.guard import guard, unguard
from accordingto.roster import roster_of
from accordingto.row import read_rows
from accordingto.schema import SpanText
from accordingto.table import write_roster, write_table
from test_table import claim

RISKY = ["=1+1", "+1", "-5 degrees", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0", "|cmd", "%0A", "＝1", "＋1", "－1", "＠x", "  =1", " \t1", "'=1", "''", "'twas", "\u00a0=1"]
SAFE = ["", "he said", "a=b", "“- no”", "1-2", " lead", "0 5;16 23"]


@given(st.text(st.one_of(st.sampled_from("=+-@\t\r\n\0'|% ＝a"), st.characters())))
def test_every_text_comes_back(text):
    assert unguard(guard(text)) == text


@given(st.text(st.sampled_from("=' \ta")), st.text(st.sampled_from("=' \ta")))
def test_two_texts_never_look_alike(one, other):
    assert (guard(one) == guard(other)) == (one == other)


@pytest.mark.parametrize("text", RISKY)
def test_formulas_are_marked(text):
    assert guard(text) == "'" + text


@pytest.mark.parametrize("text", SAFE)
def test_other_texts_stay_as_they_are(text):
    assert guard(text) == unguard(text) == text


@pytest.mark.parametrize("text", [t for t in RISKY if t != "\0"])
def test_csv_holds_no_formula_and_is_read_back_without_the_marks(tmp_path, text):
    made = claim(claim=text, speaker=text, source=SpanText(text, ((0, 2),)), title=text, src={"=beat": text})
    write_table([made], tmp_path / "t.csv", src=["=beat"])
    (row,) = csv.DictReader(io.StringIO((tmp_path / "t.csv").read_bytes().decode("utf-8-sig"), newline=""))
    assert [row[c] for c in ("claim", "speaker", "source", "title", "src_=beat")] == ["'" + text] * 5
    assert (row["confidence"], row["content_spans"]) == ("0.5", "8 10;11 16")
    (back,) = read_rows(tmp_path / "t.csv")
    assert [back[c] for c in ("claim", "speaker", "source", "title")] == [text] * 4


def test_table_of_speakers_holds_no_formula(tmp_path):
    write_roster(roster_of([claim(speaker="=1+1", title="@x", source=SpanText("-he", ((0, 3),)))]), tmp_path / "s.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "s.csv").read_bytes().decode("utf-8-sig"), newline=""))
    assert (row["speaker"], row["title"], row["spellings"], row["claims"]) == ("'=1+1", "'@x", "'-he", "1")
