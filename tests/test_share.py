import pytest

from accordingto.share import find_whole, is_share

TAGS = {"likely": "JJ", "voters": "NNS", "those": "DT", "polled": "VBD", "the": "DT", "public": "NN", "percent": "NN", "%": "NN", "of": "IN"}


@pytest.mark.parametrize(
    ("text", "share", "whole"),
    [
        ("46 percent of likely voters back her , 44 percent him", (8, 10), "likely voters"),
        ("44 percent back him , 46 percent of likely voters her", (0, 2), "likely voters"),
        ("12 % of the public and 9 percent of those polled agree , 3 % do not", (13, 15), "those polled"),
        ("two - thirds back him", (0, 3), None),
    ],
)
def test_a_bare_share_is_of_what_the_last_full_one_is_of_else_the_next(text, share, whole):
    words = text.split()
    assert is_share(words, share)
    found = find_whole(words, [TAGS.get(w, "CD" if w.isdigit() else "VB") for w in words], share)
    assert (found and " ".join(words[slice(*found)])) == whole


@pytest.mark.parametrize(("text", "words"), [("46 percent of likely voters", (0, 2)), ("46 percent of likely voters", (0, 5)), ("officials", (0, 1))])
def test_what_says_of_whom_it_is_and_what_is_no_share_stay(text, words):
    assert not is_share(text.split(), words)
