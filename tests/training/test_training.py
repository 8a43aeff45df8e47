"""Training in small: a network of toy size on articles written here."""

import gzip
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import spacy

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from accordingto.errors import TrainingError  # noqa: E402
from accordingto.graph import Graph  # noqa: E402
from accordingto.training.batch import collate, epoch_batches  # noqa: E402
from accordingto.training.corpus import ENTITIES, IGNORE, read_examples, read_ontogum, read_sentences  # noqa: E402
from accordingto.training.export import export_graphs  # noqa: E402
from accordingto.training.loss import label_weights  # noqa: E402
from accordingto.training.meaning import Network, StanceReader  # noqa: E402
from accordingto.training.network import DISTANCES, ROLE_TAGS, NetworkConfig, Reader, allowed_transitions, distance_bucket, sequence_loss  # noqa: E402
from accordingto.training.stage import AVERAGE, TrainingConfig  # noqa: E402
from accordingto.training.train import averaged, new_reader, rate_at, train, with_meanings  # noqa: E402
from accordingto.window import WordCache  # noqa: E402

SMALL = NetworkConfig(vocabulary=200, width=384, layers=1, heads=4, inner=32, role_width=16)  # the width is what `document.py` stores

TEXT = "Officials said the bridge was reportedly safe.\n\n“We hope so,” he said."
ARTICLE = {
    "id": "a",
    "text": TEXT,
    "attributions": [
        {"source": [[0, 9]], "cue": [[10, 14]], "content": [[15, 45]], "parent": None, "stance": "assert", "negated": False, "attitude_target": "the bridge", "speaker": "Officials"},
        {"source": [], "cue": [[30, 40]], "content": [[15, 29], [41, 45]], "parent": 0},
        {"source": [[62, 64]], "cue": [[65, 69]], "content": [[48, 61]], "parent": None},
    ],
}
SILVER = {
    "id": "a", "tokens": [[0, 9], [10, 14], [15, 18], [19, 25]], "sent_starts": [0], "pos": ["NNS", "VBD", "DT", "NN"],
    "ner": ["O", "O", "LOCATION", "LOCATION"], "heads": [1, 1, 3, 1], "deps": ["nsubj", "ROOT", "det", "ccomp"], "coref": [[[0, 1], [2, 4]]],
}  # fmt: skip


class Letters:
    def encode(self, sequence, *, add_special_tokens):
        return type("Encoding", (), {"ids": [103 + ord(c) % 90 for c in sequence]})()


@pytest.fixture
def corpora(tmp_path):
    for name in ("polnear", "clean", "written"):
        rows = [ARTICLE | {"nested_labelled": name == "clean"}]
        (tmp_path / f"{name}_train.jsonl.gz").write_bytes(gzip.compress(json.dumps(rows[0]).encode()))
    (tmp_path / "polnear_train_corenlp.jsonl.gz").write_bytes(gzip.compress(json.dumps(SILVER).encode()))
    return read_examples(tmp_path, "train", spacy.blank("en"), WordCache(Letters()))


def words_tagged(example, cue: int, role: str) -> str:
    words = example.words
    return " ".join(TEXT[words.start_char[i] : words.end_char[i]] for i, tag in enumerate(example.roles[cue]) if ROLE_TAGS[tag].endswith(role))


