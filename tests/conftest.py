"""Shared by the tests: the shipped pipeline, loaded once, and Docs built by hand."""

import pytest
import spacy
from spacy.language import Language

from accordingto.document import set_attributions
from accordingto.schema import Attribution


@pytest.fixture(scope="session")
def nlp() -> Language:
    """The shipped pipeline."""
    import accordingto

    return accordingto.load()


@pytest.fixture
def doc_of():
    """Return a function that builds a Doc by hand: text, and attributions as (source, cue, contents, parent) in its words."""
    blank = spacy.blank("en")
    blank.add_pipe("sentencizer")

    def build(text: str, *attributions: tuple[str, str, list[str], int | None]):
        doc = blank(text)

        def span(part: str) -> tuple[int, int]:
            start = text.index(part)
            return start, start + len(part)

        set_attributions(doc, [Attribution((span(source),) if source else (), (span(cue),), tuple(map(span, contents)), parent, 0.9) for source, cue, contents, parent in attributions])
        return doc

    return build
