"""The queue: which claims of a run are shown, in which order, and how many of each kind there are.

Held in memory as a number a claim and facet, so that each question is a few passes over arrays: 100,000 claims answer in a
fraction of a second (CONTRIBUTING.md, Benchmarks).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

FACETS = ("decision", "stance", "kind", "speaker", "publisher")
ORDERS = {"article": "in the articles’ order", "unsure": "least sure first", "sure": "surest first", "random": "at random"}
DECISIONS = ("", "accept", "reject", "unsure")
FLAGS = ("conflict", "mine", "edited", "added")  # further values of the facet `decision`: reviewers disagree, this reviewer has not decided, …
LEFT = "left"  # the value for claims without a decision


@dataclass(frozen=True)
class Filter:
    """What of a queue is shown; it is the page's address, so it survives a reload and can be kept as a bookmark."""

    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # facet → values, any of which will do
    text: str = ""
    low: float = 0.0  # confidence, in hundredths
    high: float = 100.0
    order: str = "article"

    @property
    def is_empty(self) -> bool:
        """Whether every claim passes."""
        return not self.chosen and not self.text and self.low <= 0 and self.high >= 100

    def query(self, **more: str) -> str:
        """Return the filter as it stands in an address."""
        pairs = [(name, value) for name in FACETS for value in self.chosen.get(name, ())]
        own = {"q": self.text, "min": f"{self.low:g}" if self.low > 0 else "", "max": f"{self.high:g}" if self.high < 100 else "", "order": self.order if self.order != "article" else ""}
        return urlencode([*pairs, *((k, v) for k, v in {**own, **more}.items() if v)])

    def toggled(self, facet: str, value: str) -> Filter:
        """Return the filter with one value of a facet added, or taken away where it was there."""
        values = self.chosen.get(facet, ())
        new = tuple(v for v in values if v != value) if value in values else (*values, value)
        return replace(self, chosen={**{k: v for k, v in self.chosen.items() if k != facet}, **({facet: new} if new else {})})


def filter_from(params: Iterable[tuple[str, str]]) -> Filter:
    """Return the filter of an address; what makes no sense in it is passed over."""
    pairs = list(params)
    last = dict(pairs)
    chosen = {name: tuple(dict.fromkeys(v for k, v in pairs if k == name)) for name in FACETS}
    order = last.get("order", "")
    return Filter({k: v for k, v in chosen.items() if v}, last.get("q", "").strip(), _percent(last.get("min"), 0), _percent(last.get("max"), 100), order if order in ORDERS else "article")


def _percent(text: str | None, default: float) -> float:
    try:
        value = float(text or default)
    except ValueError:
        return default
    return default if math.isnan(value) else min(100.0, max(0.0, value))


class Row(NamedTuple):
    """What the queue is told of a claim."""

    claim_id: str
    article: int  # its place in the run
    place: int  # first character of the cue
    confidence: float
    facets: Mapping[str, str]  # those of FACETS that are known: speaker, stance, kind, publisher
    text: str  # that is searched, as `searched` makes it
    line: str  # that is shown


_QUOTES = dict.fromkeys(map(ord, "\"“”„‟«»‹›")) | dict.fromkeys(map(ord, "‘’‚‛ʼ`´′"), "'")


def searched(text: str) -> str:
    """Return text as it is searched: in lower case, without double quotation marks, with one kind of single ones."""
    return text.casefold().translate(_QUOTES)


class Column:
    """A facet's value for each claim, as a number."""

    def __init__(self, values: Sequence[str] = ()) -> None:
        self.values: list[str] = list(values)
        self._codes: dict[str, int] = {value: code for code, value in enumerate(self.values)}
        self.codes = np.zeros(0, np.int32)

    def code(self, value: str) -> int:
        """Return the number of a value, a new one for a new value."""
        code = self._codes.setdefault(value, len(self.values))
        if code == len(self.values):
            self.values.append(value)
        return code

    def count(self, found: np.ndarray, value: str) -> int:
        """Return the count of a value that may be none of the column's."""
        return int(found[self._codes[value]]) if value in self._codes else 0

    def holds(self, wanted: Iterable[str]) -> np.ndarray:
        """Return which claims have one of some values."""
        return np.isin(self.codes, [self._codes[v] for v in wanted if v in self._codes])


