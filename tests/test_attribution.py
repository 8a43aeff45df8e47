import json

import pytest

from accordingto.attribution import Attributions, Reading, confidence_features, find_parents, join_cues
from accordingto.decoding import Parts
from accordingto.errors import ModelError


def reading(cue: tuple[int, int], *content: tuple[int, int]) -> Reading:
    return Reading(cue, 0.9, Parts((), content, 1.0, 0.8, 0.5))


@pytest.mark.parametrize(
    ("readings", "parents"),
    [
        ([reading((1, 2), (2, 9)), reading((4, 5), (5, 9))], [None, 0]),
        ([reading((1, 2), (2, 9)), reading((3, 4), (4, 9)), reading((5, 6), (6, 9))], [None, 0, 1]),  # the smallest that holds it
        ([reading((1, 2), (2, 4)), reading((3, 5), (5, 9))], [None, None]),  # half a cue is not held
        ([reading((1, 2), (2, 9)), reading((4, 5), (0, 4))], [None, 0]),  # each holds the other: the larger is the parent
        ([reading((4, 5), (0, 4), (6, 9)), reading((7, 8), (8, 9))], [None, 0]),  # in the second of two stretches
        ([], []),
    ],
)
def test_parent_is_the_smallest_content_that_holds_the_cue(readings, parents):
    assert find_parents(readings) == parents


@pytest.mark.parametrize(
    ("readings", "cues"),
    [
        ([reading((4, 5), (0, 3)), reading((5, 6), (0, 3))], [(4, 6)]),
        ([reading((4, 5), (0, 3)), reading((5, 6), (7, 9))], [(4, 5), (5, 6)]),  # other content
        ([reading((4, 5), (0, 3)), reading((6, 7), (0, 3))], [(4, 5), (6, 7)]),  # a word between
        ([], []),
    ],
)
def test_cues_side_by_side_with_the_same_content_are_one(readings, cues):
    assert [r.cue for r in join_cues(readings)] == cues


def test_confidence_features_are_finite_where_probabilities_are_one_or_zero():
    sure = Reading((0, 1), 1.0, Parts((), ((1, 2),), 1.0, 1.0, 0.0))
    assert all(abs(value) < 10 for value in confidence_features(sure))


def test_damaged_settings_are_named(nlp, tmp_path):
    component = nlp.get_pipe("attributions")
    component.to_disk(tmp_path)
    settings = tmp_path / "decoding.json"
    rows = json.loads(settings.read_text())
    assert Attributions().from_disk(tmp_path).settings == component.settings
    for damaged in ("{", json.dumps({"steady": {"cue_threshold": 0.5}}), json.dumps([rows])):
        settings.write_text(damaged)
        with pytest.raises(ModelError, match=r"decoding\.json"):
            Attributions().from_disk(tmp_path)


def test_component_without_weights_says_so(doc_of):
    with pytest.raises(ModelError, match="no weights"):
        Attributions()._loaded()
