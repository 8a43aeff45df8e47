import pandas as pd
import pytest

from accordingto.errors import OutputError
from accordingto.roster import roster_of
from accordingto.schema import SpanText
from accordingto.table import write_roster
from test_table import claim


def said(speaker, source, **facts):
    return claim(speaker=speaker, source=SpanText(source, ((0, len(source)),)), **facts)


def test_one_row_a_speaker_with_all_spellings_the_most_frequent_first():
    claims = [
        said("Ann Lee", "Mayor Ann Lee", speaker_role="Mayor", source_kind="person"), said("Ann Lee", "she", source_kind="person", parent_id="c_0"),
        said("Ann Lee", "she", source_kind="person"), said("officials", "Officials", source_kind="group"), claim(speaker=None),
    ]  # fmt: skip
    ann, officials = roster_of(claims)
    assert (ann.speaker, ann.source_kind, ann.speaker_role, ann.claims, ann.nested_claims, ann.spellings) == ("Ann Lee", "person", "Mayor", 3, 1, "she; Mayor Ann Lee")
    assert (officials.speaker, officials.claims, officials.speaker_role) == ("officials", 1, None)


def test_no_claims_give_no_speakers():
    assert roster_of([]) == []


def test_roster_is_a_table(tmp_path):
    path = tmp_path / "speakers.csv"
    assert write_roster(roster_of([said("Ann, “Lee”", "Lee")]), path) == 1
    assert pd.read_csv(path).loc[0, "speaker"] == "Ann, “Lee”"


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"ends in \.csv"):
        write_roster([], tmp_path / "speakers.pdf")
