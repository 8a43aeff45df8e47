"""Examples: the corpora of `shared/data` as arrays that the network trains on.

All corpora become one internal form here (`Example`); what a corpus does not mark is IGNORE, never a negative.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from accordingto.decoding import WordRange
from accordingto.document import encoding_of
from accordingto.label import LABELS
from accordingto.training.network import CUE_TAGS, ROLE_TAGS
from accordingto.window import WordCache, Words, words_from_doc

IGNORE = -100  # torch's index of targets that count for nothing
GUIDELINES = ("polnear", "steady")
ENTITIES = ("O", *(f"{side}-{kind}" for kind in ("PERSON", "ORGANIZATION", "LOCATION", "MISC") for side in "BI"))
EMPTY_WORDS = frozenset(["a", "an", "the", "of", "to", "in", "on", "at", "for", "and", "or", "his", "her", "their", "its", "s", "that", "this", "with", "by", "from"])
PHRASE_ENDS = frozenset([",", "(", "of", "who", "which", "that", "for", "in", "at", "with", "from", "on", "to", "by", "and", "’s", "'s"])  # the head of a noun phrase stands before the first of them
HELD_OUT_EVERY = 5  # one OntoGUM document in five is kept out of training, to measure sentences on


@dataclass(frozen=True)
class Example:
    """One article with its targets; W words, C cues."""

    article_id: str
    words: Words
    guideline: int  # index into GUIDELINES
    cues: np.ndarray  # (C, 2) word ranges [start, end)
    roles: np.ndarray  # (C, W) index into ROLE_TAGS
    cue_tags: np.ndarray  # (W,) index into CUE_TAGS, or IGNORE
    sentence: np.ndarray  # (W,) 1 where a sentence begins, or IGNORE
    entity: np.ndarray  # (W,) index into ENTITIES, or IGNORE
    tag: np.ndarray  # (W,) part of speech, or IGNORE
    relation: np.ndarray  # (W,) dependency label, or IGNORE
    head: np.ndarray  # (W,) word index of the head, or IGNORE
    labels: np.ndarray  # (C, fields) index into label.LABELS' values, or IGNORE
    aims: tuple[np.ndarray, ...]  # C arrays: words by which the attitude's target is named
    links: tuple[tuple[int, np.ndarray], ...] = ()  # a mention's head word, and those of other mentions of its entity


def read_jsonl(path: Path) -> Iterator[dict]:
    """Yield the objects of a JSONL file, gzipped or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def read_examples(data: Path, split: str, nlp: Language, cache: WordCache, *, stop_headings: bool = False, labels: SilverLabels | None = None) -> dict[str, list[Example]]:
    """Return the examples of a split (`train` or `dev`) by corpus: polnear, clean, written.

    stop_headings: as in `words_from_doc`; labels: takes up the numbers of tags and relations.
    """
    labels = SilverLabels() if labels is None else labels
    silver = {row["id"]: row for row in read_jsonl(data / f"polnear_{split}_corenlp.jsonl.gz")} if split == "train" else {}
    out = {}
    for corpus in ("polnear", "clean", "written"):
        rows = read_jsonl(data / f"{corpus}_{split}.jsonl.gz")
        guideline = GUIDELINES.index("polnear" if corpus == "polnear" else "steady")
        out[corpus] = [make_example(row, words_from_doc(nlp.make_doc(row["text"]), cache, stop_headings=stop_headings), guideline, silver.get(row["id"]), labels) for row in rows]
    return out


class SilverLabels:
    """The tags and relations met so far, numbered in order of appearance; the last number collects what comes too late."""

    def __init__(self, *, most: int = 48, tags: Sequence[str] = ()) -> None:
        """tags: parts of speech that have their numbers already, of a network that is trained on."""
        self._most = most
        self._numbers: dict[str, dict[str, int]] = {"tag": {tag: number for number, tag in enumerate(tags)}}

    def number(self, kind: str, label: str) -> int:
        """Return the number of a label of a kind, `tag` or `relation`."""
        known = self._numbers.setdefault(kind, {})
        return known.setdefault(label, min(len(known), self._most - 1))

    def names(self, kind: str) -> list[str]:
        """Return the labels of a kind by their numbers; of those that share the last number, the first."""
        return list(self._numbers.get(kind, {}))[: self._most]


