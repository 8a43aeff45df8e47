import gzip
import json
from pathlib import Path

import pytest

from accordingto.errors import FloorError, GoldError
from accordingto.evaluation import calibration_error, check_floors, format_figures, judge, read_gold, same_speaker, score

DATA = Path(__file__).parent / "data"


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in gzip.open(DATA / name, "rt", encoding="utf-8")]


def test_figures_agree_with_the_reference_scorer_to_the_decimal():
    """predicted_figures.json is what the project's reference scorer prints for these two files."""
    expected = json.loads((DATA / "predicted_figures.json").read_text())
    found = score(read_gold(DATA / "written_dev.jsonl.gz"), read("predicted.jsonl.gz"))
    assert found == expected
    assert len(found) > 30


def test_gold_scores_itself_in_full():
    gold = read_gold(DATA / "written_dev.jsonl.gz")
    rows = [{**a, "article_id": g["id"], "parent_id": None if a["parent"] is None else str(a["parent"]), **{r: {"spans": a[r]} for r in ("source", "cue", "content")}} for g in gold for a in g["attributions"]]
    figures = score(gold, rows)
    assert {figures[k] for k in ("cue_f1", "source_exact_f1", "content_exact_f1", "relation_f1", "nested_relation_f1", "stance_macro_f1", "speaker_accuracy")} == {100.0}


TEXT = "He said, “it rains and pours.” She agreed."


def row(cue, content, source=((0, 2),), **more):
    return {"article_id": "a", "parent_id": None, "confidence": 0.9, "source": {"spans": source}, "cue": {"spans": [cue]}, "content": {"spans": [content]}, **more}


GOLD = [{"id": "a", "text": TEXT, "attributions": [{"source": [[0, 2]], "cue": [[3, 7]], "content": [[9, 30]], "parent": None}]}]


@pytest.mark.parametrize(
    ("rows", "figures"),
    [
        ([row((3, 7), (10, 28))], {"cue_f1": 100.0, "content_exact_f1": 100.0, "relation_f1": 100.0}),  # marks do not count
        ([row((3, 7), (10, 18))], {"cue_f1": 100.0, "content_exact_f1": 0.0, "content_overlap_f1": 100.0, "relation_f1": 0.0}),
        ([row((35, 41), (9, 30))], {"cue_f1": 0.0, "content_exact_f1": 0.0, "content_flat_f1": 100.0}),
        ([row((3, 7), (9, 30)), row((3, 7), (9, 30))], {"cue_precision": 50.0, "cue_recall": 100.0}),  # each gold at most once
        ([], {"cue_f1": 0.0, "cue_precision": 0.0, "relation_f1": 0.0}),
    ],
)
def test_figures_of_small_cases(rows, figures):
    found = score(GOLD, rows)
    assert {name: found[name] for name in figures} == figures


@pytest.mark.parametrize(("content", "right"), [((9, 30), True), ((10, 18), False), ((10, 22), True), ((35, 41), False)])
def test_right_is_a_matched_cue_and_half_of_the_content(content, right):
    assert judge(GOLD, [row((3, 7), content)]) == [(0.9, right)]


def test_calibration_error_is_the_mean_distance_of_the_bins():
    assert calibration_error([(0.95, True)] * 19 + [(0.95, False)]) == 0.0
    assert calibration_error([(0.75, True), (0.25, True)]) == 0.5
    assert calibration_error([(1.0, True), (0.0, False)]) == 0.0
    assert calibration_error([]) == 0.0


@pytest.mark.parametrize(
    ("predicted", "gold", "same"),
    [("Ted Cruz", "Cruz", True), ("Sen. Cruz", "Ted Cruz", True), ("Heidi Cruz", "Ted Cruz", False), (None, "Cruz", False), ("the FBI", "FBI", True)],
)
def test_same_speaker(predicted, gold, same):
    assert same_speaker(predicted, gold) is same


@pytest.mark.parametrize("content", [b"", b"{", b'{"id": "a"}\n', b"[]\n", b"\x80"])
def test_what_is_no_gold_is_refused(tmp_path, content):
    path = tmp_path / "gold.jsonl"
    path.write_bytes(content)
    with pytest.raises(GoldError, match=r"gold\.jsonl.*is no gold data"):
        read_gold(path)


def test_a_drop_below_a_floor_fails(tmp_path):
    gold = DATA / "written_dev.jsonl.gz"
    floors = DATA / "floors.json"
    pinned = json.loads(floors.read_text())["floors"]
    assert check_floors(gold, pinned, floors).startswith("floors held")
    name = next(iter(pinned))
    with pytest.raises(FloorError, match=rf"{name}: {pinned[name] - 0.1:.1f} \(floor {pinned[name]}\)"):
        check_floors(gold, pinned | {name: round(pinned[name] - 0.1, 1)}, floors)
    other = tmp_path / "other.jsonl"
    other.write_text("{}")
    with pytest.raises(GoldError, match="was pinned on"):
        check_floors(other, pinned, floors)


def test_human_figures_stand_beside_ours():
    assert "(people on PolNeAR 81.4)" in format_figures({"cue_f1": 80.0, "articles": 2})
