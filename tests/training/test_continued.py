"""A model that goes on learning from a review: with the shipped weights, on articles written for this project."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("onnx", reason="the extra `train` is not installed")

from accordingto.errors import OutputError, TrainingError  # noqa: E402
from accordingto.evaluation import read_articles_of, read_gold  # noqa: E402
from accordingto.export.gold import in_share  # noqa: E402
from accordingto.folder import digest_of_model  # noqa: E402
from accordingto.pipeline import model_folder  # noqa: E402
from accordingto.training import continued  # noqa: E402
from accordingto.training.continued import Continued, ContinueOptions, continue_training  # noqa: E402
from accordingto.training.corpus import IGNORE  # noqa: E402
from accordingto.training.lesson import digest_of_text, read_lessons  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of itself
ROOT = Path(__file__).parents[2]
GOLD = read_gold(ROOT / "tests" / "data" / "written_dev.jsonl.gz")


def written(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_lessons_are_learned_once_and_none_is_both_learned_and_measured(tmp_path):
    one, two = written(tmp_path / "a.jsonl", GOLD[:8]), written(tmp_path / "b.jsonl", GOLD[6:])
    lessons = read_lessons([one, two])
    learn, out = ({digest_of_text(row) for row in rows} for rows in (lessons.learn, lessons.held_out))
    assert len(learn) + len(out) == len(lessons.learn) + len(lessons.held_out) == 12
    assert not learn & out
    assert out == {digest_of_text(row) for row in GOLD if in_share(digest_of_text(row), 0.2)}
    assert [note.endswith("was reviewed in an earlier one too, which counts") for note in lessons.notes] == [True, True]
    assert len({row["id"] for row in lessons.learn}) == len(lessons.learn)


def test_of_four_articles_one_is_kept_out_of_three_none(tmp_path):
    inside = [row for row in GOLD if not in_share(digest_of_text(row), 0.2)]
    assert [len(read_lessons([written(tmp_path / "x.jsonl", inside[:count])]).held_out) for count in (3, 4)] == [0, 1]


def test_claim_that_nobody_settled_is_no_example_of_anything(tmp_path):
    import spacy

    from accordingto.training.corpus import SilverLabels, make_example
    from accordingto.window import WordCache, words_from_doc

    class Letters:
        def encode(self, sequence, *, add_special_tokens):
            return type("Encoding", (), {"ids": [103 + ord(c) % 90 for c in sequence]})()

    row = {"id": "a", "text": "He said it rained, she added.", "attributions": [], "nested_labelled": True, "undecided": [{"source": [], "cue": [[23, 28]], "content": [[0, 17]]}]}
    example = make_example(row, words_from_doc(spacy.blank("en").make_doc(row["text"]), WordCache(Letters())), 1, None, SilverLabels(tags=["NN", "VB"]))
    assert example.cue_tags.tolist() == [0, 0, 0, 0, 0, 0, IGNORE, 0]


@pytest.mark.parametrize(
    ("after", "worse"),
    [({"cue_f1": 88.1}, []), ({"cue_f1": 88.0}, ["cue_f1 on dev fell from 90.0 to 88.0"]), ({"stance_accuracy": 40.0, "cue_f1": 99.0}, ["stance_accuracy on dev fell from 60.0 to 40.0"]), ({"source_exact_f1": 0.0}, [])],
)
def test_worse_is_what_rounding_does_not_explain(tmp_path, after, worse):
    before = {"gold": 200.0, "cue_f1": 90.0, "stance_accuracy": 60.0, "source_exact_f1": 80.0}
    assert Continued(tmp_path, 1, 1, 0, {"dev": before}, {"dev": before | after}).worse == worse


def test_training_goes_on_and_leaves_a_pipeline_that_says_what_it_learned(tmp_path):
    shipped = digest_of_model(None)
    reviewed, dev = written(tmp_path / "reviewed.jsonl", GOLD[:5]), written(tmp_path / "dev.jsonl", GOLD[5:7])
    command = ["train", "--reviewed", reviewed, "--dev", dev, "--work", tmp_path / "work", "-o", tmp_path / "new", "--epochs", "1", "--threads", "2", "--even-if-worse"]
    done = subprocess.run([sys.executable, "-m", "accordingto", *map(str, command)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "no corpora are given: nothing holds what was learned before" in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith(("before, ", "after, "))]
    assert [line.split(":")[0] for line in told] == [f"{when}, {name}" for when in ("before", "after") for name in ("reviewed articles kept out (1 articles)", "dev.jsonl (2 articles)")]
    meta = json.loads((tmp_path / "new" / "meta.json").read_text())
    (facts,) = meta["accordingto"]["reviewed"]
    assert (facts["articles"], facts["held_out"], facts["rehearsed"]) == (4, 1, 0)
    assert meta["version"].startswith("0.1.0+reviewed.")
    assert digest_of_model(tmp_path / "new") != shipped == digest_of_model(None)
    assert not (tmp_path / "work" / "pipeline").exists()
    rows = read_articles_of(GOLD[5:6], model=tmp_path / "new", guideline=None, threads=1)
    assert rows
    assert {row["model"] for row in rows} == {f"en_accordingto {meta['version']}"}
    assert "| dev.jsonl | " in (tmp_path / "new" / "README.md").read_text()


def test_a_model_that_became_worse_is_not_written(tmp_path, monkeypatch):
    """It learns that nobody says anything, at rates that break it, and is measured by what it said before."""
    monkeypatch.setattr(continued, "CONTINUING", replace(continued.CONTINUING, encoder_rate=1e-3, head_rate=1e-2))
    reviewed = written(tmp_path / "reviewed.jsonl", [row | {"attributions": []} for row in GOLD[:4]])
    own = read_articles_of(GOLD[5:6], model=None, guideline=None, threads=2)
    rows = [row | {"attributions": [{part: c[part]["spans"] for part in ("source", "cue", "content")} | {"parent": None} for c in own if c["article_id"] == row["id"] and not c["parent_id"]]} for row in GOLD[5:6]]
    dev = written(tmp_path / "dev.jsonl", [row | {"nested_labelled": False} for row in rows])
    said: list[str] = []
    options = ContinueOptions(dev=dev, epochs=1, threads=2)
    with pytest.raises(TrainingError, match=r"the model became worse, so it was not written: cue_f1 on dev\.jsonl fell from 100\.0 to"):
        continue_training([reviewed], work=tmp_path / "work", output=tmp_path / "new", options=options, say=said.append)
    assert not (tmp_path / "new").exists()
    before = len(said)
    done = continue_training([reviewed], work=tmp_path / "work", output=tmp_path / "new", options=ContinueOptions(dev=dev, epochs=1, threads=2, even_if_worse=True), say=said.append)
    assert done.worse
    assert (tmp_path / "new" / "meta.json").is_file()
    assert [line for line in said[before:] if line.startswith("step ")] == []  # the finished training is taken up, not done again


def test_output_never_replaces_anything(tmp_path):
    reviewed = written(tmp_path / "x.jsonl", GOLD[:2])
    for place in (model_folder(), tmp_path):
        with pytest.raises(OutputError, match="there is something in its place"):
            continue_training([reviewed], work=tmp_path / "work", output=place, options=ContinueOptions(), say=print)


def test_nothing_to_measure_with_is_refused(tmp_path):
    inside = [row for row in GOLD if not in_share(digest_of_text(row), 0.2)]
    with pytest.raises(TrainingError, match="of 2 reviewed articles none can be kept out to measure with"):
        continue_training([written(tmp_path / "x.jsonl", inside[:2])], work=tmp_path / "work", output=tmp_path / "new", options=ContinueOptions(), say=print)


def test_corpora_that_are_not_there_are_named(tmp_path):
    with pytest.raises(TrainingError, match="lacks polnear_train"):
        continue_training([written(tmp_path / "x.jsonl", GOLD)], work=tmp_path / "work", output=tmp_path / "new", options=ContinueOptions(data=tmp_path), say=print)


def test_share_that_is_kept_out_is_the_same_for_ever():
    """Who kept articles out last year keeps the same ones out today."""
    digests = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(12)]
    assert [i for i, digest in enumerate(digests) if in_share(digest, 0.2)] == [6, 7, 11]
    assert [i for i, digest in enumerate(digests) if in_share(digest, 0.5)] == [0, 2, 5, 6, 7, 8, 11]
