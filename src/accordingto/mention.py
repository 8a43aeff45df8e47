"""Candidates: whom a source may refer to. The names of an article and the descriptions that it uses as sources, each entity once.

One function (`find_candidates`) for training and for use, so that they cannot disagree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc

from accordingto.decoding import WordRange
from accordingto.document import Encoding, lowered_words
from accordingto.gender import gender_of_name, gender_of_title
from accordingto.share import find_whole, is_share

NAME_KINDS = ("PERSON", "ORGANIZATION", "LOCATION", "MISC")
KINDS = (*NAME_KINDS, "DESCRIPTION")
_LEADING = re.compile(r"^(?:(?:the|a|an|this|that|these|those|his|her|their|its|our|my)\s+)+", re.IGNORECASE)
_TRAILING = re.compile(r"(?:[’']s|[’'](?=$))?[\s,;:.—–-]*$")
_BRACKET = re.compile(r"\s*\([^)]*\)\s*$")
_CLAUSE = re.compile(r",\s+(?:who|which|whose|where|\d).*$", re.DOTALL)
_JOINS = frozenset(["and", ",", "&"])  # between people
_OFFICES = ("president", "vice", "prime", "minister", "secretary", "chief", "justice", "judge", "attorney", "mayor", "speaker", "chairman", "chancellor", "ambassador", "councillor", "cr", "sir", "lord", "lady", "dame")
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sen", "sens", "senator", "rep", "reps", "gov", "governor", "del", "gen", "general", "col", "colonel", "lt", "sgt", "capt", "rev", "hon", *_OFFICES])
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
    title: float = 0.0  # the gender that the title before it says


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
        while end < len(encoding.tokens) and encoding.tags[end] == "NNP" and doc[int(encoding.tokens[end])].is_title and not encoding.lines[end]:  # Jean-Marc Ayrault
            end += 1
        words = [doc[int(encoding.tokens[i])].text for i in range(start, end)]
    while kind == "PERSON" and len(words) > 1 and words[0].lower().rstrip(".") in _TITLES:
        words, start = words[1:], start + 1
    while kind != "PERSON" and len(words) > 1 and words[0].lower() == "the":
        words, start = words[1:], start + 1
    while len(words) > 1 and words[-1].lower() in _NO_LAST_WORDS:
        words, end = words[:-1], end - 1
    title = gender_of_title(doc[int(encoding.tokens[start - 1])].text) if start else 0.0
    return Name(start, end, kind, tuple(w.lower() for w in words if any(c.isalnum() for c in w)), title)


def _goes_on_behind_hyphen(doc: Doc, encoding: Encoding, start: int, end: int) -> bool:
    """Return whether a person's name goes on behind a hyphen: spaCy parts it there, and the names that the encoder learned from do not.

    Crouse | -Mays; Ban Ki | -moon; but not: Hillary Clinton | -led
    """
    if end + 1 >= len(encoding.tokens):
        return False
    hyphen, part = (doc[int(encoding.tokens[i])] for i in (end, end + 1))
    glued = hyphen.text in ("-", "‑") and not hyphen.whitespace_ and not doc[int(encoding.tokens[end - 1])].whitespace_
    return glued and (part.is_title or (end - start > 1 and part.is_lower and part.is_alpha and len(part) <= 5 and part.text not in _BEHIND_HYPHEN))


_NO_LAST_WORDS = frozenset(["’s", "'s", "’", "'", "the", "a", "of", "at", "in", "for", "and"])
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
    phrases = list(phrases)
    lowered = lowered_words(doc, encoding) if phrases else []
    described: dict[str, Candidate] = {}
    for start, end in phrases:
        text = name_in_full(doc, encoding, (start, end), named, lowered, out) or describe(doc, encoding, (start, end), named)
        if not text or text.lower() in PRONOUNS or named[start:end].all() or (start + 1, end) in mentioned:  # the CBO is a name
            continue
        found = described.setdefault(text.lower(), Candidate("DESCRIPTION", text, []))
        if (start, end) not in found.mentions:
            found.mentions.append((start, end))
    for candidate in described.values():
        candidate.mentions.sort()
    return out + list(described.values())


def name_in_full(doc: Doc, encoding: Encoding, words: WordRange, named: np.ndarray, lowered: Sequence[str], candidates: Iterable[Candidate]) -> str | None:
    """Return what a phrase means where its own words leave something out: several people each by the full name, a bare share with of what it is one; else None.

    Obama and Clinton  ->  Barack Obama and Hillary Clinton;  46 percent  ->  46 percent of likely voters
    """
    if is_share(lowered, words):
        whole = find_whole(lowered, encoding.tags, words)
        return f"{describe(doc, encoding, words, named)} of {text_of(doc, encoding, whole)}" if whole else None
    if not _JOINS & set(lowered[words[0] : words[1]]):
        return None
    people = sorted((m, c.name) for c in candidates if c.kind == "PERSON" for m in c.mentions if words[0] <= m[0] and m[1] <= words[1])
    names = list(dict.fromkeys(name for _, name in people))
    return " and ".join(names) if len(names) > 1 else None


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
    """Return for each name the longer ones that it may stand for, by words and kind; only names that share a word, or whose initials it is, are compared."""
    alike: dict[str, list[Name]] = {}
    for name in names:
        for word in {*(name.words if name.kind == "PERSON" else (name.words[0], name.words[-1])), *_initials(name.words)}:
            alike.setdefault(word, []).append(name)
    out: dict[Key, set[Key]] = {}
    for name in names:
        near = (other for word in {name.words[0], name.words[-1], _surname(name.words), name.words[0].replace(".", "")} for other in alike.get(word, ()))
        out[name.words, name.kind] = {(other.words, other.kind) for other in near if _may_stand_for(name, other)}
    return out


def _likeliest_holder(name: Name, holders: Sequence[Name]) -> Name | None:
    """Return the longer name that a short one stands for: the last one before it, else the first behind it.

    A person: of the gender that the title says, and by the name that stands in full most often.

    Bill Clinton … Hillary Clinton … Bill Clinton | Mrs. Clinton  ->  Hillary Clinton
    """
    if name.kind == "PERSON" and len({o.words for o in holders}) > 1:
        for rank in (lambda o: gender_of_name(o.words) * name.title, lambda o: o.end - o.start != 3 or len(o.words) != 2):  # Cruz-Rubio is no person
            best = max(map(rank, holders))
            holders = [o for o in holders if rank(o) == best]
        times = Counter(o.words for o in holders)
        holders = [o for o in holders if times[o.words] == max(times.values())]
    before = [other for other in holders if other.start <= name.start]
    return max(before, key=lambda o: o.start) if before else min(holders, key=lambda o: o.start, default=None)


def _may_stand_for(short: Name, long: Name) -> bool:
    """Return whether a name may be a short form of a longer one: surname or first name, last words of a body's name, or its initials."""
    if len(short.words) >= len(long.words):
        return False
    if long.kind == "PERSON" and short.kind in ("PERSON", "ORGANIZATION"):  # a bare surname is now and then taken for a body's name
        if len(short.words) == 1:
            return short.words[0] in (long.words if short.kind == "PERSON" else (_surname(long.words),))
        another = not any(w[0] == short.words[0][0] for w in long.words[:-1])  # Jeb Bush is not George W. Bush
        return _surname(short.words) == _surname(long.words) and not another
    if "PERSON" in (short.kind, long.kind):
        return False
    begins = short.kind == long.kind == "ORGANIZATION" and short.words == long.words[: len(short.words)]  # Brightwell: Brightwell Energy
    return begins or short.words == long.words[-len(short.words) :] or (len(short.words) == 1 and short.words[0].replace(".", "") in _initials(long.words))


def _surname(words: tuple[str, ...]) -> str:
    """Return the last word that is not *Jr.* or its like; *Sr.* is another person."""
    return next((w for w in reversed(words) if w.rstrip(".") not in ("jr", "ii", "iii")), words[-1])


@lru_cache(maxsize=10_000)
def _initials(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the initials that may stand for a name: with and without *to*, without *of* and its like in any case; three letters or more also without what comes before.

    the federal Securities and Exchange Commission  ->  FSEC, SEC
    """
    plain = [w for w in words if w not in ("of", "the", "and", "for")]
    both = {"".join(w[0] for w in plain), "".join(w[0] for w in plain if w not in ("to", "in", "on"))}
    return tuple(i for i in both | {i[at:] for i in both for at in range(1, len(i) - 2)} if len(i) > 1)
