"""The page: a view of a desk as HTML, whole or in the parts that changed. Every text of an article or a reviewer is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jinja2
import numpy as np
from markupsafe import Markup

from accordingto.link import link
from accordingto.review import key
from accordingto.review.desk import Desk
from accordingto.review.highlight import article_html, plain, plain_field, shown
from accordingto.review.queue import FLAGS, LEFT, ORDERS, Filter, filter_from
from accordingto.review.record import DECIDED, NAMES, Record, record_of
from accordingto.schema import Claim

PAGE = 50  # claims that the queue lists at once, and so the most that `accept all shown` accepts
FACET = 8  # values of a facet that are listed before `all`
FACET_NAMES = {"decision": "Decision", "stance": "Stance", "kind": "Kind of source", "speaker": "Speaker", "publisher": "Publisher"}
VALUE_NAMES = {LEFT: "not decided", "accept": "accepted", "reject": "rejected", "conflict": "disagreed", "mine": "not decided by me"}
PARTS = ("progress", "queue", "record", "article")


@dataclass(frozen=True)
class View:
    """Where the reviewer stands: what is shown, and the claim or the article at hand."""

    wanted: Filter
    shown: np.ndarray  # numbers of the claims that the filter lets through, in their order
    claim: int | None
    article: int | None

    def address(self, desk: Desk, **more: str) -> str:
        """Return the view as an address."""
        at = {"claim": desk.queue.ids[self.claim]} if self.claim is not None else {"article": desk.articles[self.article]} if self.article is not None else {}
        return f"/?{self.wanted.query(**{**at, **more})}"


def view_of(desk: Desk, params: Iterable[tuple[str, str]]) -> View:
    """Return the view of an address; without a claim the first that is shown and not decided, else the first."""
    pairs = list(params)
    at, wanted = dict(pairs), filter_from(pairs)
    found = desk.queue.select(wanted)
    number = desk.queue.number.get(at.get("claim", ""))
    if number is not None and not desk.queue.is_gone(number):
        return View(wanted, found, number, int(desk.queue.articles[number]))
    place = desk.place_of(at.get("article", ""))
    if place is not None:
        return View(wanted, found, None, place)
    left = found[desk.queue.columns["decision"].codes[found] == 0]
    return at_claim(desk, wanted, found, int((left if len(left) else found)[0]) if len(found) else None)


def at_claim(desk: Desk, wanted: Filter, found: np.ndarray, claim: int | None) -> View:
    """Return a view of a claim, of the run's first article where there is none."""
    return View(wanted, found, claim, int(desk.queue.articles[claim]) if claim is not None else 0 if desk.articles else None)


@dataclass(frozen=True)
class Line:
    """A claim in the queue."""

    claim_id: str
    address: str
    speaker: str
    stance: str
    text: str
    decision: str
    flags: tuple[str, ...]
    confidence: float
    added: bool
    conflict: bool
    title: str  # of the article, where it begins


@dataclass(frozen=True)
class Choice:
    """A value of a facet with its count."""

    label: str
    count: int
    chosen: bool
    address: str