def test_corpus_becomes_words_with_tags(corpora):
    example = corpora["clean"][0]
    assert [words_tagged(example, 0, role) for role in ("source", "content")] == ["Officials", "the bridge was reportedly safe"]
    assert [words_tagged(example, 1, role) for role in ("source", "content")] == ["", "the bridge was safe"]
    assert [ROLE_TAGS[t] for t in example.roles[1][[2, 6]]] == ["B-content", "B-content"]
    assert words_tagged(example, 2, "content") == "“ We hope so , ”"
    assert example.cues.tolist() == [[1, 2], [5, 6], [15, 16]]
    assert example.cue_tags.tolist() == [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_what_a_corpus_does_not_mark_is_ignored_not_negative(corpora):
    tags = corpora["polnear"][0].cue_tags
    assert tags[[2, 3, 4, 6]].tolist() == [IGNORE] * 4  # nested cues may stand in content
    assert tags[[0, 1, 7]].tolist() == [0, 1, 0]
    silver = corpora["clean"][0]
    assert silver.sentence[:5].tolist() == [1, 0, 0, 0, IGNORE]
    assert [ENTITIES[i] for i in silver.entity[:4]] == ["O", "O", "B-LOCATION", "I-LOCATION"]
    assert silver.head[:5].tolist() == [1, 1, 3, 1, IGNORE]


ONTOGUM = """# newdoc id = GUM_x
# newpar
# sent_id = 1
1-2\tIt's\t_\t_\t_\t_\t_\t_\t_\t_
1\tIt\t_\t_\t_\t_\t2\t_\t_\t_
2\t's\t_\t_\t_\t_\t0\t_\t_\t_
3\tover\t_\t_\t_\t_\t2\t_\t_\tSpaceAfter=No
4\t.\t_\t_\t_\t_\t2\t_\t_\t_

# sent_id = 2
1\tGo\t_\t_\t_\t_\t0\t_\t_\t_

# newpar
# sent_id = 3
1\tNow\t_\t_\t_\t_\t0\t_\t_\t_
"""


def test_ontogum_gives_text_and_sentences(tmp_path):
    path = tmp_path / "gum.conllu.gz"
    path.write_bytes(gzip.compress(ONTOGUM.encode()))
    assert list(read_ontogum(path)) == [("GUM_x", "It's over. Go\n\nNow", {0, 11, 15})]
    example = read_sentences(path, spacy.blank("en"), WordCache(Letters()), held_out=False)[0]
    assert example.sentence.tolist() == [1, 0, 0, 0, 1, 1]
    assert read_sentences(path, spacy.blank("en"), WordCache(Letters()), held_out=True) == []


def test_sequence_loss_is_that_of_all_sequences_written_out():
    torch.manual_seed(0)
    scores, transitions = torch.randn(2, 4, 5), torch.randn(5, 5)
    tags, mask = torch.tensor([[1, 2, 0, 3], [0, 3, 4, 0]]), torch.tensor([[True] * 4, [True] * 3 + [False]])
    follow, begin = allowed_transitions()

    def total(row: int, sequence: tuple[int, ...]) -> float:
        out = begin[sequence[0]] + sum(scores[row, i, t] for i, t in enumerate(sequence))
        return float(out + sum(follow[a, b] + transitions[a, b] for a, b in itertools.pairwise(sequence)))

    for row, length in enumerate((4, 3)):
        every = torch.tensor([total(row, s) for s in itertools.product(range(5), repeat=length)])
        expected = float(torch.logsumexp(every, 0)) - total(row, tuple(tags[row, :length].tolist()))
        assert float(sequence_loss(scores, tags, mask, transitions)[row]) == pytest.approx(expected, abs=1e-3)


def test_distances_are_exact_near_and_coarse_far():
    found = distance_bucket(torch.tensor([0, 1, -1, 8, -8, 9, 40, 10_000, -10_000])) - DISTANCES
    assert found.tolist() == [0, 1, -1, 8, -8, 9, 12, 16, -16]


def test_learning_rate_rises_and_falls():
    rates = [rate_at(step, 100, 0.1) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10)
    assert rates[-1] == pytest.approx(1 / 90)


def test_batches_hold_every_window_and_are_the_same_for_the_same_seed(corpora):
    config = TrainingConfig("small", pieces_per_batch=120)
    one, same = (epoch_batches(corpora, config, 0) for _ in range(2))
    assert sum(w.end - w.start for batch in one for w in batch) == len(corpora["clean"][0].words) * (1 + 2 * config.steady_repeats)
    key = [[(w.start, w.end, w.example.guideline) for w in batch] for batch in one]
    assert key == [[(w.start, w.end, w.example.guideline) for w in batch] for batch in same]


def test_labels_and_links_come_with_the_corpus(corpora):
    example = corpora["clean"][0]
    assert example.labels.tolist() == [[0, 0, *[IGNORE] * 5], [IGNORE] * 7, [IGNORE] * 7]
    assert [aim.tolist() for aim in example.aims] == [[3], [], []]
    assert [(word, mates.tolist()) for word, mates in example.links if len(mates)] == [(0, [3]), (3, [0])]  # heads: Officials, bridge


@pytest.mark.parametrize("meanings", [False, True])
def test_training_learns_and_a_killed_one_ends_as_if_it_had_not_been(corpora, tmp_path, meanings):
    config = TrainingConfig("small", epochs=6, pieces_per_batch=200, encoder_rate=1e-3, head_rate=3e-3, label_weight=0.5, link_weight=0.1)
    losses: list[float] = []

    def network():
        reader = new_reader(None, 1, SMALL)
        return with_meanings(reader, 2) if meanings else Network(reader)

    whole = train(network(), corpora, tmp_path / "whole", config, report=lambda row: losses.append(sum(row.get(name, 0) for name in ("role", "cue", "labels", "links"))))
    assert losses[-1] < losses[0] / 2

    class Killed(Exception):
        pass

    def kill(row):
        if row["step"] == len(losses) // 2:
            raise Killed

    with pytest.raises(Killed):
        train(network(), corpora, tmp_path / "killed", config, report=kill)
    resumed = train(network(), corpora, tmp_path / "killed", config, report=lambda row: None)
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True))
    with pytest.raises(TrainingError, match="other settings"):
        train(network(), corpora, tmp_path / "killed", replace(config, epochs=7), report=lambda row: None)
    (tmp_path / "killed" / "small.pt").write_bytes(b"PK")
    with pytest.raises(TrainingError, match=r"small\.pt is damaged"):
        train(network(), corpora, tmp_path / "killed", config, report=lambda row: None)


