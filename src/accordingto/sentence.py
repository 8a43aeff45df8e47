"""`sentences`: where sentences begin, by the encoder's scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.tokens import Doc

from accordingto.document import encoding_of

THRESHOLD = 0.0  # as a logit: likelier than not


@Language.factory("accordingto_sentences", requires=["doc.tensor"], assigns=["doc.sents"])
def make_sentences(nlp: Language, name: str) -> Sentences:
    """Return the component; it has no weights of its own."""
    return Sentences(name)


class Sentences:
    """The component: sets `token.is_sent_start` of every token. White space ends the sentence before it."""

    def __init__(self, name: str = "sentences") -> None:
        self.name = name

    def __call__(self, doc: Doc) -> Doc:
        """Return the Doc with its sentences."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 16) -> Iterator[Doc]:
        """Yield the Docs with their sentences."""
        yield from map(self, stream)

    def predict(self, docs: Iterable[Doc]) -> list[np.ndarray]:
        """Return the tokens that begin a sentence, in order, of each Doc; the first word always does."""
        out = []
        for doc in docs:
            encoding = encoding_of(doc)
            out.append(encoding.tokens[(encoding.sentence > THRESHOLD) | (np.arange(len(encoding.tokens)) == 0)])
        return out

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[np.ndarray]) -> None:
        """Put the sentences on the Docs."""
        for doc, starts in zip(docs, predictions, strict=True):
            column = np.full((len(doc), 1), -1, np.int64)  # spaCy's code of "begins no sentence"
            column[starts] = 1
            column[:1] = 1
            doc.from_array([SENT_START], column.astype(np.uint64))  # type: ignore[arg-type]  # the stub says int; spaCy warns of int

    def to_disk(self, path: object, *, exclude: Iterable[str] = ()) -> None:
        """Write nothing: there is nothing to keep."""

    def from_disk(self, path: object, *, exclude: Iterable[str] = ()) -> Sentences:
        """Read nothing."""
        return self
