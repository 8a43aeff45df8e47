"""Networks read back from the shipped graphs: they must be those that were exported."""

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("onnx", reason="the extra `train` is not installed")

from accordingto.document import encoding_of  # noqa: E402
from accordingto.encoder import Encoder  # noqa: E402
from accordingto.errors import TrainingError  # noqa: E402
from accordingto.evaluation import read_gold  # noqa: E402
from accordingto.graph import Graph  # noqa: E402
from accordingto.pipeline import model_folder  # noqa: E402
from accordingto.training.export import export_graphs, transitions_of  # noqa: E402
from accordingto.training.restored import restore_network, restore_reader  # noqa: E402
from accordingto.training.speakers import situation_tensors, speaker_examples  # noqa: E402
from accordingto.training.stances import example_tensors, stance_examples  # noqa: E402
from accordingto.window import cut_windows, encoder_inputs, words_from_doc  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of itself
GOLD = read_gold(Path(__file__).parents[1] / "data" / "written_dev.jsonl.gz")[:3]


@pytest.fixture(scope="module")
def shipped():
    return restore_network(model_folder())


@pytest.fixture(scope="module")
def windows(nlp):
    """The inputs of the encoder for each window of an article."""
    encoder: Encoder = nlp.get_pipe("encoder")
    words = words_from_doc(nlp.make_doc(GOLD[0]["text"]), encoder._loaded()[2], stop_headings=True)
    cuts = cut_windows(words)
    return [{name: value[None] for name, value in encoder_inputs(words, s, e).items()} | {"guideline": np.array([1])} for s, e in cuts]


def test_restored_reader_exports_the_very_graphs_that_it_came_from(shipped, windows, tmp_path):
    """int8 and back changes no number: the graphs' scores are equal to the last bit."""
    network, _, _ = shipped
    export_graphs(network.reader, tmp_path, quantize=True)
    old, new = (Graph(folder / "encoder.onnx") for folder in (model_folder() / "encoder", tmp_path))
    roles = [Graph(folder / "roles.onnx") for folder in (model_folder() / "attributions", tmp_path)]
    for inputs in windows:
        encoded = old(inputs)[0]
        assert np.array_equal(encoded, new(inputs)[0])
        given = {"words": encoded[..., :384], "cue_scores": encoded[..., 385:388], "sentence_scores": encoded[..., 384], "lines": np.zeros(encoded.shape[:2], np.float32), "cues": np.array([[1, 2], [5, 7]])}
        assert np.array_equal(roles[0](given)[0], roles[1](given)[0])


def test_restored_reader_says_what_the_graph_says_but_for_the_rounding_of_activations(shipped, windows):
    """The graph rounds what flows through it to 256 steps: scores of some 8 differ by some 0.3, no decision of weight by it."""
    reader = shipped[0].reader
    for inputs in windows:
        encoded = Graph(model_folder() / "encoder" / "encoder.onnx")(inputs)[0]
        with torch.no_grad():
            words = reader.encode(**{name: torch.from_numpy(np.asarray(value)) for name, value in inputs.items()})
            sentence, cue, _ = reader.read_words(words)
        graph_cue = encoded[..., 385:388]
        assert np.abs(graph_cue - cue.numpy()).mean() < 0.05 * np.abs(graph_cue).mean()
        assert (graph_cue.argmax(-1) == cue.numpy().argmax(-1)).mean() > 0.98
        assert ((encoded[..., 384] > 0) == (sentence.numpy() > 0)).mean() > 0.98
        assert (encoded[..., -1] == reader.tag(words).argmax(-1).numpy()).mean() > 0.98


def test_restored_transitions_are_those_of_the_settings(shipped, nlp):
    settings = nlp.get_pipe("attributions").settings["steady"]
    assert np.allclose(np.array(transitions_of(shipped[0].reader)), np.array(settings.transitions), atol=2e-3)  # -10000 and what is added to it, in float32


def test_restored_scorers_say_what_their_graphs_say(shipped, nlp):
    network, speakers, tags = shipped
    docs = [nlp(row["text"]) for row in GOLD]
    tensors, _, _ = example_tensors(stance_examples(GOLD, docs, {}))
    found = Graph(model_folder() / "stances" / "stances.onnx")({name: value.numpy() for name, value in tensors.items()})
    with torch.no_grad():
        expected = network.labels(**tensors)
    assert all(np.allclose(a, b.numpy(), atol=1e-3) for a, b in zip(found, expected, strict=True))
    situation = speaker_examples(GOLD, docs)[0].situation
    graph = Graph(model_folder() / "speakers" / "speakers.onnx")
    names = ("source", "head", "cue", "mentions", "mention_heads", "member", "pointer", "possible", "features")
    with torch.no_grad():
        scores, kinds = speakers(**situation_tensors(situation, speakers))
    found = graph({name: getattr(situation, name) for name in names})
    assert np.allclose(found[0], scores.numpy(), atol=1e-3)
    assert np.allclose(found[1], kinds.numpy(), atol=1e-3)
    assert torch.equal(network.links.mention.weight, speakers.links.mention.weight)
    assert set(encoding_of(docs[0]).tags) <= set(tags)


def test_graphs_of_another_network_are_refused(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model_folder(), folder)
    shutil.copy(folder / "stances" / "stances.onnx", folder / "attributions" / "roles.onnx")
    with pytest.raises(TrainingError, match="are not those of this version's networks"):
        restore_reader(folder)
    (folder / "encoder" / "encoder.onnx").write_bytes(b"no graph")
    with pytest.raises(TrainingError, match="cannot be read"):
        restore_reader(folder)
