"""Phrases: the head of a noun phrase, where it may be cut, and the roles beside a name, from words and parts of speech.

Word indices throughout. Tags are the Penn Treebank's, as the encoder reads them: now and then one is wrong, so nothing
here decides alone; what it gives are candidates and features of a trained scorer.
"""

from __future__ import annotations

from collections.abc import Sequence

from accordingto.decoding import WordRange

MAX_PHRASE = 14  # words that a phrase is followed back
MAX_AIM = 5  # words of what an attitude aims at, by LABELS.md
MAX_ROLE = 10  # words of a role beside a name
_RELATIVE = frozenset(["that", "who", "which", "whose", "whom", "where"])
_INNER = ("DT", "PDT", "JJ", "NN", "CD", "POS", "PRP$", "HYPH", "$", "RB", "VBN", "VBG")  # what may stand inside a noun phrase
_ABBREVIATED = {
    "gov.": "governor", "sen.": "senator", "sens.": "senators", "rep.": "representative", "reps.": "representatives", "sec.": "secretary", "prof.": "professor",
    "dr.": "doctor", "gen.": "general", "lt.": "lieutenant", "sgt.": "sergeant", "capt.": "captain", "col.": "colonel", "det.": "detective", "rev.": "reverend",
    "pres.": "president", "fm": "minister", "pm": "minister", "ceo": "executive", "candidate": "nominee",
}  # fmt: skip


def is_noun(tag: str) -> bool:
    """Return whether a tag is a noun's, a pronoun's or a number's."""
    return tag.startswith("NN") or tag in ("PRP", "CD")


def head_of(tags: Sequence[str], words: WordRange) -> int:
    """Return the head of a noun phrase: the last noun before what modifies it from behind, else its last word.

    the former *secretary* of state  ->  secretary
    """
    head = None
    for i in range(*words):
        if is_noun(tags[i]):
            head = i
        elif head is not None and tags[i] not in ("POS", "HYPH", "JJ", "VBG", "CC"):
            break
    return words[1] - 1 if head is None else head


def shorter_forms(lowered: Sequence[str], tags: Sequence[str], words: WordRange) -> list[WordRange]:
    """Return the phrase, and shorter: before a comma, a relative clause or a participle; before a preposition other than *of*.

    several judges handling lawsuits in Ohio  ->  that, several judges
    """
    start, end = words
    head = next((i for i in range(start, end) if is_noun(tags[i])), end)
    clause = next((i for i in range(head + 1, end) if lowered[i] in _RELATIVE or lowered[i] in (",", "(", "–", "—") or (tags[i] in ("VBN", "VBG", "VBD") and is_noun(tags[i - 1]))), end)
    preposition = next((i for i in range(head + 1, clause) if tags[i] in ("IN", "TO") and lowered[i] != "of"), clause)
    return list(dict.fromkeys([(start, end), (start, clause), (start, preposition)]))


def phrases_before(lowered: Sequence[str], tags: Sequence[str], end: int) -> list[WordRange]:
    """Return the noun phrases that end right before a word, a comma aside: the innermost, and with what it hangs on by a preposition.

    leaders of the parties, | who  ->  the parties; leaders of the parties
    """
    end -= bool(end and lowered[end - 1] == ",")
    out = []
    start = _phrase_start(tags, end)
    while start < end:
        out.append((start, end))
        before = start - 1
        if len(out) == 3 or before < 1 or tags[before] not in ("IN", "CC", "TO"):
            break
        longer = _phrase_start(tags, before)
        if longer == before:
            break
        start = longer
    return out


def phrase_around(lowered: Sequence[str], tags: Sequence[str], word: int) -> WordRange:
    """Return the noun phrase that a word belongs to, without article and of at most five words; the word alone where it is in none."""
    if not tags[word].startswith(("NN", "CD", "JJ", "POS", "HYPH")):
        return word, word + 1
    end = word + 1
    while end < len(tags) and end - word < MAX_AIM and (tags[end].startswith(("NN", "POS")) or (tags[end] == "HYPH" and end + 1 < len(tags) and is_noun(tags[end + 1]))):
        end += 1
    while end > word + 1 and tags[end - 1] in ("POS", "HYPH"):
        end -= 1
    start = max(_phrase_start(tags, end), end - MAX_AIM) if is_noun(tags[end - 1]) else word
    while start < word and (tags[start] in ("DT", "PDT", "PRP$", "POS", "RB") or lowered[start] in ("the", "a", "an")):
        start += 1
    return min(start, word), end


def _phrase_start(tags: Sequence[str], end: int) -> int:
    start = end
    while start > max(0, end - MAX_PHRASE) and tags[start - 1].startswith(_INNER):
        start -= 1
    while start < end and tags[start] in ("RB", "VBN", "VBG", "POS", "HYPH", "RBR"):
        start += 1
    return start if any(is_noun(tag) for tag in tags[start:end]) else end


def roles_around(lowered: Sequence[str], tags: Sequence[str], name: WordRange) -> tuple[WordRange, WordRange]:
    """Return the role before a name, and the one behind it: behind a comma or *is*; empty ranges where there is none.

    Gov. | Ann Lee |, chair of Roe,
    """
    start, end = name
    before = start
    while before > max(0, start - MAX_ROLE) and (tags[before - 1].startswith(("NN", "JJ", "HYPH")) or lowered[before - 1] in _ABBREVIATED):
        before -= 1
    after = behind = end + 1
    if behind < len(tags) and (lowered[end] in ("is", "was") or lowered[end] in (",", "(", "–", "—")) and tags[behind].startswith(("DT", "JJ", "NN", "PRP$")):
        while after < min(len(tags), behind + MAX_ROLE) and tags[after].startswith((*_INNER, "IN", "TO")) and tags[after] != "VBG":
            after += 1
    return (before, start), (behind, after)


def role_words(lowered: Sequence[str], tags: Sequence[str], name: WordRange) -> set[str]:
    """Return the nouns of the roles around a name, in full.

    Gov. Ann Lee, the chair of  ->  governor, chair
    """
    found = [i for words in roles_around(lowered, tags, name) for i in range(*words)]
    return {in_full(lowered[i]) for i in found if tags[i].startswith("NN") or lowered[i] in _ABBREVIATED}


def in_full(word: str) -> str:
    """Return a title in full where it is abbreviated."""
    return _ABBREVIATED.get(word, word)
