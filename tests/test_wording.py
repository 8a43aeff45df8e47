import numpy as np
import pytest

from accordingto.wording import ALWAYS, NOTHING, ROWS, marks_of_claim, pad_marks

WORDS = ["officials", "have", "not", "said", "that", "the", "dam", "may", "break", "."]


def marks(cue=(1, 4), content=range(4, 9), *, stated=True, nested=False):
    return marks_of_claim(WORDS, cue, np.array(list(content), np.int64), stated=stated, nested=nested)


def test_each_word_counts_once_and_the_constant_comes_first():
    found = marks().tolist()
    assert found[0] == ALWAYS
    assert len(set(found)) == len(found)
    assert NOTHING not in found
    assert max(found) < ROWS


@pytest.mark.parametrize("other", [{"cue": (2, 4)}, {"content": range(4, 7)}, {"stated": False}, {"nested": True}, {"content": ()}])
def test_another_cue_content_source_or_place_gives_other_marks(other):
    assert marks().tolist() != marks(**other).tolist()


def test_the_same_word_in_cue_and_content_is_two_things():
    assert not set(marks(cue=(7, 8), content=())[1:].tolist()) & set(marks(cue=(1, 2), content=(7,))[1:].tolist()) - set(marks(cue=(1, 2), content=())[1:].tolist())


def test_a_colon_is_a_cue_too():
    assert len(marks_of_claim(["anna", ":", "no"], (1, 2), np.array([2]), stated=True, nested=False)) > 3


def test_padding_means_nothing():
    padded = pad_marks([np.array([1, 5, 7]), np.array([1])])
    assert padded.tolist() == [[1, 5, 7], [1, NOTHING, NOTHING]]
    assert pad_marks([]).shape == (0, 0)
