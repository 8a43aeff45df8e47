"""Whom an added claim is proposed to be by."""

import pytest
from made import words

from accordingto.review.proposal import proposed_speaker

TEXT = "The mayor said it rained. He added it was late. The mayor's \n office agreed. Again the  mayor spoke."


def span(part: str, nth: int = 0) -> list[tuple[int, int]]:
    at = -1
    for _ in range(nth + 1):
        at = TEXT.index(part, at + 1)
    return [(at, at + len(part))]


@pytest.mark.parametrize(("source", "expected"), [("the  mayor", "Ann Lee"), ("He", "Ann Lee"), ("The mayor's \n office", "The mayor's office"), ("Again", "Again")])
def test_speaker_is_that_of_the_same_words_else_the_words(source, expected):
    others = [words(TEXT, "The mayor", "said", "it rained", speaker="Ann Lee"), words(TEXT, "He", "added", "it was late", speaker="Ann Lee")]
    assert proposed_speaker(TEXT, span(source), others) == expected


def test_pronoun_of_nobody_known_and_no_source_propose_nothing():
    assert proposed_speaker(TEXT, span("He"), []) == ""
    assert proposed_speaker(TEXT, [], [words(TEXT, "", "said", "it rained", speaker="Ann Lee")]) == ""


def test_nearest_of_several_speakers_with_the_same_words_is_proposed():
    here = words(TEXT, "He", "added", "it was late", speaker="Bo")
    there = words(TEXT, "The mayor", "said", "it rained", speaker="Ann Lee")
    assert proposed_speaker(TEXT, span("the  mayor"), [there, words(TEXT, "the  mayor", "spoke", "Again", speaker="Cy"), here]) == "Cy"
