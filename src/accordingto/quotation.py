"""Quotations: which characters of a text stand inside quotation marks, double or single, and what that makes of a content."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from accordingto.schema import CharSpan

_DOUBLE = re.compile(r"[“„«‟]|[”»]|\"|``|''")
_OPENING, _CLOSING = frozenset(("“", "„", "«", "‟", "``")), frozenset(("”", "»", "''"))
_PARAGRAPH = re.compile(r"[^\r\n]+")
_SINGLE_OPEN = re.compile(r"(?:(?<=[\s(\[—–-])|^)[‘'](?=\w)")
_SINGLE_CLOSE = re.compile(r"(?<=[.,!?…])[’']|(?<=\w)[’'](?!\w)")  # behind a full stop; or behind a word, which may be a plural's


def quoted_spans(text: str) -> list[CharSpan]:
    """Return the stretches inside quotation marks, the marks included, in order.

    A quotation that is not closed runs to the end of its paragraph (one that goes on in the next opens again there).
    Single marks count only where no double ones surround them; an apostrophe is none.

    "I won," he said. The ‘deal’ is John’s.  ->  "I won,"  and  ‘deal’
    """
    return [(p.start() + s, p.start() + e) for p in _PARAGRAPH.finditer(text) for s, e in _in_paragraph(p.group())]


def _in_paragraph(text: str) -> list[CharSpan]:
    double, start = [], None
    for mark in _DOUBLE.finditer(text):
        opens = mark.group() in _OPENING or (mark.group() == '"' and start is None)
        if opens and start is None:
            start = mark.start()
        elif not opens and start is not None:
            double.append((start, mark.end()))
            start = None
    if start is not None:
        double.append((start, len(text)))
    single, position = [], 0
    while opening := _SINGLE_OPEN.search(text, position):
        position = opening.end()
        if any(s <= opening.start() < e for s, e in double):
            continue
        closing = _SINGLE_CLOSE.search(text, position)
        if closing:
            single.append((opening.start(), closing.end()))
            position = closing.end()
    return sorted(double + single)


def quotation_of(spans: Iterable[CharSpan], quoted: Sequence[CharSpan], text: str) -> str:
    """Return `direct` where all letters and digits of the spans are quoted, `indirect` where none is, else `mixed`."""
    inside = outside = False
    for start, end in spans:
        first = max(0, bisect_right(quoted, (start, len(text) + 1)) - 1)
        at = start
        for opening, closing in quoted[first : bisect_right(quoted, (end, 0))]:
            outside = outside or _says(text[at:opening])
            at = max(at, opening)
            inside = inside or _says(text[at : min(closing, end)])
            at = max(at, closing)
        outside = outside or _says(text[at:end])
    if inside and outside:
        return "mixed"
    return "direct" if inside else "indirect"


def _says(text: str) -> bool:
    return any(map(str.isalnum, text))
