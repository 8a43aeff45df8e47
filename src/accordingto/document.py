"""A Doc and what it carries: the one place that says where on a Doc each stage's result lives.

- the encoder's words: `doc.tensor`, rows by token, columns by COLUMNS; its windows in `doc.user_data`
- parts of speech, as in the Penn Treebank: `token.tag_`
- sentences: `doc.sents`
- attributions: the span groups `source`, `cue` and `content`, linked by `span.id_`; parent, confidence and speaker of
  each in the attributes of the group `cue`. All three survive `DocBin` and `to_bytes`.
- names: `doc.ents`
- furniture of the page: the span group `furniture`, whose labels are its types
- the article's title, where it is known: in `doc.user_data`
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from spacy.attrs import IS_SPACE, LENGTH, LOWER, SPACY, TAG
from spacy.tokens import Doc, Span, SpanGroup

from accordingto.decoding import WordRange
from accordingto.schema import Attribution, CharSpan

WIDTH = 384
COLUMNS: dict[str, int | slice] = {"vector": slice(0, WIDTH), "sentence": WIDTH, "cue": slice(WIDTH + 1, WIDTH + 4), "entity": slice(WIDTH + 4, WIDTH + 13), "line": WIDTH + 13}
ROLES = ("source", "cue", "content")
_FACTS = tuple(f.name for f in fields(Attribution) if f.name not in ROLES)
_READ = "accordingto_read"  # in user_data: how the encoder read the Doc
_TITLE = "accordingto_title"  # in user_data


@dataclass(frozen=True)
class Encoding:
    """The words of a Doc as the encoder left them; W words."""

    tokens: np.ndarray  # (W,) token index of each word
    start_char: np.ndarray  # (W,) code points into the text
    end_char: np.ndarray  # (W,) exclusive
    vectors: np.ndarray  # (W, 384)
    sentence: np.ndarray  # (W,) score of a sentence start, as a logit
    cue: np.ndarray  # (W, 3) scores of O, B, I
    entity: np.ndarray  # (W, 9)
    lines: np.ndarray  # (W,) 1 where a paragraph begins
    tags: list[str]  # W parts of speech, as in the Penn Treebank
    windows: list[tuple[int, int]]  # word ranges that were read together
    guideline: str  # whose habit of marking the scores follow


def set_encoding(doc: Doc, tokens: np.ndarray, encoded: np.ndarray, lines: np.ndarray, tags: Sequence[str], windows: Sequence[tuple[int, int]], guideline: str) -> None:
    """Put the encoder's output on a Doc; encoded: (W, 398) vectors, scores and the numbers of parts of speech; tags: their names."""
    tensor = np.zeros((len(doc), WIDTH + 14), np.float32)
    tensor[tokens, :-1] = encoded[:, :-1]
    names = np.zeros((len(doc), 1), np.uint64)
    names[tokens, 0] = np.array([doc.vocab.strings.add(tag) for tag in tags], np.uint64)[encoded[:, -1].astype(int)]
    doc.from_array([TAG], names)  # type: ignore[arg-type]  # the stub says int; attributes are uint64
    tensor[tokens, COLUMNS["line"]] = lines
    doc.tensor = tensor  # type: ignore[assignment]  # the stub says float64; spaCy takes any float
    doc.user_data[_READ] = {"windows": [list(window) for window in windows], "guideline": guideline}


def encoding_of(doc: Doc) -> Encoding:
    """Return what the encoder left on a Doc; raises ValueError where the encoder did not run."""
    read = doc.user_data.get(_READ)
    if read is None:
        raise ValueError("this Doc has no encoding: the pipeline needs the component 'encoder' before this one")
    columns = doc.to_array([IS_SPACE, TAG])  # (T, 2)
    tokens = np.flatnonzero(columns[:, 0] == 0)
    rows = doc.tensor[tokens]
    strings = doc.vocab.strings
    tags = [strings[tag] for tag in columns[tokens, 1].tolist()]
    start, end = char_ranges(doc)
    parts = {name: rows[:, column] for name, column in COLUMNS.items()}
    windows = [(start, end) for start, end in read["windows"]]
    return Encoding(tokens, start[tokens], end[tokens], parts["vector"], parts["sentence"], parts["cue"], parts["entity"], parts["line"], tags, windows, read["guideline"])


