import numpy as np

from accordingto.evaluation import LABELS as SCORED
from accordingto.label import AROUND, LABELS, MAX_WORDS, PARTS, claim_words, pad_claims


def parts_of(parts: np.ndarray) -> list[str]:
    return [PARTS[part] for part in parts]


def test_words_of_a_claim_have_parts_and_distances():
    places, parts, offsets = claim_words((2, 3), np.array([0, 1]), np.array([4, 5]), 6)
    assert places.tolist() == [0, 1, 2, 3, 4, 5]
    assert parts_of(parts) == ["source", "source", "cue", "around", "content", "content"]
    assert offsets.tolist() == [-2, -1, 0, 1, 2, 3]


def test_far_content_is_read_and_what_lies_between_is_not():
    places, _, _ = claim_words((0, 1), np.array([], int), np.array([50]), 60)
    assert places.tolist() == [*range(AROUND + 1), 50]


def test_of_a_long_claim_the_nearest_words_are_read():
    places, _, _ = claim_words((400, 401), np.array([], int), np.arange(500), 500)
    assert (len(places), places[0]) == (MAX_WORDS, 400 - MAX_WORDS // 2)


def test_claims_of_different_length_become_one_array():
    places, parts, offsets = pad_claims([claim_words((0, 1), np.array([], int), np.array([1]), 2), claim_words((0, 1), np.array([], int), np.array([], int), 1)])
    assert (places.shape, parts.tolist(), offsets.tolist()) == ((2, 2), [[2, 3], [2, -1]], [[0, 1], [0, 0]])
    assert [array.shape for array in pad_claims([])] == [(0, 0)] * 3


def test_fields_are_those_that_are_scored():
    assert set(LABELS) == set(SCORED)
