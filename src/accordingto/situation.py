"""A situation: the sources and candidates of one article, as the arrays that the scorer of speakers reads.

One function (`describe_situation`) for training and for use, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from spacy.tokens import Doc

from accordingto.decoding import WordRange
from accordingto.document import Encoding, lowered_words
from accordingto.likeness import words_in_common
from accordingto.mention import KINDS, PRONOUNS, Candidate, Name, describe, find_candidates, name_in_full, text_of, words_of_names
from accordingto.phrase import head_of, phrases_before, shorter_forms

SOURCE_CLASSES = ("he", "she", "they", "i", "we", "it", "who", "other", "the", "a", "name")
OWN_FORMS = 3  # the source's own words, and at most two shorter forms of them
FAR = 400.0  # words; beyond it distances are all alike
_HEADLINE = 15  # words


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
    """One Doc's sources and choices as arrays: S sources; N choices, first the OWN_FORMS, then K candidates; M mentions."""

    sources: list[Source]
    candidates: list[Candidate]
    forms: list[list[str]]  # S lists of own forms
    source: np.ndarray  # (S, width) mean vectors
    head: np.ndarray  # (S, width) of the sources' heads
    cue: np.ndarray  # (S, width)
    mentions: np.ndarray  # (M, width) mean vectors
    mention_heads: np.ndarray  # (M, width)
    member: np.ndarray  # (N, M) 1 where a mention is a candidate's
    pointer: np.ndarray  # (S, N) the mention that is nearest to the source
    possible: np.ndarray  # (S, N) 1 for choices that are there
    features: np.ndarray  # (S, N, FEATURES)

    def name(self, source: int, choice: int) -> str:
        """Return what a choice calls the speaker; the first choices are the source's own words."""
        if choice >= OWN_FORMS:
            return self.candidates[choice - OWN_FORMS].name
        forms = self.forms[source]
        return forms[min(choice, len(forms) - 1)]

    def joined(self, chances: np.ndarray) -> np.ndarray:
        """Return the choices' chances, (S, N), where those of own forms that are called as a candidate is are the candidate's."""
        number = {candidate.name.casefold(): k for k, candidate in enumerate(self.candidates, OWN_FORMS)}
        out = chances.copy()
        for row, forms in enumerate(self.forms):
            for own, form in enumerate(forms[:OWN_FORMS]):
                same = number.get(form.casefold())
                if same is not None:
                    out[row, same] += out[row, own]
                    out[row, own] = 0
        return out


ARRAYS = ("source", "head", "cue", "mentions", "mention_heads", "member", "pointer", "possible", "features")


def describe_situation(doc: Doc, encoding: Encoding, sources: Sequence[Source], names: Sequence[Name], *, known: Sequence[Source] = ()) -> Situation:
    """Return sources and choices of a Doc as the network reads them; the same in training and in use.

    known: the Doc's sources where `sources` are other words than those, such as what an attitude aims at.
    """
    text = _Text(doc, encoding)
    all_sources = known or sources
    antecedents = [p for s in all_sources if text.source_class(s.words) == "who" for p in phrases_before(text.lowered, encoding.tags, s.words[0])]
    candidates = find_candidates(doc, encoding, names, [*(s.words for s in all_sources), *antecedents])
    mentions = sorted({m for c in candidates for m in c.mentions} | {s.words for s in sources})
    place = {mention: i for i, mention in enumerate(mentions)}
    named = words_of_names(encoding, ((n.start, n.end) for n in names))
    in_full = {m: c.name for c in candidates if c.kind != "DESCRIPTION" for m in c.mentions}
    forms = [_own_forms(doc, encoding, text, source.words, candidates, named, in_full) for source in sources]
    member = np.zeros((OWN_FORMS + len(candidates), len(mentions)), np.float32)
    for k, candidate in enumerate(candidates, OWN_FORMS):
        member[k, [place[m] for m in candidate.mentions]] = 1
    pointer, features = _pair_features(text, encoding, sources, candidates, place, [s.words for s in all_sources if text.source_class(s.words) in ("the", "a", "name")])
    possible = np.ones(pointer.shape, np.float32)
    for i, own in enumerate(forms):
        possible[i, len(own) : OWN_FORMS] = 0
    vectors = encoding.vectors

    def means(ranges: Sequence[WordRange]) -> np.ndarray:
        return np.array([vectors[s:e].mean(0) for s, e in ranges], np.float32).reshape(len(ranges), vectors.shape[1])

    def heads(ranges: Sequence[WordRange]) -> np.ndarray:
        return vectors[[head_of(encoding.tags, r) for r in ranges]].astype(np.float32).reshape(len(ranges), vectors.shape[1])

    spans = [s.words for s in sources]
    return Situation(list(sources), candidates, forms, means(spans), heads(spans), means([s.cue for s in sources]), means(mentions), heads(mentions), member, pointer, possible, features)


