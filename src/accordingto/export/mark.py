"""Marks: the parts of the claims that a format was given, and the check that the file written says the same of the same text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from accordingto.errors import OutputError
from accordingto.export.judged import JudgedArticle, JudgedClaim
from accordingto.schema import CharSpan

PARTS = ("source", "cue", "content")


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a claim, as it was given to a format or read back from it."""

    article: str  # as the format names it
    part: str  # one of PARTS, or `text` for the whole article
    spans: tuple[CharSpan, ...]
    covered: tuple[str, ...]  # the text of each span


Fit = Callable[[str, tuple[CharSpan, ...]], tuple[CharSpan, ...]]


def whole_text(name: str, text: str) -> Mark:
    """Return the mark that stands for an article's text."""
    return Mark(name, "text", ((0, len(text)),), (text,))


def marks_of(article: JudgedArticle, claims: Iterable[JudgedClaim], name: str, fit: Fit | None = None, *, with_text: bool = True) -> Iterator[Mark]:
    """Yield an article's text, and the parts of its claims that are not empty.

    fit: what a format makes of spans of a text where it cannot hold all; with_text: whether the format holds the text.
    """
    if with_text:
        yield whole_text(name, article.text)
    for claim in claims:
        for part in PARTS:
            spans = getattr(claim.claim, part).spans
            if spans:
                spans = fit(article.text, spans) if fit else spans
                yield Mark(name, part, spans, tuple(article.text[s:e] for s, e in spans))


def check_marks(path: Path, expected: Iterable[Mark], found: Iterable[Mark]) -> None:
    """Raise OutputError where the marks that a file holds are not those that were given to it, each one, in their order."""
    for given, read in zip_longest(expected, found):
        if given != read:
            raise OutputError(path, f"read again, it holds {_told(read)} in the place of {_told(given)}", "report this with the run: it is an error of the program")


def _told(mark: Mark | None) -> str:
    return "nothing" if mark is None else f"the {mark.part} {' … '.join(mark.covered)[:60]!r} at {mark.spans} of {mark.article!r}"
