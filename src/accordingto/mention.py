"""Candidates: whom a source may refer to. The names of an article and the descriptions that it uses as sources, each entity once.

One function (`find_candidates`) for training and for use, so that they cannot disagree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc

from accordingto.decoding import WordRange
from accordingto.document import Encoding

NAME_KINDS = ("PERSON", "ORGANIZATION", "LOCATION", "MISC")
KINDS = (*NAME_KINDS, "DESCRIPTION")
_LEADING = re.compile(r"^(?:(?:the|a|an|this|that|these|those|his|her|their|its|our|my)\s+)+", re.IGNORECASE)
_TRAILING = re.compile(r"(?:[’']s|[’'](?=$))?[\s,;:.—–-]*$")
_BRACKET = re.compile(r"\s*\([^)]*\)\s*$")
_CLAUSE = re.compile(r",\s+(?:who|which|whose|where|\d).*$", re.DOTALL)
_TITLES = frozenset(["mr", "mrs", "ms", "dr", "prof", "sen", "rep", "gov", "gen", "col", "lt", "sgt", "capt", "president", "senator", "judge", "justice"])
PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself"), "he"), **dict.fromkeys(("she", "her", "hers", "herself"), "she"),
    **dict.fromkeys(("they", "them", "their", "theirs"), "they"), **dict.fromkeys(("i", "me", "my", "mine", "myself"), "i"),
    **dict.fromkeys(("we", "us", "our", "ours"), "we"), **dict.fromkeys(("it", "its"), "it"),
    **dict.fromkeys(("who", "whom", "whose", "which", "that"), "who"), **dict.fromkeys(("you", "your", "one", "some", "many", "others", "both", "all"), "other"),
}  # fmt: skip


@dataclass
class Candidate:
    """An entity of the article: its kind (KINDS), its fullest name or description, and its mentions as word ranges, in order."""

    kind: str
    name: str
    mentions: list[WordRange]


@dataclass(frozen=True)
class Name:
    """A name that the encoder found."""

    start: int
    end: int
    kind: str
    words: tuple[str, ...]  # in lower case, without titles


Key = tuple[tuple[str, ...], str]  # a name's words and kind


def find_names(doc: Doc, encoding: Encoding) -> list[Name]:
    """Return the names of an article in order, by the encoder's scores of O and of B and I of each kind."""
    tags = encoding.entity.argmax(1).tolist()
    out: list[Name] = []
    start = None
    for i, tag in enumerate([*tags, 0]):
        goes_on = start is not None and tag and tag % 2 == 0 and (tag - 1) // 2 == (tags[start] - 1) // 2 and not encoding.lines[i]
        if start is not None and not goes_on:
            name = _name(doc, encoding, start, i, NAME_KINDS[(tags[start] - 1) // 2])
            if name.words and not (out and name.start < out[-1].end):
                out.append(name)
            start = None
        if tag and not goes_on:
            start = i
    return out


def _name(doc: Doc, encoding: Encoding, start: int, end: int, kind: str) -> Name:
    words = [doc[int(encoding.tokens[i])].text for i in range(start, end)]
    while kind == "PERSON" and _goes_on_behind_hyphen(doc, encoding, start, end):
        end += 2
        words = [doc[int(encoding.tokens[i])].text for i in range(start, end)]
    while kind == "PERSON" and len(words) > 1 and words[0].lower().rstrip(".") in _TITLES:
        words, start = words[1:], start + 1
    while len(words) > 1 and words[-1] in ("’s", "'s", "’", "'"):
        words, end = words[:-1], end - 1
    return Name(start, end, kind, tuple(w.lower() for w in words if any(c.isalnum() for c in w)))


def _goes_on_behind_hyphen(doc: Doc, encoding: Encoding, start: int, end: int) -> bool:
    """Return whether a person's name goes on behind a hyphen: spaCy parts it there, and the names that the encoder learned from do not.

    Crouse | -Mays; Ban Ki | -moon; but not: Hillary Clinton | -led
    """
    if end + 1 >= len(encoding.tokens):
        return False
    hyphen, part = (doc[int(encoding.tokens[i])] for i in (end, end + 1))
    glued = hyphen.text in ("-", "‑") and not hyphen.whitespace_ and not doc[int(encoding.tokens[end - 1])].whitespace_
    return glued and (part.is_title or (end - start > 1 and part.is_lower and part.is_alpha and len(part) <= 5 and part.text not in _BEHIND_HYPHEN))


_BEHIND_HYPHEN = frozenset(["led", "like", "era", "style", "run", "owned", "based", "born", "aide", "ally", "type", "tied", "esque"])


def text_of(doc: Doc, encoding: Encoding, words: WordRange) -> str:
    """Return the text of a range of words, on one line."""
    span = doc[int(encoding.tokens[words[0]]) : int(encoding.tokens[words[1] - 1]) + 1]
    return " ".join(span.text.split())  # not doc.text: spaCy puts that together anew each time


def describe(doc: Doc, encoding: Encoding, words: WordRange, named: np.ndarray) -> str:
    """Return a source's own words; a capital that only the beginning of a sentence gives is taken back. named: (W,) words of names.

    It is taken back where the article has the word without it elsewhere: *Officials* becomes *officials*, *Islamabad* stays.
    """
    text = own_words(text_of(doc, encoding, words))
    first = doc[int(encoding.tokens[words[0]])].text
    opens = encoding.sentence[words[0]] > 0 or encoding.lines[words[0]] > 0
    common = opens and text.startswith(first) and first.istitle() and not named[words[0]] and bool((doc.to_array(ORTH) == doc.vocab.strings[first.lower()]).any())
    return text[0].lower() + text[1:] if common else text


def words_of_names(encoding: Encoding, names: Iterable[WordRange]) -> np.ndarray:
    """Return for each word whether it belongs to a name, (W,)."""
    named = np.zeros(len(encoding.tokens), bool)
    for start, end in names:
        named[start:end] = True
    return named


def own_words(text: str) -> str:
    """Return a source's own words as a description: without article, possessive, bracket and relative clause.

    the senior official, who was not named  ->  senior official
    """
    return _LEADING.sub("", _TRAILING.sub("", _BRACKET.sub("", _CLAUSE.sub("", text)))).strip(" “”\"‘’'")


def find_candidates(doc: Doc, encoding: Encoding, names: Sequence[Name], phrases: Iterable[WordRange]) -> list[Candidate]:
    """Return the entities of an article: names of one person or body together, then descriptions, from the phrases that may be meant."""
    out = [_cluster_text(doc, encoding, kind, mentions) for kind, mentions in _cluster_names(names)]
    named = words_of_names(encoding, ((n.start, n.end) for n in names))
    mentioned = {m for candidate in out for m in candidate.mentions}
    described: dict[str, Candidate] = {}
    for start, end in phrases:
        text = describe(doc, encoding, (start, end), named)
        if not text or text.lower() in PRONOUNS or named[start:end].all() or (start + 1, end) in mentioned:  # the CBO is a name
            continue
        found = described.setdefault(text.lower(), Candidate("DESCRIPTION", text, []))
        if (start, end) not in found.mentions:
            found.mentions.append((start, end))
    for candidate in described.values():
        candidate.mentions.sort()
    return out + list(described.values())


def _cluster_text(doc: Doc, encoding: Encoding, kind: str, mentions: list[Name]) -> Candidate:
    """Return a cluster as a candidate, by its fullest name."""
    fullest = max(mentions, key=lambda n: (len(n.words), -n.start))
    name = text_of(doc, encoding, (fullest.start, fullest.end))
    return Candidate(kind, name.title() if name.isupper() and kind == "PERSON" else name, [(n.start, n.end) for n in mentions])


def _cluster_names(names: Sequence[Name]) -> list[tuple[str, list[Name]]]:
    """Return the names as (kind, mentions): a short name joins the nearest longer one that it may stand for."""
    different = {(n.words, n.kind): n for n in names}
    longer = _longer_names(different.values())
    long = {key for key, found in longer.items() if not found}
    full: dict[tuple[str, ...], list[Name]] = {}
    for name in names:
        if (name.words, name.kind) in long:
            full.setdefault(name.words, []).append(name)
    for name in names:
        if name.words in full:
            if name not in full[name.words]:
                full[name.words].append(name)
            continue
        keys = longer[name.words, name.kind] & long
        nearest = _likeliest_holder(name, [other for other in names if (other.words, other.kind) in keys])
        full.setdefault(nearest.words if nearest else name.words, []).append(name)
    groups = [sorted(mentions, key=lambda n: n.start) for mentions in full.values()]
    return [(Counter(n.kind for n in group).most_common(1)[0][0], group) for group in groups]


def _longer_names(names: Iterable[Name]) -> dict[Key, set[Key]]:
    """Return for each name the longer ones that it may stand for, by words and kind; only names that share their first or last word, or whose initials it is, are compared."""
    alike: dict[str, list[Name]] = {}
    for name in names:
        for word in {name.words[0], name.words[-1], _initials(name.words)}:
            alike.setdefault(word, []).append(name)
    out: dict[Key, set[Key]] = {}
    for name in names:
        near = (other for word in {name.words[0], name.words[-1], name.words[0].replace(".", "")} for other in alike.get(word, ()))
        out[name.words, name.kind] = {(other.words, other.kind) for other in near if _may_stand_for(name, other)}
    return out


def _initials(words: Sequence[str]) -> str:
    return "".join(w[0] for w in words if w not in ("of", "the", "and", "for"))


def _likeliest_holder(name: Name, holders: Sequence[Name]) -> Name | None:
    """Return the longer name that a short one stands for: the last one before it, else the first behind it."""
    before = [other for other in holders if other.start <= name.start]
    return max(before, key=lambda o: o.start) if before else min(holders, key=lambda o: o.start, default=None)


def _may_stand_for(short: Name, long: Name) -> bool:
    """Return whether a name may be a short form of a longer one: surname or first name, last words of a body's name, or its initials."""
    if len(short.words) >= len(long.words):
        return False
    if short.kind == long.kind == "PERSON":
        return short.words[-1] == long.words[-1] or (len(short.words) == 1 and short.words[0] == long.words[0])
    if "PERSON" in (short.kind, long.kind):
        return False
    initials = _initials(long.words)
    begins = short.kind == long.kind == "ORGANIZATION" and short.words == long.words[: len(short.words)]  # Brightwell: Brightwell Energy
    return begins or short.words == long.words[-len(short.words) :] or (len(short.words) == 1 and len(initials) > 2 and short.words[0].replace(".", "") == initials)