def _own_forms(doc: Doc, encoding: Encoding, text: _Text, words: WordRange, candidates: Sequence[Candidate], named: np.ndarray, in_full: Mapping[WordRange, str]) -> list[str]:
    """Return a source's own descriptions, the longest first; several people in it are named in full and joined by *and*, a name alone is named in full."""
    whole = text_of(doc, encoding, words)
    full = name_in_full(doc, encoding, words, named, text.lowered, candidates)
    if full:
        return [full]
    ranges = shorter_forms(text.lowered, encoding.tags, words)
    names = [in_full.get((start + (text.lowered[start] in ("the", "a", "an")), end)) for start, end in ranges]
    if any(names):  # Safe Cribs Now, | an advocacy group
        return [next(filter(None, names))]
    forms = [describe(doc, encoding, (start, end), named) for start, end in ranges]
    return list(dict.fromkeys(form for form in forms if form)) or [whole]


class _Text:
    """The words of a Doc as the features need them."""

    def __init__(self, doc: Doc, encoding: Encoding) -> None:
        self.lowered = lowered_words(doc, encoding)
        self.sentence = np.cumsum(encoding.sentence > 0)  # (W,) number of the sentence
        self.paragraph = np.cumsum(encoding.lines).astype(int)
        starts = np.flatnonzero(np.diff(self.sentence, prepend=-1))
        self.into_sentence = np.arange(len(self.lowered)) - starts[np.searchsorted(starts, np.arange(len(self.lowered)), side="right") - 1] if len(starts) else np.zeros(0, int)

    def source_class(self, words: WordRange) -> str:
        """Return the class of a source (SOURCE_CLASSES): its pronoun, or how its phrase begins."""
        first = self.lowered[words[0]]
        if words[1] - words[0] == 1 or first in ("who", "which"):
            known = PRONOUNS.get(first)
            if known:
                return known
        if any(w in ("whom", "which") for w in self.lowered[words[0] : words[1]]) and words[1] - words[0] <= 5:
            return "who"  # many of whom
        return "the" if first in ("the", "his", "her", "their", "its", "this", "that", "these", "those", "my", "our") else "a" if first in ("a", "an", "one", "another", "some") else "name"


