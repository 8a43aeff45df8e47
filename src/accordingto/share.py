"""Shares: of whom the bare percentages of a poll are, from word to word of its article."""

from __future__ import annotations

from collections.abc import Sequence

from accordingto.decoding import WordRange

_SHARES = frozenset(["percent", "%", "cent", "pct", "half", "third", "thirds", "quarter", "quarters", "majority"])
_INNER = ("DT", "JJ", "NN", "CD", "PRP$", "HYPH", "VBN")
_LONGEST = 6  # words of a whole


def is_share(lowered: Sequence[str], words: WordRange) -> bool:
    """Return whether a phrase is a share that does not say of what: *46 percent*, *two-thirds*."""
    start, end = words
    return lowered[end - 1] in _SHARES and "of" not in lowered[start : end + 1]


def find_whole(lowered: Sequence[str], tags: Sequence[str], share: WordRange) -> WordRange | None:
    """Return the phrase that names of what a bare share is: behind the last *percent of* before it, else behind the first one after it; None where there is none.

    46 percent of *likely voters* back her, | 44 percent | him  ->  likely voters
    """
    places = [i for i in range(1, len(lowered) - 1) if lowered[i] == "of" and lowered[i - 1] in _SHARES]
    before = [i for i in places if i < share[0]]
    of = before[-1] if before else next(iter(places), None)
    if of is None:
        return None
    end = of + 1
    while end < min(len(lowered), of + 1 + _LONGEST) and tags[end].startswith(_INNER):
        end += 1
    if lowered[end - 1] == "those" and end < len(lowered):  # those polled
        end += 1
    return (of + 1, end) if end > of + 1 else None
