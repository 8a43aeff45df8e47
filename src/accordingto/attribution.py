"""`attributions`: who is said to have said what. For each cue of a window, the words of its source and of its content."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from accordingto.decoding import Parts, best_tags, find_cues, forbid_across_lines, parts_from_tags, softmax
from accordingto.document import Encoding, chars_of, encoding_of, set_attributions
from accordingto.errors import ModelError
from accordingto.graph import Graph, copy_graph
from accordingto.schema import Attribution

GRAPH, SETTINGS = "roles.onnx", "decoding.json"
CUES = 512  # that are decoded together: Python's own time is shared by them


@dataclass(frozen=True)
class Decoding:
    """What the scores are read with; chosen and fitted on dev by `accordingto train`."""

    cue_threshold: float
    transitions: list[list[float]]  # (5, 5) from, to
    confidence: list[float]  # weights of `confidence_features`, the constant last


@dataclass(frozen=True)
class Reading:
    """One cue of a Doc with its parts, in words of the Doc."""

    cue: tuple[int, int]
    cue_score: float
    parts: Parts


@dataclass(frozen=True)
class _Window:
    """A window that has cues, with the scores of their words' roles."""

    doc: int  # its number among those that are read together
    start: int  # its first word in the Doc
    cues: list[tuple[int, int, float]]  # C cues, in words of the window
    scores: np.ndarray  # (C, W, 5)
    guideline: str


@Language.factory("accordingto_attributions", requires=["doc.tensor", "doc.sents"], assigns=["doc.spans"])
def make_attributions(nlp: Language, name: str) -> Attributions:
    """Return the component without weights; `from_disk` brings them."""
    return Attributions(name)


