from itertools import pairwise, product

import numpy as np
import pytest

from accordingto.decoding import IMPOSSIBLE, ROLE_TAGS, best_tags, find_cues, forbid_across_lines, parts_from_tags, softmax


def test_tags_are_those_of_the_network():
    network = pytest.importorskip("accordingto.training.network", reason="torch is not installed")
    assert network.ROLE_TAGS == ROLE_TAGS


def scores_of(tags: str, count: int = 3) -> np.ndarray:
    """Return scores that favour tags given as digits."""
    out = np.zeros((len(tags), count), np.float32)
    out[np.arange(len(tags)), [int(t) for t in tags]] = 4
    return out


@pytest.mark.parametrize(
    ("tags", "lines", "cues"),
    [
        ("0120", "1000", [(1, 3)]),
        ("011", "100", [(1, 2), (2, 3)]),
        ("022", "100", [(1, 3)]),  # an inside without beginning is a cue all the same
        ("122", "101", [(0, 2), (2, 3)]),  # a cue ends with its paragraph
        ("000", "100", []),
        ("", "", []),
    ],
)
def test_cues_are_found_by_their_tags(tags, lines, cues):
    found = find_cues(scores_of(tags), np.array([int(x) for x in lines]), threshold=0.5)
    assert [(start, end) for start, end, _ in found] == cues


def test_cue_threshold_decides():
    scores = np.array([[1.0, 0.0, -3.0]])
    chance = float(1 - softmax(scores)[0, 0])
    assert find_cues(scores, np.ones(1), threshold=chance - 0.01)
    assert not find_cues(scores, np.ones(1), threshold=chance + 0.01)


def allowed() -> np.ndarray:
    return np.array([[IMPOSSIBLE if b.startswith("I-") and a[2:] != b[2:] else 0.0 for b in ROLE_TAGS] for a in ROLE_TAGS])


def test_best_tags_are_the_best_of_all_sequences():
    rng = np.random.default_rng(0)
    scores, transitions = rng.normal(size=(4, 5, 5)), allowed() + rng.normal(size=(5, 5))
    lengths = np.array([5, 4, 3, 1])
    found = best_tags(scores, lengths, transitions)
    for row, length in enumerate(lengths):
        sequences = [s for s in product(range(5), repeat=int(length)) if not ROLE_TAGS[s[0]].startswith("I-")]
        total = [sum(scores[row, i, t] for i, t in enumerate(s)) + sum(transitions[a, b] for a, b in pairwise(s)) for s in sequences]
        assert tuple(found[row, :length]) == sequences[int(np.argmax(total))]
        assert not found[row, length:].any()


def test_stretch_never_runs_over_a_line_break():
    scores = scores_of("122344", 5)[None]
    tags = best_tags(forbid_across_lines(scores, np.array([1, 0, 1, 0, 0, 1])), np.array([6]), allowed())[0]
    assert not {ROLE_TAGS[tags[2]], ROLE_TAGS[tags[5]]} & {"I-source", "I-content"}
    assert tags[[0, 1, 3, 4]].tolist() == [1, 2, 3, 4]


def test_parts_keep_one_source_and_leave_the_cue_out():
    scores = scores_of("1033441", 5)
    scores[6] /= 2  # the less likely source
    parts = parts_from_tags(scores.argmax(1), softmax(scores), (4, 5))
    assert parts.source == ((0, 1),)
    assert parts.content == ((2, 3), (3, 4), (5, 6))


def test_no_parts_where_all_is_outside():
    parts = parts_from_tags(np.zeros(3, int), softmax(scores_of("000", 5)), (1, 2))
    assert (parts.source, parts.content, parts.source_score) == ((), (), 1.0)
