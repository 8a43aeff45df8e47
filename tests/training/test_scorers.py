"""The scorers on a finished encoder, in small: what is exported says what was trained, for any number of sources and claims."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("onnx", reason="the extra `train` is not installed")

from accordingto.document import WIDTH  # noqa: E402
from accordingto.graph import Graph  # noqa: E402
from accordingto.label import LABELS, PARTS  # noqa: E402
from accordingto.situation import FEATURES, OWN_FORMS, Situation  # noqa: E402
from accordingto.training.corpus import IGNORE  # noqa: E402
from accordingto.training.meaning import LabelConfig, LabelReader, Links, StanceReader  # noqa: E402
from accordingto.training.speakers import SpeakerConfig, SpeakerNetwork, export_speakers, situation_tensors  # noqa: E402
from accordingto.training.stances import export_stances  # noqa: E402
from accordingto.training.wordings import fit_wordings  # noqa: E402
from accordingto.wording import ALWAYS, ROWS  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of itself


@pytest.mark.parametrize(("sources", "candidates", "mentions"), [(1, 0, 1), (3, 2, 5), (7, 4, 9)])
def test_exported_speakers_say_what_the_network_says(tmp_path, sources, candidates, mentions):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    choices = OWN_FORMS + candidates

    def vectors(count: int) -> np.ndarray:
        return rng.normal(size=(count, WIDTH)).astype(np.float32)

    member = np.zeros((choices, mentions), np.float32)
    member[OWN_FORMS:, 0] = 1
    pointer = rng.integers(0, mentions, (sources, choices))
    possible = np.ones((sources, choices), np.float32)
    possible[:, 1] = 0
    features = rng.random((sources, choices, FEATURES)).astype(np.float32)
    situation = Situation([], [], [], vectors(sources), vectors(sources), vectors(sources), vectors(mentions), vectors(mentions), member, pointer, possible, features)
    network = SpeakerNetwork(SpeakerConfig(), Links(WIDTH, 8), torch.nn.Linear(WIDTH, 1)).eval()
    export_speakers(network, tmp_path / "speakers.onnx")
    arrays = {name: getattr(situation, name) for name in ("source", "head", "cue", "mentions", "mention_heads", "member", "pointer", "possible", "features")}
    scores, kinds = Graph(tmp_path / "speakers.onnx")(arrays)
    with torch.no_grad():
        expected = network(**situation_tensors(situation, network))
    assert np.allclose(scores, expected[0], atol=1e-3)
    assert np.allclose(kinds, expected[1], atol=1e-3)
    assert (scores[:, 1] < -1e3).all()  # what is not there is never chosen


@pytest.mark.parametrize(("claims", "length"), [(1, 1), (4, 9)])
def test_exported_stances_say_what_the_network_says(tmp_path, claims, length):
    torch.manual_seed(0)
    network = StanceReader(LabelReader(LabelConfig(sum(map(len, LABELS.values())), len(PARTS)))).eval()
    torch.nn.init.normal_(network.reason.weight)
    torch.nn.init.normal_(network.wording.weight[1:])
    export_stances(network, tmp_path / "stances.onnx")
    rng = np.random.default_rng(0)
    arrays = {"words": rng.normal(size=(20, WIDTH)).astype(np.float32), "places": rng.integers(0, 20, (claims, length)), "parts": rng.integers(-1, 4, (claims, length)), "offsets": rng.integers(-9, 9, (claims, length))}
    arrays["parts"][:, 0] = 2
    arrays["marks"] = rng.integers(1, 9, (claims, 5))
    arrays["marks"][0, 3:] = 0  # padding
    found = Graph(tmp_path / "stances.onnx")(arrays)
    with torch.no_grad():
        expected = network(**{name: torch.from_numpy(array) for name, array in arrays.items()})
        without = network(**{name: torch.from_numpy(array) for name, array in arrays.items() if name != "marks"})
    for ours, theirs in zip(found, expected, strict=True):
        assert np.allclose(ours, theirs, atol=1e-3)
    assert not np.allclose(found[0], without[0], atol=1e-1)  # the words have their say


def test_wordings_learn_what_a_word_says_and_leave_unknown_fields_alone():
    rng = np.random.default_rng(0)
    marks = [np.array([ALWAYS, 5 if yes else 6, int(rng.integers(10, 99))]) for yes in [True, False] * 30]
    labels = np.full((60, len(LABELS)), IGNORE)
    stances = [LABELS["stance"].index("deny" if i % 2 == 0 else "warn") for i in range(60)]
    labels[:, 0] = stances
    table = fit_wordings(marks, labels)
    assert table.shape == (ROWS, sum(map(len, LABELS.values())))
    scores = np.stack([table[m].sum(0)[: len(LABELS["stance"])] for m in marks])
    assert (scores.argmax(1) == stances).all()
    assert not table[:, len(LABELS["stance"]) :].any()
