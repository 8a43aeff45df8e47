"""`furniture`, the component: marks what a web page stands around an article, and clears away what the others made of it.

The text stays as it was read. Furniture is marked on the Doc as spans with a type, in `doc.spans["furniture"]`; it is nobody's
claim, and no desk is a speaker: to a reader of sources *WEB DESK: Officials said …* looks just like somebody speaking. The
component is the last one: it takes away what the others made of furniture, the names of speakers included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from accordingto.document import attributions_of, set_attributions, title_of
from accordingto.furniture import Piece, find_furniture, without_furniture
from accordingto.schema import Attribution

GROUP = "furniture"


@Language.factory("accordingto_furniture", requires=["doc.spans"], assigns=["doc.spans"])
def make_furniture(nlp: Language, name: str) -> Furniture:
    """Return the component; it has no weights."""
    return Furniture(name)


class Furniture:
    """The component: sets the span group `furniture`, and takes away the attributions that stand in it."""

    def __init__(self, name: str = "furniture") -> None:
        self.name = name

    def __call__(self, doc: Doc) -> Doc:
        """Return the Doc with its furniture."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 16) -> Iterator[Doc]:
        """Yield the Docs with their furniture."""
        yield from map(self, stream)

    def predict(self, docs: Iterable[Doc]) -> list[tuple[list[Piece], list[Attribution]]]:
        """Return the furniture of each Doc, and the attributions that are left."""
        out = []
        for doc in docs:
            found = find_furniture(doc.text, title_of(doc))
            out.append((found, without_furniture(attributions_of(doc), [(start, end) for start, end, _ in found], doc.text) if found else attributions_of(doc)))
        return out

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[tuple[list[Piece], list[Attribution]]]) -> None:
        """Put the furniture on the Docs, and the attributions that are left."""
        for doc, (found, attributions) in zip(docs, predictions, strict=True):
            spans = [doc.char_span(start, end, label=kind, alignment_mode="contract") for start, end, kind in found]
            doc.spans[GROUP] = SpanGroup(doc, name=GROUP, spans=[s for s in spans if isinstance(s, Span)])
            if attributions != attributions_of(doc):
                set_attributions(doc, attributions)

    def to_disk(self, path: object, *, exclude: Iterable[str] = ()) -> None:
        """Write nothing: there is nothing to keep."""

    def from_disk(self, path: object, *, exclude: Iterable[str] = ()) -> Furniture:
        """Read nothing."""
        return self