class Page:
    """Renders views of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("accordingto.review", "browser"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
        )
        self._templates.filters |= {"shown": shown, "plain": plain, "plain_field": plain_field, "percent": _percent, "link": link, "value_name": _value_name, "thousands": "{:,}".format}
        self._templates.globals |= {"key_of": key.key_of, "shown_key": key.shown_key, "spoken_key": key.spoken_key, "names": NAMES, "decided": DECIDED, "orders": ORDERS}

    def whole(self, view: View) -> str:
        """Return the page."""
        parts = self.parts(view, PARTS)
        values = {"run": self.desk.run.folder.resolve().name, "reviewer": self.desk.reviewer, "lead": self.desk.lead, "keys": key.keys_for_script(), "groups": key.keys_by_group()}
        return self._templates.get_template("page.html.jinja").render(parts={name: Markup(html) for name, html in parts.items()}, **values)  # noqa: S704  (rendered above)

    def parts(self, view: View, names: Iterable[str]) -> dict[str, str]:
        """Return some parts of the page."""
        values = {"progress": self._progress, "queue": self._queue, "record": self._record, "article": self._article}
        return {name: self._templates.get_template(f"{name}.html.jinja").render(values[name](view)) for name in names}

    def article_version(self, view: View) -> str:
        """Return what changes when the article on the page has to be another."""
        return self.desk.article(view.article).version if view.article is not None else ""

    def _progress(self, view: View) -> Mapping[str, Any]:
        return {"progress": self.desk.progress(), "conflicts": f"/?{urlencode({'decision': 'conflict'})}", "reviewer": self.desk.reviewer, "lead": self.desk.lead}

    def _queue(self, view: View) -> Mapping[str, Any]:
        shown_now = view.shown
        at = np.flatnonzero(shown_now == view.claim) if view.claim is not None else np.zeros(0, np.int64)
        first = (int(at[0]) if len(at) else self._nearest(view)) // PAGE * PAGE
        lines = [self._line(view, int(n), int(shown_now[i - 1]) if i > first else None) for i, n in enumerate(shown_now[first : first + PAGE], first)]
        pages = [(label, self._first_of(view, start)) for label, start in (("Earlier", first - PAGE), ("Later", first + PAGE)) if 0 <= start < len(shown_now)]
        acceptable = [line.claim_id for line in lines if not line.decision]
        return {
            "lines": lines, "first": first, "total": len(shown_now), "all": self.desk.queue.there, "pages": pages, "acceptable": acceptable, "facets": self._facets(view), "wanted": view.wanted,
            "reset": "/", "by_article": view.wanted.order == "article",
        }  # fmt: skip

    def _nearest(self, view: View) -> int:
        """Return where in what is shown the claim at hand would stand."""
        if view.claim is None or not len(view.shown):
            return 0
        ranks = self.desk.queue.ranks[view.wanted.order]
        return min(int(np.searchsorted(ranks[view.shown], ranks[view.claim])), len(view.shown) - 1)

    def _first_of(self, view: View, start: int) -> str:
        return f"/?{view.wanted.query(claim=self.desk.queue.ids[int(view.shown[start])])}"

    def _line(self, view: View, number: int, before: int | None) -> Line:
        queue = self.desk.queue
        place = int(queue.articles[number])
        title = self.desk.titles[place] if view.wanted.order == "article" and (before is None or queue.articles[before] != place) else ""
        flags = tuple(VALUE_NAMES.get(f, f) for f in FLAGS if f != "mine" and queue.flags[f][number])
        address = f"/?{view.wanted.query(claim=queue.ids[number])}"
        speaker, stance, decision = (queue.value(name, number) for name in ("speaker", "stance", "decision"))
        return Line(queue.ids[number], address, speaker, stance, queue.lines[number], decision, flags, float(queue.confidences[number]), number >= self.desk.pipeline, bool(queue.flags["conflict"][number]), title)

    def _facets(self, view: View) -> list[tuple[str, str, list[Choice], list[Choice], int]]:
        """Return name, label, first and further values, and the number of unlisted ones, of each facet that tells claims apart."""
        out = []
        for name, (counts, unlisted) in self.desk.queue.counts(view.wanted).items():
            chosen = view.wanted.chosen.get(name, ())
            values = [(v, c) for v, c in counts if c or v in chosen]
            if name != "decision" and len(values) < 2 and not chosen:
                continue
            if name == "decision" and not self.desk.queue.flags["conflict"].any() and not self.desk.standing.reviewers - {self.desk.reviewer}:
                values = [(v, c) for v, c in values if v != "mine" or v in chosen]
            choices = [Choice(_value_name(v, name), c, v in chosen, f"/?{view.wanted.toggled(name, v).query()}") for v, c in values]
            first = [choice for i, choice in enumerate(choices) if i < FACET or choice.chosen]
            out.append((name, FACET_NAMES[name], first, [choice for choice in choices if choice not in first], unlisted))
        return out

    def _record(self, view: View) -> Mapping[str, Any]:
        values = {"total": len(view.shown), "lead": self.desk.lead, "reviewer": self.desk.reviewer, "record": None, "empty": not self.desk.queue.there, "filtered": not view.wanted.is_empty}
        if view.claim is not None:
            values |= {"record": self.record(view)}
        return values

    def record(self, view: View) -> Record:
        """Return the record of the claim at hand."""
        assert view.claim is not None
        assert view.article is not None
        desk, standing, claim_id = self.desk, self.desk.standing, self.desk.queue.ids[view.claim]
        article = desk.article(view.article)
        claim = next(c for c in article.claims if c.claim_id == claim_id)
        position = np.flatnonzero(view.shown == view.claim)
        return record_of(
            claim, article.originals.get(claim_id), standing.state(claim_id), standing.history(claim_id), standing.turns(claim_id), article.claims,
            version=standing.versions.get(claim_id, 0), position=int(position[0]) + 1 if len(position) else None,
        )  # fmt: skip

    def _article(self, view: View) -> Mapping[str, Any]:
        if view.article is None:
            return {"article": None}
        article = self.desk.article(view.article)
        numbers = {claim.claim_id: number for number, claim in enumerate(article.claims)}
        parents = [numbers.get(claim.parent_id or "", -1) for claim in article.claims]
        return {
            "article": article.facts, "html": article_html(article.text, article.claims, article.furniture), "claims": list(numbers), "parents": parents, "version": article.version,
            "place": view.article + 1, "articles": len(self.desk.articles), "summary": _summary(article.claims),
        }  # fmt: skip


def _summary(claims: Iterable[Claim]) -> str:
    count = len(list(claims))
    return "no claims" if not count else f"{count} claim{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    """Return a share in percent; nothing is 0 or 100 % unless all of it is."""
    return f"{round(share * 100) if share in (0, 1) else min(99, max(1, round(share * 100)))} %"


def _value_name(value: str, facet: str = "") -> str:
    if not value:
        return "not stated" if facet == "speaker" else "not known"
    return VALUE_NAMES.get(value, value) if facet == "decision" else value
