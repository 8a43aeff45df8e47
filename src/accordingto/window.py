"""Windows: stretches of words, as large as the encoder reads at once, with the features that it reads.

The encoder is uncased and sees wordpieces without white space. Case, quotation marks and line breaks are visible in
the text and decide where content begins and ends, so each word carries three small features beside its wordpieces:
its `shape`, the `gap` before it, and whether it stands inside double quotation marks (`quoted`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from spacy.attrs import IS_SPACE, ORTH
from spacy.strings import StringStore
from spacy.tokens import Doc

from accordingto.document import char_ranges

SHAPES = ("lower", "title", "upper", "mixed", "digit", "alnum", "open", "close", "straight", "single", "colon", "comma", "stop", "dash", "bracket", "other")
GAPS = ("none", "space", "line")
MAX_PIECES_PER_WORD = 12  # a long URL says no more after that; the word itself stays whole
MAX_WINDOW_PIECES = 320  # a third of a typical article; position vectors reach to 512
CLS, SEP, UNK, FULL_STOP = 101, 102, 100, 1012  # of the wordpieces of BERT

_OPEN, _CLOSE, _SINGLE = "“„«‟", "”»", "‘’'‚‛`"
_SHAPE_OF_MARK = {
    **dict.fromkeys(_OPEN, "open"), **dict.fromkeys(_CLOSE, "close"), '"': "straight", "``": "open", "''": "close",
    **dict.fromkeys(_SINGLE, "single"), ":": "colon", **dict.fromkeys(",;", "comma"), **dict.fromkeys((".", "!", "?", "…", "..."), "stop"),
    **dict.fromkeys(("-", "–", "—", "--", "―"), "dash"), **dict.fromkeys("()[]{}", "bracket"),
}  # fmt: skip


class Tokenizer(Protocol):
    """What is needed of `tokenizers.Tokenizer`."""

    def encode(self, sequence: str, *, add_special_tokens: bool) -> Any:
        """Return an encoding with `ids`."""


@dataclass(frozen=True)
class Words:
    """The words of one article (the Doc's tokens that are not white space) with what the encoder reads of them."""

    tokens: np.ndarray  # (W,) index of the word's token in the Doc
    start_char: np.ndarray  # (W,) code points into the text
    end_char: np.ndarray  # (W,) exclusive
    pieces: tuple[tuple[int, ...], ...]  # W tuples of wordpiece ids, none empty
    shape: np.ndarray  # (W,) index into SHAPES
    gap: np.ndarray  # (W,) index into GAPS; the article's first word has "line"
    quoted: np.ndarray  # (W,) 1 inside double quotation marks, marks included

    def __len__(self) -> int:
        return len(self.tokens)


class WordCache:
    """Wordpieces and shape of a word, remembered: most words of an article have been seen before."""

    def __init__(self, tokenizer: Tokenizer, *, max_words: int = 200_000) -> None:
        self._tokenizer, self._max_words = tokenizer, max_words
        self._known: dict[int, tuple[tuple[int, ...], int]] = {}

    def __call__(self, orth: int, strings: StringStore) -> tuple[tuple[int, ...], int]:
        """Return the wordpiece ids, never none, and the index into SHAPES."""
        found = self._known.get(orth)
        if found is None:
            word = strings[orth]
            ids = self._tokenizer.encode(word, add_special_tokens=False).ids
            found = tuple(ids[:MAX_PIECES_PER_WORD]) or (UNK,), _shape(word)
            if len(self._known) < self._max_words:  # a bound: millions of articles hold millions of different strings
                self._known[orth] = found
        return found


def words_from_doc(doc: Doc, cache: WordCache, *, stop_headings: bool = False) -> Words:
    """Return the words of a Doc with their wordpieces and features; white space tokens are left out.

    With `stop_headings` a line that ends without a mark is read as if it ended with a full stop: PolNeAR's headlines do,
    so a network trained on them runs a bare heading on into the paragraph. On dev: relation F1 +1.1 on written, 0.0 on
    clean, -0.2 on PolNeAR; and the sources below the headings of the seeds come right.
    """
    columns = doc.to_array([ORTH, IS_SPACE])  # (T, 2)
    tokens = np.flatnonzero(columns[:, 1] == 0)
    start, end = (side[tokens] for side in char_ranges(doc))
    known = [cache(orth, doc.vocab.strings) for orth in columns[tokens, 0].tolist()]
    gap = np.ones(len(tokens), np.int64)
    gap[1:][start[1:] == end[:-1]] = 0
    text = doc.text
    for i in np.flatnonzero(np.diff(tokens, prepend=-1) > 1).tolist():  # a white space token stands before
        gap[i] = 2 if i and _breaks_line(text, int(end[i - 1]), int(start[i])) else 1
    gap[:1] = 2
    shape = np.array([s for _, s in known], np.int64)
    pieces = [pieces for pieces, _ in known]
    if stop_headings:
        for i in np.flatnonzero((gap[1:] == 2) & (shape[:-1] <= SHAPES.index("alnum"))).tolist():
            pieces[i] = (*pieces[i], FULL_STOP)
    return Words(tokens, start, end, tuple(pieces), shape, gap, _quoted(shape, gap))


def _breaks_line(text: str, end: int, start: int) -> bool:
    """Return whether the white space from `end` to `start` holds a line break that is more than the wrapping of a long line."""
    between = text[end:start]
    if "\n" not in between and "\r" not in between and "\u2029" not in between:
        return False
    wrapped = between.count("\n") == 1 and text[start].islower() and text[end - 1] not in '.!?:;”"'
    return not wrapped


def _shape(word: str) -> int:
    """Return the index of a word's shape in SHAPES."""
    mark = _SHAPE_OF_MARK.get(word)
    if mark is None:
        if word.isdigit():
            mark = "digit"
        elif word.islower():
            mark = "lower"
        elif word.isupper():
            mark = "upper" if len(word) > 1 else "title"
        elif word.istitle():
            mark = "title"
        elif word.isalpha():
            mark = "mixed"
        else:
            mark = "alnum" if any(c.isalnum() for c in word) else "other"
    return SHAPES.index(mark)


def _quoted(shape: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Return 1 for the words inside double quotation marks, the marks included.

    A quotation ends with its paragraph at the latest: one forgotten mark costs one paragraph, not the article.
    """
    opening, closing, straight = (SHAPES.index(s) for s in ("open", "close", "straight"))
    out, inside = np.zeros(len(shape), np.int64), False
    for i, (s, g) in enumerate(zip(shape.tolist(), gap.tolist(), strict=True)):
        inside = inside and g != 2
        if s == opening or (s == straight and not inside):
            inside = True
            out[i] = 1
        elif s in (closing, straight):
            out[i], inside = 1, False
        else:
            out[i] = inside
    return out


def cut_windows(words: Words, *, max_pieces: int = MAX_WINDOW_PIECES, first: int | None = None) -> list[tuple[int, int]]:
    """Return the windows of an article as word ranges [start, end) that cover every word once, in order.

    A window ends where the least is torn: at a line break that no quotation runs over, else at a line break, else at
    a full stop, else anywhere. `first` shortens the first window (training cuts each epoch elsewhere).

    150, 150 and 150 wordpieces in three paragraphs  ->  paragraphs 1 and 2, then 3
    """
    room = max_pieces - 2  # [CLS] and [SEP]
    ends = np.cumsum([len(p) for p in words.pieces])
    cost = cut_costs(words)
    cuts = [0]
    while cuts[-1] < len(words):
        start = cuts[-1]
        used = ends[start - 1] if start else 0
        limit = int(np.searchsorted(ends, used + (first or room), side="right"))
        first = None
        if limit >= len(words):
            cuts.append(len(words))
            break
        least = start + max(1, (limit - start) // 2)  # no window under half full, or the last paragraph of many would be alone
        candidates = cost[least : limit + 1]
        cuts.append(least + int(len(candidates) - 1 - np.argmin(candidates[::-1])) if len(candidates) else limit)
    return list(pairwise(cuts))


def cut_costs(words: Words) -> np.ndarray:
    """Return, for each word and the end, how much a cut before it tears: 0 between paragraphs, up to 4 inside a sentence."""
    shape, gap = words.shape, words.gap
    cost = np.full(len(words) + 1, 4)
    if not len(words):
        return cost
    name = {s: i for i, s in enumerate(SHAPES)}
    opens = np.isin(shape, [name["open"], name["straight"]])
    previous_stop = np.concatenate([[False], shape[:-1] == name["stop"]])
    previous_leads = np.concatenate([[False], np.isin(shape[:-1], [name["colon"], name["comma"], name["dash"]])])
    unclosed = np.concatenate([[False], (words.quoted[:-1] == 1) & ~np.isin(shape[:-1], [name["close"], name["straight"]])])
    line = gap == 2
    cost[:-1] = np.where(line & ~previous_leads & ~(unclosed & opens), 0, np.where(line, 1, np.where(previous_stop & (words.quoted == 0), 2, np.where(previous_stop, 3, 4))))
    cost[-1] = 0
    return cost


def encoder_inputs(words: Words, start: int, end: int) -> dict[str, np.ndarray]:
    """Return what the encoder reads of the words [start, end).

    pieces, shape, gap, quoted: (P,) a wordpiece each, [CLS] first and [SEP] last; first_piece: (W,) each word's first wordpiece.
    """
    counts = np.array([len(p) for p in words.pieces[start:end]], np.int64)
    of_word = np.repeat(np.arange(start, end), counts)
    pieces = np.array([CLS, *(i for p in words.pieces[start:end] for i in p), SEP], np.int64)
    first_piece = np.concatenate([[0], np.cumsum(counts)[:-1]]) + 1 if len(counts) else np.zeros(0, np.int64)
    edge = np.zeros(1, np.int64)  # index 0 of each feature stands for [CLS] and [SEP] too
    features = {name: np.concatenate([edge, values[of_word] + 1, edge]) for name, values in (("shape", words.shape), ("gap", words.gap), ("quoted", words.quoted))}
    return {"pieces": pieces, **features, "first_piece": first_piece}