class Attributions:
    """The component: sets the span groups `source`, `cue` and `content` (see document.py)."""

    def __init__(self, name: str = "attributions") -> None:
        self.name = name
        self._graph: Graph | None = None
        self.settings: dict[str, Decoding] = {}  # by guideline

    def __call__(self, doc: Doc) -> Doc:
        """Return the Doc with its attributions."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 16) -> Iterator[Doc]:
        """Yield the Docs with their attributions."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            self.set_annotations(batch, self.predict(batch))
            yield from batch

    def predict(self, docs: Iterable[Doc]) -> list[list[Attribution]]:
        """Return the attributions of each Doc, by the first character of their cues."""
        encodings = [encoding_of(doc) for doc in docs]
        return [self._attributions(encoding, readings) for encoding, readings in zip(encodings, self.read(encodings), strict=True)]

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[list[Attribution]]) -> None:
        """Put the attributions on the Docs."""
        for doc, attributions in zip(docs, predictions, strict=True):
            set_attributions(doc, attributions)

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the graph and the settings into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        copy_graph(self._loaded(), folder)
        write_settings(folder, self.settings)

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> Attributions:
        """Load the graph and the settings from a folder; raises ModelError."""
        folder = Path(path)
        self._graph = Graph(folder / GRAPH)
        try:
            found = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            self.settings = {guideline: Decoding(**values) for guideline, values in found.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelError(folder / SETTINGS, str(error)) from error
        return self

    def _loaded(self) -> Graph:
        if self._graph is None:
            raise ModelError(self.name, "the component 'attributions' has no weights")
        return self._graph

    def read(self, encodings: Sequence[Encoding]) -> list[list[Reading]]:
        """Return for each Doc its cues that have content, with their parts, in reading order."""
        found: list[list[Reading]] = [[] for _ in encodings]
        for block in _blocks(w for number, encoding in enumerate(encodings) for w in self._windows(number, encoding)):
            for window, tags, probability in _decoded(block, np.array(self.settings[block[0].guideline].transitions)):
                for row, (start, end, score) in enumerate(window.cues):
                    parts = parts_from_tags(tags[row], probability[row], (start, end))
                    if parts.content:
                        found[window.doc].append(Reading((start + window.start, end + window.start), score, _moved(parts, window.start)))
        return [join_cues(readings) for readings in found]

    def _windows(self, number: int, encoding: Encoding) -> Iterator[_Window]:
        """Yield the windows of a Doc that have cues, with the roles' scores."""
        graph = self._loaded()
        for start, end in encoding.windows:
            lines = encoding.lines[start:end]
            cues = find_cues(encoding.cue[start:end], lines, threshold=self.settings[encoding.guideline].cue_threshold)
            if cues:
                scores = graph(_role_inputs(encoding, start, end, cues))[0]
                yield _Window(number, start, cues, forbid_across_lines(scores, lines), encoding.guideline)

    def _attributions(self, encoding: Encoding, readings: list[Reading]) -> list[Attribution]:
        """Return readings as attributions in characters, with parents and confidences."""
        parents = find_parents(readings)
        weights = np.array(self.settings[encoding.guideline].confidence)
        chances = 1 / (1 + np.exp(-np.array([confidence_features(r) for r in readings]).reshape(-1, len(weights)) @ weights))
        place = partial(chars_of, encoding)
        return [Attribution(tuple(map(place, r.parts.source)), (place(r.cue),), tuple(map(place, r.parts.content)), parent, round(float(chance), 4)) for r, parent, chance in zip(readings, parents, chances, strict=True)]


def _blocks(windows: Iterable[_Window]) -> Iterator[list[_Window]]:
    """Yield windows by blocks of some cues, which are decoded together: a book's at once would fill the memory. A block has one guideline."""
    block: list[_Window] = []
    for window in windows:
        if block and (sum(len(w.cues) for w in block) >= CUES or window.guideline != block[0].guideline):
            yield block
            block = []
        block.append(window)
    if block:
        yield block


def _decoded(block: Sequence[_Window], transitions: np.ndarray) -> Iterator[tuple[_Window, np.ndarray, np.ndarray]]:
    """Yield each window of a block with its cues' best tags, (C, W), and the probability of every tag, (C, W, 5)."""
    lengths = np.concatenate([np.full(len(w.cues), w.scores.shape[1]) for w in block])
    padded = np.zeros((len(lengths), lengths.max(), block[0].scores.shape[2]), np.float32)
    rows = np.cumsum([0, *(len(w.cues) for w in block)]).tolist()
    for window, row in zip(block, rows, strict=False):
        padded[row : row + len(window.cues), : window.scores.shape[1]] = window.scores
    tags, probability = best_tags(padded, lengths, transitions), softmax(padded)
    for window, start, end in zip(block, rows, rows[1:], strict=False):
        width = window.scores.shape[1]
        yield window, tags[start:end, :width], probability[start:end, :width]


def join_cues(readings: Sequence[Reading]) -> list[Reading]:
    """Return readings with those joined whose cues stand side by side with the same content: one cue was read as two.

    later | cautioned  ->  later cautioned
    """
    out: list[Reading] = []
    for reading in readings:
        if out and out[-1].cue[1] == reading.cue[0] and out[-1].parts.content == reading.parts.content:
            surer = max(out[-1], reading, key=lambda r: r.cue_score)
            out[-1] = replace(surer, cue=(out[-1].cue[0], reading.cue[1]))
        else:
            out.append(reading)
    return out


def write_settings(folder: Path, settings: dict[str, Decoding]) -> None:
    """Write the decoding of each guideline into a folder."""
    rows = {guideline: asdict(decoding) for guideline, decoding in settings.items()}
    (folder / SETTINGS).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _role_inputs(encoding: Encoding, start: int, end: int, cues: list[tuple[int, int, float]]) -> dict[str, np.ndarray]:
    """Return the inputs of the role graph for one window."""
    return {
        "words": encoding.vectors[None, start:end],
        "cue_scores": encoding.cue[None, start:end],
        "sentence_scores": encoding.sentence[None, start:end],
        "lines": encoding.lines[None, start:end],
        "cues": np.array([(s, e) for s, e, _ in cues], np.int64),
    }


def _moved(parts: Parts, offset: int) -> Parts:
    """Return a window's parts in words of the Doc."""
    source, content = (tuple((s + offset, e + offset) for s, e in ranges) for ranges in (parts.source, parts.content))
    return Parts(source, content, parts.source_score, parts.content_score, parts.border_score)


def find_parents(readings: Sequence[Reading]) -> list[int | None]:
    """Return for each reading the one whose content is the smallest that holds its cue, None where none does.

    Where two hold each other's cue, the one with the larger content is the parent. The readings come in the order of their cues.
    """
    sizes = [sum(end - start for start, end in r.parts.content) for r in readings]
    held = [_held_by(parent, readings) for parent in readings]
    holders: list[list[int]] = [[] for _ in readings]
    for j, children in enumerate(held):
        for i in children:
            if i != j and not (j in held[i] and (sizes[i], i) > (sizes[j], j)):
                holders[i].append(j)
    return [min(found, key=lambda j: sizes[j], default=None) for found in holders]


def _held_by(parent: Reading, readings: Sequence[Reading]) -> set[int]:
    """Return the readings whose cue stands in the parent's content; they are in the order of their cues."""
    out = set()
    for start, end in parent.parts.content:
        first = bisect_left(readings, start, key=lambda r: r.cue[0])
        last = bisect_left(readings, end, key=lambda r: r.cue[0])
        out |= {i for i in range(first, last) if readings[i].cue[1] <= end}
    return out


def confidence_features(reading: Reading) -> list[float]:
    """Return what the confidence is computed from: the cue's, the content's and its borders' probability, as logits, and 1."""
    chances = np.clip([reading.cue_score, reading.parts.content_score, reading.parts.border_score], 1e-4, 1 - 1e-4)
    return [*np.log(chances / (1 - chances)).tolist(), 1.0]
