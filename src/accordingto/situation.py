"""A situation: the sources and candidates of one article, as the arrays that the scorer of speakers reads.

One function (`describe_situation`) for training and for use, so that they cannot disagree.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log1p

import numpy as np
from spacy.tokens import Doc

from accordingto.document import Encoding
from accordingto.mention import KINDS, PRONOUNS, Candidate, Name, WordRange, describe, find_candidates, text_of, words_of_names

PRONOUN_CLASSES = ("he", "she", "they", "i", "we", "it", "who", "other", "the", "a", "name")
FAR = 400.0  # words; beyond it distances are all alike


@dataclass(frozen=True)
class Source:
    """The source of one attribution with the words around it, in words of the Doc."""

    words: WordRange
    cue: WordRange
    content: tuple[WordRange, ...]
    parent_source: WordRange | None
    parent_content: tuple[WordRange, ...]


@dataclass(frozen=True)
class Situation:
    """One Doc's sources and candidates as arrays: S sources, K candidates and the source itself first, M mentions."""

    sources: list[Source]
    candidates: list[Candidate]
    names: list[str]  # S own descriptions
    source: np.ndarray  # (S, width)
    cue: np.ndarray  # (S, width)
    mentions: np.ndarray  # (M, width) mean vectors
    pointer: np.ndarray  # (S, K + 1) the mention that is nearest to the source
    features: np.ndarray  # (S, K + 1, FEATURES)

    def name(self, source: int, choice: int) -> str:
        """Return what a choice calls the speaker; choice 0 is the source itself."""
        return self.candidates[choice - 1].name if choice else self.names[source]


def describe_situation(doc: Doc, encoding: Encoding, sources: Sequence[Source], names: Sequence[Name]) -> Situation:
    """Return sources and candidates of a Doc as the network reads them; the same in training and in use."""
    candidates = find_candidates(doc, encoding, names, [s.words for s in sources])
    mentions = sorted({m for c in candidates for m in c.mentions} | {s.words for s in sources})
    place = {mention: i for i, mention in enumerate(mentions)}
    width = encoding.vectors.shape[1]

    def mean(ranges: Sequence[WordRange]) -> np.ndarray:
        return np.array([encoding.vectors[s:e].mean(0) for s, e in ranges], np.float32).reshape(len(ranges), width)

    context = _Context(doc, encoding, sources, candidates)
    pointer = np.zeros((len(sources), len(candidates) + 1), np.int64)
    features = np.zeros((len(sources), len(candidates) + 1, FEATURES), np.float32)
    for i, source in enumerate(sources):
        pointer[i, 0] = place[source.words]
        context.turn_to(source)
        features[i, 0] = context.own_features()
        for k, candidate in enumerate(candidates, 1):
            nearest = _nearest(candidate.mentions, source.words)
            pointer[i, k] = place[nearest]
            features[i, k] = context.features(candidate, nearest)
    named = words_of_names(encoding, ((n.start, n.end) for n in names))
    own = [_own_name(doc, encoding, source.words, candidates, named) for source in sources]
    return Situation(list(sources), candidates, own, mean([s.words for s in sources]), mean([s.cue for s in sources]), mean(mentions), pointer, features)


def _nearest(mentions: Sequence[WordRange], source: WordRange) -> WordRange:
    """Return the mention inside the source, else the last one before it, else the first one behind it."""
    inside = [m for m in mentions if m[0] < source[1] and source[0] < m[1]]
    before = [m for m in mentions if m[1] <= source[0]]
    return inside[0] if inside else before[-1] if before else mentions[0]


def _own_name(doc: Doc, encoding: Encoding, words: WordRange, candidates: Sequence[Candidate], named: np.ndarray) -> str:
    """Return a source's own description; several people in it are named in full and joined by *and*."""
    people = [(m, c.name) for c in candidates if c.kind == "PERSON" for m in c.mentions if words[0] <= m[0] and m[1] <= words[1]]
    text = text_of(doc, encoding, words)
    if len(people) > 1 and re.search(r"\band\b|,|&", text):
        return " and ".join(dict.fromkeys(name for _, name in sorted(people)))
    return describe(doc, encoding, words, named) or text


