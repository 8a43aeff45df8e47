"""Examples: the corpora of `shared/data` as arrays that the network trains on.

All corpora become one internal form here (`Example`); what a corpus does not mark is IGNORE, never a negative.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spacy.language import Language

from accordingto.training.network import CUE_TAGS, ROLE_TAGS
from accordingto.window import WordCache, Words, words_from_doc

IGNORE = -100  # torch's index of targets that count for nothing
GUIDELINES = ("polnear", "steady")
ENTITIES = ("O", *(f"{side}-{kind}" for kind in ("PERSON", "ORGANIZATION", "LOCATION", "MISC") for side in "BI"))
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


def read_jsonl(path: Path) -> Iterator[dict]:
    """Yield the objects of a JSONL file, gzipped or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def read_examples(data: Path, split: str, nlp: Language, cache: WordCache) -> dict[str, list[Example]]:
    """Return the examples of a split (`train` or `dev`) by corpus: polnear, clean, written."""
    labels = SilverLabels()
    silver = {row["id"]: row for row in read_jsonl(data / f"polnear_{split}_corenlp.jsonl.gz")} if split == "train" else {}
    out = {}
    for corpus in ("polnear", "clean", "written"):
        rows = read_jsonl(data / f"{corpus}_{split}.jsonl.gz")
        guideline = GUIDELINES.index("polnear" if corpus == "polnear" else "steady")
        out[corpus] = [_example(row, words_from_doc(nlp.make_doc(row["text"]), cache), guideline, silver.get(row["id"]), labels) for row in rows]
    return out


class SilverLabels:
    """The tags and relations met so far, numbered in order of appearance; the last number collects what comes too late."""

    def __init__(self, *, most: int = 48) -> None:
        self._most = most
        self._numbers: dict[str, dict[str, int]] = {}

    def number(self, kind: str, label: str) -> int:
        """Return the number of a label of a kind, `tag` or `relation`."""
        known = self._numbers.setdefault(kind, {})
        return known.setdefault(label, min(len(known), self._most - 1))


def _example(row: dict, words: Words, guideline: int, silver: dict | None, labels: SilverLabels) -> Example:
    """Return one article's example; attributions whose cue covers no word are left out."""
    rows = row["attributions"]
    inside = word_finder(words)
    cues, roles, contents = [], [], np.zeros(len(words), bool)
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
    cue_tags = np.zeros(len(words), np.int64)
    if not row.get("nested_labelled"):
        cue_tags[contents] = IGNORE  # nested cues may stand there, unmarked
    for start, end in cues:
        cue_tags[start:end] = CUE_TAGS.index("I")
        cue_tags[start] = CUE_TAGS.index("B")
    count = len(cues)
    return Example(row["id"], words, guideline, np.array(cues, np.int64).reshape(count, 2), np.array(roles, np.int64).reshape(count, len(words)), cue_tags, **_silver_targets(words, silver, labels))


def _without_cue(tags: np.ndarray, start: int, end: int) -> np.ndarray:
    """Return the tags with the cue's own words outside; content that went on behind the cue begins anew there."""
    if end < len(tags) and ROLE_TAGS[tags[end]].startswith("I-") and tags[start:end].any():
        tags[end] -= 1
    tags[start:end] = 0
    return tags


def word_finder(words: Words) -> Callable[[Iterable[int]], list[int]]:
    """Return a function from a span of characters to the words of which it covers at least half."""

    def inside(span: Iterable[int]) -> list[int]:
        start, end = span
        first = int(np.searchsorted(words.end_char, start, side="right"))
        last = int(np.searchsorted(words.start_char, end, side="left"))
        return [i for i in range(first, last) if 2 * (min(end, words.end_char[i]) - max(start, words.start_char[i])) >= words.end_char[i] - words.start_char[i]]

    return inside


def _silver_targets(words: Words, silver: dict | None, labels: SilverLabels) -> dict[str, np.ndarray]:
    """Return sentence starts, names and syntax by CoreNLP for the words that begin where its tokens do."""
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
        nothing = {key: np.full(len(words), IGNORE, np.int64) for key in ("cue_tags", "entity", "tag", "relation", "head")}
        sentence = np.isin(words.start_char, sorted(starts)).astype(np.int64)
        out.append(Example(name, words, 0, np.zeros((0, 2), np.int64), np.zeros((0, len(words)), np.int64), sentence=sentence, **nothing))
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