def make_example(row: dict, words: Words, guideline: int, silver: dict | None, silver_labels: SilverLabels) -> Example:
    """Return one article's example; attributions whose cue covers no word are left out."""
    rows = row["attributions"]
    inside = word_finder(words.start_char, words.end_char)
    cues, roles, contents, labels, aims = [], [], np.zeros(len(words), bool), [], []
    lowered = [row["text"][start:end].lower() for start, end in zip(words.start_char, words.end_char, strict=True)]
    for attribution in rows:
        cue = [i for span in attribution["cue"] for i in inside(span)]
        if not cue:
            continue
        tags = np.zeros(len(words), np.int64)
        for role in ("content", "source"):  # the source last: where marks overlap, the smaller one stands
            for span in attribution[role]:
                places = inside(span)
                tags[places] = ROLE_TAGS.index(f"I-{role}")
                tags[places[:1]] = ROLE_TAGS.index(f"B-{role}")
        contents |= tags >= ROLE_TAGS.index("B-content")
        cues.append((cue[0], cue[-1] + 1))
        roles.append(_without_cue(tags, cue[0], cue[-1] + 1))
        labels.append([values.index(attribution[field]) if attribution.get(field) in values else IGNORE for field, values in LABELS.items()])
        aim = set(re.findall(r"\w+", (attribution.get("attitude_target") or "").lower())) - EMPTY_WORDS
        aims.append(np.array([i for i, word in enumerate(lowered) if word in aim], np.int64))
    cue_tags = np.zeros(len(words), np.int64)
    for undecided in row.get("undecided", ()):  # by a reviewer: neither a cue nor none
        for span in undecided["cue"]:
            cue_tags[inside(span)] = IGNORE
    if not row.get("nested_labelled"):
        cue_tags[contents] = IGNORE  # nested cues may stand there, unmarked
    for start, end in cues:
        cue_tags[start:end] = CUE_TAGS.index("I")
        cue_tags[start] = CUE_TAGS.index("B")
    count, targets = len(cues), _silver_targets(words, silver, silver_labels)
    return Example(
        row["id"], words, guideline, np.array(cues, np.int64).reshape(count, 2), np.array(roles, np.int64).reshape(count, len(words)), cue_tags,
        targets["sentence"], targets["entity"], targets["tag"], targets["relation"], targets["head"], np.array(labels, np.int64).reshape(count, len(LABELS)), tuple(aims),
        (*_silver_links(words, silver), *_speaker_links(row, words, inside)),
    )  # fmt: skip