class _Context:
    """What the features of all pairs of a Doc are computed from."""

    def __init__(self, doc: Doc, encoding: Encoding, sources: Sequence[Source], candidates: Sequence[Candidate]) -> None:
        self.sentence = np.cumsum(encoding.sentence > 0).tolist()
        self.paragraph = np.cumsum(encoding.lines).astype(int).tolist()
        self.words = [doc[int(i)].lower_ for i in encoding.tokens]
        self.people_ends = sorted(end for c in candidates if c.kind == "PERSON" for _, end in c.mentions)
        self.explicit = sorted(s.words for s in sources if self._class(s.words) in ("the", "a", "name"))
        self.count = max(len(self.words), 1)
        self.names = {c.name: tuple(c.name.lower().split()) for c in candidates}
        self.name_words = {name: set(words) - _EMPTY for name, words in self.names.items()}
        self.as_source = {m for c in candidates for m in c.mentions if any(w[0] <= m[0] and m[1] <= w[1] for w in self.explicit)}

    def _class(self, words: WordRange) -> str:
        first = self.words[words[0]]
        if words[1] - words[0] == 1 or first in ("who", "which"):
            known = PRONOUNS.get(first)
            if known:
                return known
        return "the" if first in ("the", "his", "her", "their", "its", "this", "that", "these", "those", "my", "our") else "a" if first in ("a", "an", "one", "another", "some") else "name"

    def turn_to(self, source: Source) -> None:
        """Take up a source: what its pairs share."""
        start, end = source.words
        kind = self._class(source.words)
        self.source = source
        self.shared = [*(1.0 if kind == c else 0.0 for c in PRONOUN_CLASSES), min(end - start, 10) / 10, float(source.parent_source is not None)]
        self.last_explicit = max((w for w in self.explicit if w[1] <= start), default=None)
        self.own = set(self.words[start:end]) - _EMPTY
        self.people_before = bisect_right(self.people_ends, start)

    def own_features(self) -> list[float]:
        """Return the features of the source with itself."""
        return [*self.shared, 1.0, *[0.0] * (FEATURES - len(self.shared) - 1)]

    def features(self, candidate: Candidate, mention: WordRange) -> list[float]:
        """Return the features of the source with a candidate, by the candidate's mention nearest to it."""
        source, last_explicit, own = self.source, self.last_explicit, self.own
        start, end = source.words
        inside = mention[0] < end and start < mention[1]
        before = mention[1] <= start
        distance = 0 if inside else start - mention[1] if before else mention[0] - end
        gap = abs(self.sentence[start] - self.sentence[mention[0]])
        lines = abs(self.paragraph[start] - self.paragraph[mention[0]])
        between = self.people_before - bisect_right(self.people_ends, mention[1]) if before else 0
        name = self.names[candidate.name]
        theirs = self.name_words[candidate.name]
        out = [
            *self.shared,
            0.0,  # the source itself
            *(1.0 if candidate.kind == k else 0.0 for k in KINDS),
            inside,
            before,
            log1p(min(distance, FAR)) / 6,
            min(gap, 6) / 6,
            gap == 0,
            gap == 1,
            min(lines, 6) / 6,
            lines == 0,
            min(between, 5) / 5,
            between == 0,
            before and distance == 0,
            before and distance == 1,
            mention in self.as_source,
            last_explicit is not None and last_explicit[0] <= mention[0] and mention[1] <= last_explicit[1],
            log1p(len(candidate.mentions)) / 3,
            candidate.mentions[0][0] / self.count,
            candidate.mentions[0][0] < 15,
            _inside_any(mention, source.content),
            _inside_any(mention, source.parent_content),
            source.parent_source is not None and _overlap(mention, source.parent_source),
            source.parent_source is not None and any(_overlap(m, source.parent_source) for m in candidate.mentions),
            len(own & theirs) / max(1, len(own)),
            len(own & theirs) / max(1, len(theirs)),
            bool(own) and own <= theirs,
            name[-1:] == tuple(self.words[end - 1 : end]),
            name[-1:] == tuple(self.words[start : start + 1]),
            candidate.name.endswith("s"),
            len(theirs) > 1,
        ]
        return [float(value) for value in out]


_EMPTY = frozenset(["the", "a", "an", "of", "and", ",", ".", "'", "’", "“", "”", '"', "'s", "’s"])
FEATURES = len(PRONOUN_CLASSES) + 2 + 1 + len(KINDS) + 28


def _overlap(a: WordRange, b: WordRange) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _inside_any(mention: WordRange, ranges: Iterable[WordRange]) -> bool:
    return any(start <= mention[0] and mention[1] <= end for start, end in ranges)
