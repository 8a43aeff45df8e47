"""Wordings: a claim's words as numbers of a table, by which a linear model knows them: it reads the words alone, beside the network that reads vectors.

One function (`marks_of_claim`) for training and for use, so that they cannot disagree. Words share the numbers by chance (hashing): no list of words is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

import numpy as np

from accordingto.decoding import WordRange

ROWS = 2**13  # of the table: 1.1 MB; with 2**14 stance is 0.2 better on dev
NOTHING, ALWAYS = 0, 1  # numbers of padding, and of a constant
SHARES = {"stance": 0.5, "certainty": 0.4, "attitude": 0.3, "framing": 0.3, "attribution_type": 0.5, "source_kind": 0.3, "negated": 0.0}
"""How much the linear model's scores count beside the network's; chosen on dev."""
_FIRST = 60  # words of a content that are read


def marks_of_claim(lowered: Sequence[str], cue: WordRange, content: np.ndarray, *, stated: bool, nested: bool) -> np.ndarray:
    """Return the numbers of a claim's words, each once, ALWAYS the first: of the cue's, its pairs, its last one; of the content's, and how that begins.

    content: word indexes; stated: whether there is a source; nested: whether the claim stands in another.
    """
    words, inside = lowered[cue[0] : cue[1]], [lowered[i] for i in content[:_FIRST].tolist()]
    last = next((w for w in reversed(words) if w.isalpha()), words[-1])
    marks = {_number("cue", w) for w in words} | {_number("pair", f"{a} {b}") for a, b in pairwise(words)} | {_number("content", w) for w in inside} | {_number("last", last)}
    if inside:
        marks |= {_number("first", inside[0]), _number("begins", " ".join(inside[:2])), _number("opening", f"{last} {inside[0]}")}
    marks |= {_number("is", fact) for fact, true in (("stated", stated), ("nested", nested)) if true}
    return np.array([ALWAYS, *sorted(marks)], np.int64)


def pad_marks(marks: Sequence[np.ndarray]) -> np.ndarray:
    """Return the numbers of several claims as an array (C, most), filled up with NOTHING."""
    out = np.full((len(marks), max(map(len, marks), default=0)), NOTHING, np.int64)
    for row, numbers in enumerate(marks):
        out[row, : len(numbers)] = numbers
    return out


@lru_cache(maxsize=100_000)
def _number(what: str, word: str) -> int:
    return 2 + crc32(f"{what} {word}".encode()) % (ROWS - 2)