def char_ranges(doc: Doc) -> tuple[np.ndarray, np.ndarray]:
    """Return where each token begins and ends, (T,) each; to ask the tokens one by one takes twenty times as long."""
    columns = doc.to_array([LENGTH, SPACY]).astype(np.int64).reshape(-1, 2)  # nothing of a text is lost between tokens and their spaces
    ends = np.cumsum(columns.sum(1)) - columns[:, 1]
    return ends - columns[:, 0], ends


def set_title(doc: Doc, title: str) -> Doc:
    """Put on a Doc what its article's input says of the title, before the pipeline reads it; return the Doc."""
    doc.user_data[_TITLE] = title
    return doc


def title_of(doc: Doc) -> str:
    """Return the title of a Doc's article; empty where it is unknown."""
    return str(doc.user_data.get(_TITLE, ""))


def lowered_words(doc: Doc, encoding: Encoding) -> list[str]:
    """Return the words of a Doc in lower case."""
    strings = doc.vocab.strings
    return [strings[word] for word in doc.to_array(LOWER)[encoding.tokens].tolist()]


def words_of(encoding: Encoding) -> Callable[[Iterable[CharSpan]], tuple[WordRange, ...]]:
    """Return a function from spans of characters, which begin and end with words, to ranges of words."""
    starts = encoding.start_char.tolist()

    def ranges(spans: Iterable[CharSpan]) -> tuple[WordRange, ...]:
        return tuple((bisect_left(starts, s), bisect_left(starts, e)) for s, e in spans)

    return ranges


def chars_of(encoding: Encoding, words: WordRange) -> CharSpan:
    """Return the characters of a range of words."""
    return int(encoding.start_char[words[0]]), int(encoding.end_char[words[1] - 1])


def set_attributions(doc: Doc, attributions: Sequence[Attribution]) -> None:
    """Put attributions on a Doc; spans are widened to whole tokens."""
    groups: dict[str, list[Span]] = {role: [] for role in ROLES}
    for number, attribution in enumerate(attributions):
        for role in ROLES:
            for start, end in getattr(attribution, role):
                span = doc.char_span(start, end, label=role, span_id=str(number), alignment_mode="expand")
                if span is None:
                    raise ValueError(f"the {role} of attribution {number}, characters {start} to {end}, lies outside the text of {len(doc.text)} characters")
                groups[role].append(span)
    for role, spans in groups.items():
        doc.spans[role] = SpanGroup(doc, name=role, spans=spans)
    set_facts(doc, attributions)


def set_facts(doc: Doc, attributions: Sequence[Attribution]) -> None:
    """Put on a Doc what is known of its attributions, whose spans it has already."""
    doc.spans["cue"].attrs["attributions"] = {str(number): {name: getattr(a, name) for name in _FACTS} for number, a in enumerate(attributions)}


def _with_tuples(fact: dict[str, Any]) -> dict[str, Any]:
    """Return facts with spans as tuples: bytes bring them back as lists."""
    return fact | {"aim": tuple(fact["aim"]) if fact["aim"] else None, "why": tuple((start, end) for start, end in fact["why"]), "kind_chances": tuple(fact.get("kind_chances", ()))}


def attributions_of(doc: Doc) -> list[Attribution]:
    """Return the attributions of a Doc, in the order of their cues; none where no component set any."""
    if "cue" not in doc.spans:
        return []
    found: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for role in ROLES:
        for span in doc.spans[role]:
            found.setdefault(span.id_, {r: [] for r in ROLES})[role].append((span.start_char, span.end_char))
    facts = doc.spans["cue"].attrs["attributions"]
    return [Attribution(tuple(found[n]["source"]), tuple(found[n]["cue"]), tuple(found[n]["content"]), **_with_tuples(fact)) for n, fact in facts.items()]