class Counts(NamedTuple):
    """Values of a facet with their counts."""

    values: list[tuple[str, int]]
    unlisted: int  # further values


def _commonest(column: Column, found: np.ndarray, chosen: Iterable[str], most: int) -> Counts:
    """Return a facet's commonest values and those that are chosen; found: the count of each."""
    there = np.flatnonzero(found)
    listed = there[np.argsort(-found[there], kind="stable")[:most]]
    pairs = {column.values[code]: int(found[code]) for code in listed}
    pairs |= {value: column.count(found, value) for value in chosen}
    return Counts(sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])), len(there) - len(listed))


class Queue:
    """The claims of a run, filtered, counted and ordered."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.ids: list[str] = []
        self.lines: list[str] = []
        self.number: dict[str, int] = {}
        self.columns = {name: Column(DECISIONS if name == "decision" else ()) for name in FACETS}
        self.flags = {name: np.zeros(0, bool) for name in FLAGS}
        self.articles, self.places, self.confidences = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        self._gone = np.zeros(0, bool)  # added claims whose adding was undone
        self._texts: list[str] = []
        self.add(rows)

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, rows: Iterable[Row]) -> None:
        """Take in further claims; one that is there is passed over."""
        before = len(self.ids)
        codes: dict[str, list[int]] = {name: [] for name in FACETS}
        numbers: list[tuple[int, int, float]] = []
        for row in rows:
            if row.claim_id in self.number:
                continue
            self.number[row.claim_id] = len(self.ids)
            self.ids.append(row.claim_id)
            self.lines.append(row.line)
            self._texts.append(row.text)
            numbers.append((row.article, row.place, row.confidence))
            for name in FACETS:
                codes[name].append(self.columns[name].code(row.facets.get(name, "")))
        if len(self.ids) == before and before:
            return
        for name, column in self.columns.items():
            column.codes = np.concatenate([column.codes, np.array(codes[name], np.int32)])
        for name in FLAGS:
            self.flags[name] = np.concatenate([self.flags[name], np.full(len(numbers), name == "mine")])
        self._gone = np.concatenate([self._gone, np.zeros(len(numbers), bool)])
        new = np.array(numbers, np.float64).reshape(-1, 3)
        self.articles, self.places = (np.concatenate([old, new[:, i].astype(np.int64)]) for i, old in enumerate((self.articles, self.places)))
        self.confidences = np.concatenate([self.confidences, new[:, 2]])
        self._arrange()

    def _arrange(self) -> None:
        """Make the orders, and each claim's rank in them."""
        ids = np.array(self.ids, "U32")  # a digest of text and spans: as good as drawn by lot, and the same for every reviewer
        by_article = (self.places, self.articles)
        keys = {"article": by_article, "unsure": (*by_article, self.confidences), "sure": (*by_article, -self.confidences), "random": (ids,)}
        self.orders = {name: np.lexsort(columns) for name, columns in keys.items()}
        self.ranks = {name: np.argsort(order) for name, order in self.orders.items()}
        self._searched: dict[str, np.ndarray] = {}

    def set_decision(self, number: int, decision: str, flags: Mapping[str, bool]) -> None:
        """Keep what was decided about a claim."""
        column = self.columns["decision"]
        column.codes[number] = column.code(decision)
        for flag, holds in flags.items():
            self.flags[flag][number] = holds

    def set_row(self, number: int, row: Row) -> None:
        """Keep what edits made of a claim."""
        for name, value in row.facets.items():
            column = self.columns[name]
            column.codes[number] = column.code(value)
        self.lines[number] = row.line
        if self._texts[number] != row.text:
            self._texts[number] = row.text
            self._searched.clear()

    def set_gone(self, number: int, *, gone: bool) -> None:
        """Keep whether a claim is no longer there."""
        self._gone[number] = gone
        self.flags["added"][number] &= not gone

    @property
    def there(self) -> int:
        """Return the number of claims that are there."""
        return len(self.ids) - int(self._gone.sum())

    def is_gone(self, number: int) -> bool:
        """Return whether a claim is no longer there."""
        return bool(self._gone[number])

    def text(self, number: int) -> str:
        """Return the words of a claim that are searched."""
        return self._texts[number]

    def value(self, name: str, number: int) -> str:
        """Return what a claim has in a facet."""
        column = self.columns[name]
        return column.values[column.codes[number]]

    def select(self, wanted: Filter) -> np.ndarray:
        """Return the numbers of the claims that a filter lets through, in its order."""
        mask = ~self._gone
        for part in self._masks(wanted).values():
            mask &= part
        order = self.orders[wanted.order]
        return order[mask[order]]

    def counts(self, wanted: Filter, most: int = 60) -> dict[str, Counts]:
        """Return for each facet its values with their counts, as if nothing were chosen in that facet: what choosing would give.

        most: values of a facet that are listed, the commonest first; those that are chosen are listed in any case.
        """
        masks = self._masks(wanted)
        out = {}
        for name, column in self.columns.items():
            mask = ~self._gone
            for other, part in masks.items():
                if other != name:
                    mask &= part
            found = np.bincount(column.codes[mask], minlength=len(column.values))
            if name == "decision":
                pairs = [(value or LEFT, int(found[code])) for code, value in enumerate(column.values)]
                out[name] = Counts([*pairs, *((flag, int((mask & self.flags[flag]).sum())) for flag in FLAGS)], 0)
            else:
                out[name] = _commonest(column, found, wanted.chosen.get(name, ()), most)
        return out

    def _masks(self, wanted: Filter) -> dict[str, np.ndarray]:
        """Return which claims each part of a filter lets through."""
        masks = {}
        for name, values in wanted.chosen.items():
            known = ["" if name == "decision" and v == LEFT else v for v in values]
            mask = self.columns[name].holds(known)
            for flag in FLAGS if name == "decision" else ():
                if flag in values:
                    mask |= self.flags[flag]
            masks[name] = mask
        if wanted.text:
            masks["text"] = self._search(searched(wanted.text))
        if wanted.low > 0 or wanted.high < 100:
            percents = np.round(self.confidences * 100, 2)
            masks["confidence"] = (percents >= wanted.low) & (percents <= wanted.high)
        return masks

    def _search(self, words: str) -> np.ndarray:
        """Return which claims hold all of some words; the answer is kept, as each step through the queue asks again."""
        if words not in self._searched:
            if len(self._searched) > 20:
                self._searched.clear()
            parts = [part.strip("'") for part in words.split()]
            self._searched[words] = np.fromiter((all(part in text for part in parts) for text in self._texts), bool, len(self.ids))
        return self._searched[words]

    def neighbour(self, shown: np.ndarray, current: int | None, order: str, step: int) -> int | None:
        """Return the claim after (1) or before (-1) one in what is shown, also where that one is no longer shown itself; None at the end."""
        if current is None:
            return int(shown[0 if step > 0 else -1]) if len(shown) else None
        ranks = self.ranks[order]
        at = int(np.searchsorted(ranks[shown], ranks[current], side="right" if step > 0 else "left")) - (step < 0)
        return int(shown[at]) if 0 <= at < len(shown) else None

    def neighbour_article(self, shown: np.ndarray, article: int, step: int) -> int | None:
        """Return the first shown claim of the next article in the run that has one."""
        articles = self.articles[shown]
        others = articles[articles > article] if step > 0 else articles[articles < article]
        if not len(others):
            return None
        return int(shown[int(np.argmax(articles == (others.min() if step > 0 else others.max())))])