def _silver_links(words: Words, silver: dict | None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each mention of CoreNLP's coreference by its head word, with the head words of the others of its entity."""
    if silver is None:
        return
    word_at = {int(start): i for i, start in enumerate(words.start_char)}
    places, heads = [word_at.get(start) for start, _ in silver["tokens"]], silver["heads"]
    for entity in silver["coref"]:
        tops = [next((t for t in range(start, end) if not start <= heads[t] < end), end - 1) for start, end in entity]
        found = sorted({place for top in tops if (place := places[top]) is not None})
        for place in found:
            yield place, np.array([other for other in found if other != place], np.int64)


def _speaker_links(row: dict, words: Words, inside: Callable[[Iterable[int]], list[int]]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the head word of each source whose labelled speaker is a name, with the words in which that name ends."""
    texts = [row["text"][start:end] for start, end in zip(words.start_char, words.end_char, strict=True)]
    for attribution in row["attributions"]:
        last = re.findall(r"\w+", attribution.get("speaker") or "")[-1:]
        if not last or not last[0][:1].isupper() or not attribution["source"]:
            continue
        source = inside(attribution["source"][0])
        phrase = list(takewhile(lambda i: texts[i].lower() not in PHRASE_ENDS, source)) or source
        if phrase:
            head = next((i for i in source if texts[i] == last[0]), phrase[-1])
            yield head, np.array([i for i, text in enumerate(texts) if text == last[0] and i != head], np.int64)


def _without_cue(tags: np.ndarray, start: int, end: int) -> np.ndarray:
    """Return the tags with the cue's own words outside; content that went on behind the cue begins anew there."""
    if end < len(tags) and ROLE_TAGS[tags[end]].startswith("I-") and tags[start:end].any():
        tags[end] -= 1
    tags[start:end] = 0
    return tags


def word_finder(start_char: np.ndarray, end_char: np.ndarray) -> Callable[[Iterable[int]], list[int]]:
    """Return a function from a span of characters to the words of which it covers at least half; (W,) the words' borders."""

    def inside(span: Iterable[int]) -> list[int]:
        start, end = span
        first = int(np.searchsorted(end_char, start, side="right"))
        last = int(np.searchsorted(start_char, end, side="left"))
        return [i for i in range(first, last) if 2 * (min(end, end_char[i]) - max(start, start_char[i])) >= end_char[i] - start_char[i]]

    return inside


def gold_ranges(doc: Doc) -> Callable[[Iterable[Sequence[int]]], tuple[WordRange, ...]]:
    """Return a function from the spans of gold marks to the ranges of words of an encoded Doc; spans that cover no word are left out."""
    tokens = encoding_of(doc).tokens
    start = np.array([doc[int(i)].idx for i in tokens])
    end = np.array([doc[int(i)].idx + len(doc[int(i)]) for i in tokens])
    inside = word_finder(start, end)

    def ranges(spans: Iterable[Sequence[int]]) -> tuple[WordRange, ...]:
        found = [inside(span) for span in spans]
        return tuple((places[0], places[-1] + 1) for places in found if places)

    return ranges


def _silver_targets(words: Words, silver: dict | None, labels: SilverLabels) -> dict[str, np.ndarray]:
    """Return sentence starts, names, parts of speech, relations and heads by CoreNLP for the words that begin where its tokens do."""
    out = {name: np.full(len(words), IGNORE, np.int64) for name in ("sentence", "entity", "tag", "relation", "head")}
    if silver is None:
        return out
    word_at = {int(start): i for i, start in enumerate(words.start_char)}
    places = [word_at.get(start) for start, _ in silver["tokens"]]
    starts, before = set(silver["sent_starts"]), "O"
    for token, place in enumerate(places):
        kind = silver["ner"][token]
        inside, before = kind == before, kind
        if place is None:
            continue
        name = f"{'I' if inside else 'B'}-{kind}"
        out["sentence"][place] = token in starts
        out["entity"][place] = ENTITIES.index(name) if name in ENTITIES else 0
        out["tag"][place] = labels.number("tag", silver["pos"][token])
        out["relation"][place] = labels.number("relation", silver["deps"][token])
        head = silver["heads"][token]
        target = places[head] if 0 <= head < len(places) else None
        out["head"][place] = IGNORE if target is None else target
    return out


def read_sentences(path: Path, nlp: Language, cache: WordCache, *, held_out: bool) -> list[Example]:
    """Return OntoGUM's documents with their gold sentence starts: the held-out ones, or the others."""
    out = []
    for number, (name, text, starts) in enumerate(read_ontogum(path)):
        if (number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1) != held_out:
            continue
        words = words_from_doc(nlp.make_doc(text), cache)
        nothing = np.full(len(words), IGNORE, np.int64)
        no_cues, no_roles, no_labels = (np.zeros((0, size), np.int64) for size in (2, len(words), len(LABELS)))
        sentence = np.isin(words.start_char, sorted(starts)).astype(np.int64)
        out.append(Example(name, words, 0, no_cues, no_roles, nothing, sentence, nothing, nothing, nothing, nothing, no_labels, ()))
    return out


def read_ontogum(path: Path) -> Iterator[tuple[str, str, set[int]]]:
    """Yield each document's id, its text (a blank line between paragraphs) and the characters where sentences begin."""
    starts: set[int] = set()
    name, text, fresh = "", "", False
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        skip_until = 0
        for line in lines:
            if line.startswith("# newdoc id"):
                if text:
                    yield name, text.rstrip(), starts
                name, text, starts = line.split("=")[1].strip(), "", set()
            elif line.startswith("# newpar =") or line.strip() == "# newpar":
                text = text.rstrip() + "\n\n" if text else ""
            elif line.startswith("# sent_id"):
                fresh, skip_until = True, 0
            elif line[0].isdigit():
                fields = line.rstrip("\n").split("\t")
                first, _, last = fields[0].partition("-")
                if "." in first or (not last and int(first) <= skip_until):
                    continue  # an elided word, or a part of a word that stands whole already
                skip_until = int(last) if last else skip_until
                if fresh:
                    starts.add(len(text))
                    fresh = False
                text += fields[1] + ("" if "SpaceAfter=No" in fields[9] else " ")
    if text:
        yield name, text.rstrip(), starts
