"""The writer of an article, where it says *I* or *we* outside of quotations: by its byline, its signature or the line about the author.

A rule: it names 24 of dev’s 33 such sources right (train 60 of 86), the scorer of speakers 14 (54), which takes
the person who is spoken of most.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accordingto.document import Encoding
from accordingto.mention import PRONOUNS, Candidate
from accordingto.schema import WRITER

_SIGNATURE, _ABOUT = 10, 60  # words of a line that holds no more than a name and a place; of a line about the author
_LAST = 3  # lines of a text in which it says who the author is


def is_writer(lowered: Sequence[str], words: tuple[int, int]) -> bool:
    """Return whether a source is a pronoun with which a writer names himself."""
    return words[1] - words[0] == 1 and PRONOUNS.get(lowered[words[0]]) in ("i", "we")


def find_writer(lowered: Sequence[str], encoding: Encoding, candidates: Sequence[Candidate], source: int) -> str:
    """Return the name of who wrote the text around a word, else WRITER. Of several signatures, as letters have them, the next one behind the word counts.

    By Dana Whitlock | I believe …  ->  Dana Whitlock;  I believe … | Dana Whitlock is a columnist.  ->  the same
    """
    starts = sorted({0, *np.flatnonzero(encoding.lines).tolist()})
    signed: list[tuple[int, str]] = []
    for candidate in (c for c in candidates if c.kind == "PERSON"):
        for start, end in candidate.mentions:
            line = int(np.searchsorted(starts, start, side="right")) - 1
            first, last = starts[line], starts[line + 1] if line + 1 < len(starts) else len(lowered)
            if start > first and start - first <= 2 and lowered[start - 1] in ("by", "by:"):
                return candidate.name
            full = start == first and end - start >= 2
            if full and line >= len(starts) - _LAST and last - first < _ABOUT and end < len(lowered) and lowered[end] in ("is", "was", ",", "("):
                return candidate.name
            if full and last - first <= _SIGNATURE and not {"said", "says"} & set(lowered[first:last]):
                signed.append((start, candidate.name))
    behind = [name for start, name in sorted(signed) if start >= source]
    return behind[0] if behind else max(signed, default=(0, WRITER))[1]
