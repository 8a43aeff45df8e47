"""Actions: what a reviewer does on the page, and where he stands then. Knows the page and its desk, no request of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from accordingto.review.decision import EDITABLE, SPAN_EDITS, VERDICTS
from accordingto.review.page import PAGE, Page, View, at_claim
from accordingto.review.record import DECIDED, NAMES

Outcome = tuple[View, str]  # where the reviewer stands then, and what is said


class BadRequestError(Exception):
    """A request that our page does not send."""


def text_in(body: Mapping[str, Any], name: str) -> str:
    """Return a text that a request carries, empty where it does not; raises BadRequestError."""
    value = body.get(name, "")
    if not isinstance(value, str):
        raise BadRequestError(f"{name!r} is not text")
    return value


def next_claim(page: Page, view: View, step: int) -> View | None:
    """Return the view of the next claim shown, None behind the last."""
    queue = page.desk.queue
    if view.claim is None and view.article is not None:  # an article without claims: go on from its place
        return next_article(page, view, step)
    claim = queue.neighbour(view.shown, view.claim, view.wanted.order, step)
    return None if claim is None else at_claim(page.desk, view.wanted, view.shown, claim)


def next_article(page: Page, view: View, step: int) -> View | None:
    """Return the view of the next article that has something to show; without a filter, articles without claims too: one may be missing there."""
    if view.article is None:
        return None
    claim = page.desk.queue.neighbour_article(view.shown, view.article, step)
    if view.wanted.is_empty:
        place = view.article + step
        if not 0 <= place < len(page.desk.articles):
            return None
        if claim is None or int(page.desk.queue.articles[claim]) != place:
            return replace(view, claim=None, article=place)
    return None if claim is None else at_claim(page.desk, view.wanted, view.shown, claim)


def _current(page: Page, view: View, body: Mapping[str, Any]) -> tuple[str, int]:
    """Return the claim that a request is about, and its version that was shown."""
    claim_id, seen = text_in(body, "claim"), body.get("seen")
    if claim_id not in page.desk.queue.number or not isinstance(seen, int):
        raise BadRequestError("it names no claim")
    return claim_id, seen


def after(page: Page, view: View) -> View:
    """Return the same view after something changed: other claims may be shown now."""
    return replace(view, shown=page.desk.queue.select(view.wanted))


def _decide(page: Page, view: View, body: Mapping[str, Any]) -> Outcome:
    claim_id, seen = _current(page, view, body)
    verdict = text_in(body, "verdict")
    if verdict not in VERDICTS:
        raise BadRequestError("it names no verdict")
    page.desk.decide(claim_id, verdict, seen=seen, request=text_in(body, "request"))
    said = f"Saved: {DECIDED[verdict]}."
    following = next_claim(page, view, 1)
    if following is None:
        return after(page, view), f"{said} That was the last claim shown."
    return after(page, following), said


def _edit(page: Page, view: View, body: Mapping[str, Any]) -> Outcome:
    claim_id, seen = _current(page, view, body)
    changes = body.get("changes")
    if not isinstance(changes, dict) or not all(name in EDITABLE and isinstance(value, str) for name, value in changes.items()):
        raise BadRequestError("it names no fields")
    changed = page.desk.edit(claim_id, changes, seen=seen, request=text_in(body, "request"))
    return after(page, view), f"Saved: {', '.join(NAMES[name].lower() for name in changed)}." if changed else "Nothing changed."


def _add(page: Page, view: View, body: Mapping[str, Any]) -> Outcome:
    if view.article is None:
        raise BadRequestError("it names no article")
    new = page.desk.add(view.article, {name: text_in(body, name) for name in SPAN_EDITS}, request=text_in(body, "request"))
    moved = at_claim(page.desk, view.wanted, page.desk.queue.select(view.wanted), page.desk.queue.number[new])
    who = "Look whether the speaker is right" if page.desk.claim(new).speaker else "Say who speaks"
    return moved, f"Saved: a missed claim. {who}, and say with what stance."


def _accept_all(page: Page, view: View, body: Mapping[str, Any]) -> Outcome:
    claims = body.get("claims")
    if not isinstance(claims, list) or not all(isinstance(claim, str) for claim in claims) or len(claims) > PAGE:
        raise BadRequestError("it names no claims")
    count = page.desk.accept_all(claims, request=text_in(body, "request"))
    return after(page, view), f"Saved: {count} accepted. Undo takes them back together."


def _undo(page: Page, view: View, body: Mapping[str, Any]) -> Outcome:
    return _turned(page, view, page.desk.undo(request=text_in(body, "request")), "Taken back.", "There is nothing to take back.")


def _redo(page: Page, view: View, body: Mapping[str, Any]) -> Outcome:
    return _turned(page, view, page.desk.redo(request=text_in(body, "request")), "Done again.", "There is nothing to do again.")


def _turned(page: Page, view: View, claim: str | None, said: str, nothing: str) -> Outcome:
    """Return the view of the claim that an undo or redo concerned."""
    if claim is None:
        return view, nothing
    number = page.desk.queue.number.get(claim)
    again = after(page, view)
    if number is None or page.desk.queue.is_gone(number):
        return _without(page, again) if again.claim == number else again, said
    return at_claim(page.desk, again.wanted, again.shown, number), said


def _without(page: Page, view: View) -> View:
    """Return the view of what stands beside a claim that is no longer there: in its article, where something is shown of it."""
    beside = [page.desk.queue.neighbour(view.shown, view.claim, view.wanted.order, step) for step in (1, -1)]
    near = [claim for claim in beside if claim is not None and page.desk.queue.articles[claim] == view.article]
    return at_claim(page.desk, view.wanted, view.shown, near[0]) if near else replace(view, claim=None)


ACTIONS: dict[str, Callable[[Page, View, Mapping[str, Any]], Outcome]] = {"decide": _decide, "edit": _edit, "add": _add, "accept_all": _accept_all, "undo": _undo, "redo": _redo}