def _pair_features(text: _Text, encoding: Encoding, sources: Sequence[Source], candidates: Sequence[Candidate], place: dict[WordRange, int], explicit: Sequence[WordRange]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each source and choice the mention nearest to the source (S, N), and the features (S, N, FEATURES).

    explicit: the sources that are names or descriptions.
    """
    count, own_count, total = len(sources), OWN_FORMS, len(candidates)
    start = np.array([s.words[0] for s in sources])
    end = np.array([s.words[1] for s in sources])
    pointer = np.zeros((count, own_count + total), np.int64)
    pointer[:, :own_count] = [[place[s.words]] for s in sources]
    classes = [text.source_class(s.words) for s in sources]
    features = np.zeros((count, own_count + total, FEATURES), np.float32)
    shared = _source_features(encoding, sources, classes)
    features[:, :, : shared.shape[1]] = shared[:, None]
    column = shared.shape[1]
    features[:, range(own_count), range(column, column + own_count)] = 1
    if not total:
        return pointer, features
    of_candidate = [np.array([place[m] for m in candidate.mentions]) for candidate in candidates]
    pointer[:, own_count:] = np.array([numbers[_nearest(candidate.mentions, start, end)] for candidate, numbers in zip(candidates, of_candidate, strict=True)]).T
    near = np.array(list(place))[pointer[:, own_count:]]  # (S, K, 2)
    parts = [
        _kinds(candidates, count),
        _positions(text, candidates, near, start, end),
        _sourcehood(candidates, of_candidate, pointer[:, own_count:], near, start, explicit, list(place)),
        _containment(sources, candidates, near),
        words_in_common(text.lowered, encoding, sources, candidates, classes),
    ]
    features[:, own_count:, column + own_count :] = np.concatenate(parts, -1)
    return pointer, features


def _source_features(encoding: Encoding, sources: Sequence[Source], classes: Sequence[str]) -> np.ndarray:
    """Return what all pairs of a source share, (S, SHARED)."""
    out = np.zeros((len(sources), SHARED), np.float32)
    for i, (source, name) in enumerate(zip(sources, classes, strict=True)):
        out[i, SOURCE_CLASSES.index(name)] = 1
        start, end = source.words
        out[i, -4:] = min(end - start, 10) / 10, source.parent_source is not None, encoding.tags[head_of(encoding.tags, source.words)] in ("NNS", "NNPS"), bool(source.parent_content)
    return out


def _nearest(mentions: Sequence[WordRange], start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return for each source the number of the mention inside it, else of the last one before it, else of the first one behind it, (S,)."""
    begins, ends = np.array(mentions).T
    behind = np.searchsorted(ends, start, side="right")  # the first mention that ends behind the source's start
    inside = (behind < len(begins)) & (begins[np.minimum(behind, len(begins) - 1)] < end)
    return np.where(inside, behind, np.maximum(behind - 1, 0))


def _kinds(candidates: Sequence[Candidate], count: int) -> np.ndarray:
    kinds = np.array([[c.kind == k for k in KINDS] for c in candidates], np.float32)
    return np.broadcast_to(kinds, (count, *kinds.shape))


def _positions(text: _Text, candidates: Sequence[Candidate], near: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return how the nearest mention lies to the source, (S, K, 16)."""
    begins, ends = near[..., 0], near[..., 1]
    first, last = start[:, None], end[:, None]
    inside, before = (begins < last) & (first < ends), ends <= first
    distance = np.where(inside, 0, np.where(before, first - ends, begins - last))
    gap = np.abs(text.sentence[first] - text.sentence[begins])
    lines = np.abs(text.paragraph[first] - text.paragraph[begins])
    people = np.sort([m[1] for c in candidates if c.kind == "PERSON" for m in c.mentions])
    between = np.where(before, np.searchsorted(people, first, side="right") - np.searchsorted(people, ends, side="right"), 0)
    columns = [
        inside, before, np.log1p(np.minimum(distance, FAR)) / 6, np.minimum(gap, 6) / 6, gap == 0, gap == 1, np.minimum(lines, 6) / 6, lines == 0,
        np.minimum(between, 5) / 5, between == 0, before & (distance == 0), before & (distance == 1), np.minimum(text.into_sentence[begins], 10) / 10,
        text.into_sentence[begins] <= 1, (gap == 1) & (text.into_sentence[begins] <= 1), np.log1p(np.minimum(distance, FAR)) * before / 6,
    ]  # fmt: skip
    return np.stack(columns, -1).astype(np.float32)


def _sourcehood(candidates: Sequence[Candidate], of_candidate: Sequence[np.ndarray], pointer: np.ndarray, near: np.ndarray, start: np.ndarray, explicit: Sequence[WordRange], mentions: Sequence[WordRange]) -> np.ndarray:
    """Return how prominent the candidates are, and whether they were sources before, (S, K, 9); of_candidate: numbers of their mentions."""
    ordered = sorted(explicit)
    begins = np.array([w[0] for w in ordered])
    as_source = np.array([_held(m, ordered, begins) for m in mentions])  # (M,)
    first = np.array([m[0] for m in mentions])
    times = np.array([np.searchsorted(first[numbers[as_source[numbers]]], start) for numbers in of_candidate], np.float32).T  # (S, K)
    mentioned = np.array([np.searchsorted(first[numbers], start) for numbers in of_candidate], np.float32).T
    last = [max((w for w in ordered if w[1] <= s), default=(-1, -1)) for s in start.tolist()]
    last_first, last_end = (np.array(side)[:, None] for side in zip(*last, strict=True))
    was_last = (last_first <= near[..., 0]) & (near[..., 1] <= last_end)
    share = mentioned / np.maximum(mentioned.max(1, keepdims=True), 1)
    columns = [as_source[pointer], was_last, np.log1p(times) / 3, times > 0, np.log1p(mentioned) / 3, share]
    whole = np.array([[np.log1p(len(c.mentions)) / 3, min(c.mentions[0][0], 500) / 500, c.mentions[0][0] < _HEADLINE] for c in candidates], np.float32)
    return np.concatenate([np.stack(columns, -1), np.broadcast_to(whole, (*near.shape[:2], 3))], -1).astype(np.float32)


def _held(mention: WordRange, ordered: Sequence[WordRange], begins: np.ndarray) -> bool:
    """Return whether a mention stands inside one of the ranges, which are in order."""
    at = int(np.searchsorted(begins, mention[0], side="right"))
    return any(mention[1] <= end for _, end in ordered[max(0, at - 3) : at])


def _containment(sources: Sequence[Source], candidates: Sequence[Candidate], near: np.ndarray) -> np.ndarray:
    """Return whether the mention stands in the source's own content, in its parent's, or in its parent's source, (S, K, 4)."""
    out = np.zeros((*near.shape[:2], 4), np.float32)
    begins, ends = near[..., 0], near[..., 1]
    for i, source in enumerate(sources):
        for column, ranges in ((0, source.content), (1, source.parent_content)):
            for start, end in ranges:
                out[i, :, column] += (start <= begins[i]) & (ends[i] <= end)
        if source.parent_source is not None:
            start, end = source.parent_source
            out[i, :, 2] = (begins[i] < end) & (start < ends[i])
            out[i, :, 3] = [any(m[0] < end and start < m[1] for m in c.mentions) for c in candidates]
    return out


SHARED = len(SOURCE_CLASSES) + 4
FEATURES = SHARED + OWN_FORMS + len(KINDS) + 16 + 9 + 4 + 16
