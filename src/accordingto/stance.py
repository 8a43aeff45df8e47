"""`stances`: what each source does with its content, how surely, against whom, and how the article presents it.

Each claim's labels are read from the encoder's vectors of its own words (label.py). Beside the labels come the words that
speak most for them, and the word at which the attitude aims; whom that word means, `speakers` resolves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from accordingto.calibration import Calibration, read_calibration, write_calibration
from accordingto.decoding import softmax
from accordingto.document import Encoding, attributions_of, chars_of, encoding_of, lowered_words, set_facts, words_of
from accordingto.errors import ModelError
from accordingto.graph import Graph, copy_graph
from accordingto.label import LABELS, PARTS, SOURCE_KINDS, claim_words, pad_claims
from accordingto.phrase import phrase_around
from accordingto.schema import Attribution, CharSpan
from accordingto.wording import marks_of_claim, pad_marks

GRAPH, SETTINGS = "stances.onnx", "stances.json"
FIELDS = tuple(field for field in LABELS if field != "source_kind")  # the kind is the speakers' to say
BATCH = 64  # claims that are read together; bounds the memory for a book
TELLING = ("NN", "NNS", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "JJ", "JJR", "JJS", "RB", "MD")  # words of these parts of speech can be a reason: names and articles tell nothing
EXPLAINED: dict[str, tuple[Any, ...]] = {"stance": ("assert", "other"), "negated": (False,), "certainty": ("certain", "none")}  # fields that `why` explains, and their values that need no reason


@Language.factory("accordingto_stances", requires=["doc.tensor", "doc.spans"], assigns=["doc.spans"])
def make_stances(nlp: Language, name: str) -> Stances:
    """Return the component without weights; `from_disk` brings them."""
    return Stances(name)


class Stances:
    """The component: sets the labels of each attribution, the words that speak for them, and what the attitude aims at."""

    def __init__(self, name: str = "stances") -> None:
        self.name = name
        self.confidence = Calibration()  # fitted on dev
        self._graph: Graph | None = None

    def __call__(self, doc: Doc) -> Doc:
        """Return the Doc with its stances."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 16) -> Iterator[Doc]:
        """Yield the Docs with their stances."""
        yield from map(self, stream)

    def predict(self, docs: Iterable[Doc]) -> list[list[Attribution]]:
        """Return each Doc's attributions with their labels."""
        return [self._read(doc) for doc in docs]

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[list[Attribution]]) -> None:
        """Put the labels on the Docs."""
        for doc, attributions in zip(docs, predictions, strict=True):
            set_facts(doc, attributions)

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the graph and the settings into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        copy_graph(self._loaded(), folder)
        write_calibration(self.confidence, folder / SETTINGS)

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> Stances:
        """Load the graph and the settings from a folder; raises ModelError."""
        folder = Path(path)
        self._graph = Graph(folder / GRAPH)
        self.confidence = read_calibration(folder / SETTINGS)
        return self

    def _loaded(self) -> Graph:
        if self._graph is None:
            raise ModelError(self.name, "the component 'stances' has no weights")
        return self._graph

    def _read(self, doc: Doc) -> list[Attribution]:
        attributions, encoding = attributions_of(doc), encoding_of(doc)
        ranges, lowered = words_of(encoding), lowered_words(doc, encoding)
        claims = [words_of_claim(encoding, a, ranges) for a in attributions]
        marks = [_marks_of(lowered, a, ranges) for a in attributions]
        telling = np.array([tag in TELLING for tag in encoding.tags])
        out: list[Attribution] = []
        for at in range(0, len(claims), BATCH):
            places, parts, offsets = pad_claims(claims[at : at + BATCH])
            scores, aims, reasons = self._loaded()({"words": encoding.vectors, "places": places, "parts": parts, "offsets": offsets, "marks": pad_marks(marks[at : at + BATCH])})
            reasons = np.where((telling[places] & (parts >= PARTS.index("cue")))[..., None], reasons, -np.inf)
            for row, (attribution, facts) in enumerate(zip(attributions[at : at + BATCH], self._facts(scores), strict=False)):
                if facts["attitude"] != "neutral":
                    facts["aim"] = chars_of(encoding, phrase_around(lowered, encoding.tags, int(places[row][aims[row].argmax()])))
                out.append(replace(attribution, **facts, why=_why(encoding, attribution, facts, places[row][reasons[row].argmax(0)])))
        return out

    def _facts(self, scores: np.ndarray) -> Iterator[dict[str, Any]]:
        """Yield the labels of each claim, and the confidence of its stance."""
        chances = {field: softmax(part) for field, part in split_labels(scores)}
        best = {field: chances[field].argmax(1).tolist() for field in FIELDS}
        kinds = chances["source_kind"][:, : len(SOURCE_KINDS)].tolist()
        for row, chance in enumerate(chances["stance"].max(1).tolist()):
            yield {field: LABELS[field][best[field][row]] for field in FIELDS} | {"stance_confidence": self.confidence(chance), "kind_chances": tuple(kinds[row])}


def split_labels(scores: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each field of LABELS with its part of the scores' last axis."""
    at = 0
    for field, values in LABELS.items():
        yield field, scores[..., at : at + len(values)]
        at += len(values)


def words_of_claim(encoding: Encoding, attribution: Attribution, ranges: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `claim_words` of an attribution; ranges: from `document.words_of`."""
    source, content = (np.array([i for start, end in ranges(spans) for i in range(start, end)], np.int64) for spans in (attribution.source, attribution.content))
    return claim_words(ranges(attribution.cue)[0], source, content, len(encoding.tokens))


def _marks_of(lowered: Sequence[str], attribution: Attribution, ranges: Any) -> np.ndarray:
    """Return `marks_of_claim` of an attribution; ranges: from `document.words_of`."""
    content = np.array([i for start, end in ranges(attribution.content) for i in range(start, end)], np.int64)
    return marks_of_claim(lowered, ranges(attribution.cue)[0], content, stated=bool(attribution.source), nested=attribution.parent is not None)


def _why(encoding: Encoding, attribution: Attribution, facts: dict[str, Any], best: np.ndarray) -> tuple[CharSpan, ...]:
    """Return the words that speak for the labels: the cue, and for each field that needs a reason the telling word of cue or content that counted most, in the order of the text.

    best: (labels,) that word for each label.
    """
    found = {attribution.cue[0]}
    at = 0
    for field, values in LABELS.items():
        if field in EXPLAINED and facts[field] not in EXPLAINED[field]:
            word = int(best[at + values.index(facts[field])])  # type: ignore[arg-type]
            found.add(chars_of(encoding, (word, word + 1)))
        at += len(values)
    inside = [span for span in found if span == attribution.cue[0] or not (attribution.cue[0][0] <= span[0] and span[1] <= attribution.cue[0][1])]
    return tuple(sorted(inside))
