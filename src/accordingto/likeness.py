"""Likenesses: what the words of a source and of a candidate have in common, as features of their pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from accordingto.document import Encoding
from accordingto.gender import gender_of_name, gender_of_noun, gender_of_title
from accordingto.mention import Candidate
from accordingto.phrase import head_of, in_full, role_words

if TYPE_CHECKING:
    from accordingto.situation import Source

_EMPTY = frozenset(["the", "a", "an", "of", "and", ",", ".", "'", "’", "“", "”", '"', "'s", "’s", "-"])


def words_in_common(lowered: Sequence[str], encoding: Encoding, sources: Sequence[Source], candidates: Sequence[Candidate], classes: Sequence[str]) -> np.ndarray:
    """Return what the words of source and candidate, and of the roles beside its names, have in common, and whether their genders agree, (S, K, 16)."""
    own = [set(lowered[s.words[0] : s.words[1]]) - _EMPTY for s in sources]
    names = [c.name.lower().replace("-", " - ").split() for c in candidates]
    roles = [_roles(lowered, encoding, c) for c in candidates]
    number = {word: i for i, word in enumerate(sorted(set().union(*names, *roles)))}
    theirs, role = _incidence([set(name) - _EMPTY for name in names], number), _incidence(roles, number)
    heads = [lowered[head_of(encoding.tags, s.words)] for s in sources]
    mine, mine_in_full = _incidence(own, number), _incidence([{in_full(w) for w in words} for words in own], number)
    head = _incidence([{in_full(word)} for word in heads], number)
    sizes = np.array([max(1, len(words)) for words in own], np.float32)[:, None]
    both = mine @ theirs.T
    same_last, same_first = (np.array([[number.get(lowered[s.words[0] if first else s.words[1] - 1], -1)] for s in sources]) == np.array([number[name[0 if first else -1]] for name in names]) for first in (False, True))
    titles = np.array([_title(lowered, c) for c in candidates], np.float32)
    genders = np.array([title or _gender(c) for title, c in zip(titles.tolist(), candidates, strict=True)], np.float32)
    pronoun = np.array([{"he": 1.0, "she": -1.0}.get(c, 0.0) for c in classes], np.float32)[:, None]
    meant = pronoun + [[gender_of_title(lowered[s.words[0]]) or gender_of_noun(word)] for s, word in zip(sources, heads, strict=True)]  # (S, 1)
    columns = [
        both / sizes, both / np.maximum(theirs.sum(1), 1), (both == sizes) & (both > 0), same_last, same_first, [c.name.endswith("s") for c in candidates], theirs.sum(1) > 1,
        head @ role.T > 0, mine_in_full @ role.T / sizes, pronoun * titles, pronoun * titles < 0, titles, role.sum(1) > 0, meant * genders, meant * genders < 0, genders,
    ]  # fmt: skip
    return np.stack([np.broadcast_to(np.asarray(c, np.float32), both.shape) for c in columns], -1)


def _incidence(sets: Sequence[set[str]], number: dict[str, int]) -> np.ndarray:
    """Return which words are in which set, (sets, words), by the words' numbers; words without a number are left out."""
    out = np.zeros((len(sets), len(number)), np.float32)
    for row, words in enumerate(sets):
        out[row, [number[w] for w in words if w in number]] = 1
    return out


def _roles(lowered: Sequence[str], encoding: Encoding, candidate: Candidate) -> set[str]:
    """Return the words of the roles beside a candidate's mentions."""
    if candidate.kind == "DESCRIPTION":
        return set()
    return set().union(*(role_words(lowered, encoding.tags, m) for m in candidate.mentions))


def _title(lowered: Sequence[str], candidate: Candidate) -> float:
    """Return what titles say of a person's gender: 1 for Mr., -1 for Mrs. and Ms., 0 where they say nothing or both."""
    found = [gender_of_title(lowered[m[0] - 1]) for m in candidate.mentions if m[0]]
    return float(np.sign(sum(found))) if candidate.kind == "PERSON" else 0.0


def _gender(candidate: Candidate) -> float:
    """Return what a person's first name, or a description's noun, says of the gender."""
    if candidate.kind == "PERSON":
        return gender_of_name(candidate.name.split())
    return next((g for g in map(gender_of_noun, reversed(candidate.name.split())) if g), 0.0) if candidate.kind == "DESCRIPTION" else 0.0
