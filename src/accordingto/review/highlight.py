"""Highlights: an article's text as escaped HTML in which every claim's words can be found, and what is hidden in a text is seen.

The page's text has exactly as many code points as the article: what cannot be shown as it is (a character that turns the
direction of reading, a NUL) is one stand-in, to which the style sheet adds its name. So a place on the page is a place in the article.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from accordingto.schema import CharSpan, Claim

ROLES = {"source": "s", "cue": "c", "content": "o"}
HEADING, ENDS = 140, ".,:;!?…”\"’')]"  # characters of a line that may be a heading, and with which it then does not end
_LINE = re.compile(r"[^\n\r\u2028\u2029]*(?:\r\n|[\n\r\u2028\u2029]|$)")
_NAMES = {
    "\u061c": "ALM", "\u200b": "ZWSP", "\u200e": "LRM", "\u200f": "RLM", "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2060": "WJ",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM", "\x00": "NUL", "\x1b": "ESC", "\x7f": "DEL", "\x08": "BS",
}  # fmt: skip
_HIDDEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_FORMS = re.compile(r"\s+")


@dataclass(frozen=True)
class Piece:
    """A stretch of a line in which the same claims have the same parts."""

    text: str
    marks: str  # `3s 5o`: source of the article's claim 3, content of its claim 5
    furniture: bool


def shown(text: str | None) -> Markup:
    """Return text as HTML on one line, with the names of its hidden characters."""
    return _marked(_FORMS.sub(" ", text or ""))


def plain(text: str | None) -> str:
    """Return text for an attribute or a title: hidden characters replaced."""
    return _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text or "")


def plain_field(text: str) -> str:
    """Return text for a field that a reviewer may change: all as it is but what no page can hold."""
    return re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def hidden_names(text: str | None) -> str:
    """Return the names of a text's hidden characters, for beside a field that cannot show them."""
    return ", ".join(dict.fromkeys(_name(c) for c in _HIDDEN.findall(text or "")))


def article_html(text: str, claims: Sequence[Claim], furniture: Iterable[tuple[int, int, str]] = ()) -> Markup:
    """Return an article as paragraphs, one a line of its text; `data-r` says what each stretch is to which claim."""
    borders, marks = _sweep(claims, [(start, end) for start, end, _ in furniture])
    out = []
    for match in _LINE.finditer(text):
        if match.start() == match.end():
            continue
        pieces = list(_pieces(text, match.start(), match.end(), borders, marks))
        line = match[0].strip()
        bare = all(p.furniture or not p.text.strip() for p in pieces)
        kind = "blank" if not line else "furniture" if bare else "heading" if len(line) <= HEADING and line[-1] not in ENDS and not line.startswith("By ") else ""
        out.append(Markup('<p{}>{}</p>').format(Markup(' class="{}"').format(kind) if kind else "", Markup("").join(map(_piece_html, pieces))))
    return Markup("").join(out)


def _sweep(claims: Sequence[Claim], furniture: Sequence[CharSpan]) -> tuple[list[int], list[tuple[str, bool]]]:
    """Return the places where something begins or ends, and what holds from each to the next."""
    events: list[tuple[int, int, str]] = []
    for number, claim in enumerate(claims):
        for part, letter in ROLES.items():
            events += [event for s, e in getattr(claim, part).spans for event in ((s, 1, f"{number}{letter}"), (e, -1, f"{number}{letter}"))]
    events += [event for s, e in furniture for event in ((s, 1, ""), (e, -1, ""))]
    active: dict[str, int] = {}
    borders, marks = [0], [("", False)]
    for place, step, mark in sorted(events):
        active[mark] = active.get(mark, 0) + step
        if not active[mark]:
            del active[mark]
        if borders[-1] != place:
            borders.append(place)
            marks.append(("", False))
        marks[-1] = (" ".join(m for m in active if m), "" in active)
    return borders, marks


def _pieces(text: str, start: int, end: int, borders: Sequence[int], marks: Sequence[tuple[str, bool]]) -> Iterator[Piece]:
    at = bisect_right(borders, start) - 1
    while start < end:
        stop = min(end, borders[at + 1] if at + 1 < len(borders) else end)
        if stop > start:
            yield Piece(text[start:stop], *marks[at])
        start, at = max(start, stop), at + 1


def _piece_html(piece: Piece) -> Markup:
    html = _marked(piece.text)
    if not piece.marks and not piece.furniture:
        return html
    marks = Markup(' data-r="{}"').format(piece.marks) if piece.marks else ""
    return Markup("<span{}{}>{}</span>").format(Markup(' class="furniture"') if piece.furniture else "", marks, html)


def _marked(text: str) -> Markup:
    """Return text as escaped HTML of as many code points; hidden characters as stand-ins with a name."""
    out, at = [], 0
    for match in _HIDDEN.finditer(text):
        out += [escape(text[at : match.start()]), _stand_in(match[0])]
        at = match.end()
    return Markup("").join([*out, escape(text[at:])])


def _stand_in(character: str) -> Markup:
    if character in "\r\u2028\u2029":
        return Markup('<span class="line-end">\N{SYMBOL FOR CARRIAGE RETURN}</span>')  # ends a line, which the paragraph shows
    return Markup('<span class="hidden" data-name="{}">\N{REPLACEMENT CHARACTER}</span>').format(_name(character))


def _name(character: str) -> str:
    return _NAMES.get(character) or (unicodedata.name(character, "") or f"U+{ord(character):04X}")