def test_average_of_stages_weighs_each_and_skips_what_a_stage_lacks():
    first, second = Network(new_reader(None, 1, SMALL)), with_meanings(new_reader(None, 2, SMALL), 3)
    mixed = averaged({"reading": first, "labelling": second}).state_dict()
    share = AVERAGE["reading"] / (AVERAGE["reading"] + AVERAGE["labelling"])
    key = "reader.cue.0.weight"
    assert torch.allclose(mixed[key], share * first.state_dict()[key] + (1 - share) * second.state_dict()[key], atol=1e-6)
    assert torch.equal(mixed["links.mention.weight"], second.state_dict()["links.mention.weight"])


def test_rare_labels_count_more_and_the_average_claim_counts_one():
    stances = np.array([[0, *[IGNORE] * 6]] * 8 + [[1, *[IGNORE] * 6]] * 2)
    weights = label_weights(stances, 0.5)[0]
    assert float(weights[1] / weights[0]) == pytest.approx(2)


def test_the_reason_of_a_label_is_one_of_the_claims_words(corpora):
    torch.manual_seed(0)
    network = with_meanings(new_reader(None, 1, SMALL), 2)
    reader = StanceReader(network.labels).eval()
    torch.nn.init.normal_(reader.reason.weight)
    parts = torch.tensor([[1, 2, 3, -1], [2, 3, 3, 3]])
    with torch.no_grad():
        scores, aim, reasons = reader(torch.randn(5, 384), torch.tensor([[0, 1, 2, 0], [1, 2, 3, 4]]), parts, torch.tensor([[-1, 0, 1, 0], [0, 1, 2, 3]]))
    assert (scores.shape, aim.shape, reasons.shape) == ((2, 34), (2, 4), (2, 4, 34))
    assert int(reasons[0].argmax(0).max()) <= 2
    assert float(aim[0, 3]) < -1e3


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of itself
def test_exported_graphs_say_what_the_network_says(corpora, tmp_path):
    pytest.importorskip("onnx", reason="the extra `train` is not installed")
    reader = Reader(SMALL).eval()
    export_graphs(reader, tmp_path, quantize=False)
    batch = collate(epoch_batches({"clean": corpora["clean"]}, TrainingConfig("small"), 0)[0][:1], np.random.default_rng(0), 0.0)
    inputs = {name: batch[name] for name in ("pieces", "shape", "gap", "quoted", "first_piece", "guideline")}
    with torch.no_grad():
        words = reader.encode(**inputs)
        sentence, cue, entity = reader.read_words(words)
        roles = reader.read_roles(words, cue, sentence, batch["lines"], batch["window"], batch["cues"])
    encoded = Graph(tmp_path / "encoder.onnx")({name: value.numpy() for name, value in inputs.items()})[0]
    expected = torch.cat([words, sentence.unsqueeze(-1), cue, entity], -1).numpy()
    assert np.allclose(encoded[..., :-1], expected, atol=0.05)  # the wordpieces' vectors are in int8
    assert (encoded[..., -1] == reader.tag(words).argmax(-1).numpy()).mean() > 0.8
    role_inputs = {"words": words, "cue_scores": cue, "sentence_scores": sentence, "lines": batch["lines"].float(), "cues": batch["cues"]}
    assert len(batch["cues"]) == 3
    assert np.allclose(Graph(tmp_path / "roles.onnx")({k: v.numpy() for k, v in role_inputs.items()})[0], roles.numpy(), atol=1e-4)
