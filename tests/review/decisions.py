"""Decisions for the tests of the review: written by hand, and drawn by hypothesis."""

import json

from hypothesis import strategies as st

from accordingto.review.decision import Decision

SHA = "5" * 64


def verdict(new="accept", claim="c_1", reviewer="Ann", **changes) -> Decision:
    facts = {"decision_id": "", "claim_id": claim, "article_sha256": SHA, "reviewer": reviewer, "kind": "verdict", "field": "decision", "old": "", "new": new, "at": "", "batch": "b_1", "undoes": ""}
    return Decision(**(facts | changes))


def edit(field="stance", new="deny", **changes) -> Decision:
    return verdict(new, kind="edit", field=field, **changes)


def lead(new="reject", field="decision", **changes) -> Decision:
    return verdict(new, kind="lead", field=field, reviewer="Lea", **changes)


def added(claim="c_new", **changes) -> Decision:
    fields = {"cue_spans": "3 7", "content_spans": "8 10;11 16", "stance": "assert"} | changes.pop("fields", {})
    return verdict(json.dumps(fields), claim=claim, kind="add", field="", **changes)


def time(second: int) -> str:
    return f"2026-11-18T10:{second // 60:02}:{second % 60:02}.000000+00:00"


@st.composite
def _decision(draw, number: int) -> Decision:
    made = draw(st.sampled_from([verdict, edit, lead, added]))
    who = {} if made is lead else {"reviewer": draw(st.sampled_from(["Ann", "Bo", ""]))}
    new = {"new": draw(st.sampled_from(["accept", "reject", "unsure", ""]))} if made is verdict else {}
    facts = {"claim": draw(st.sampled_from(["c_1", "c_2", "c_3"])), "batch": draw(st.sampled_from(["b_1", "b_2", "b_3", "b_4"]))}
    return made(**who, **new, **facts, at=time(draw(st.integers(0, 9))), decision_id=f"d_{number}")


@st.composite
def _step_back(draw, number: int) -> Decision:
    return verdict("", claim="", article_sha256="", field="", kind=draw(st.sampled_from(["undo", "redo"])), undoes=draw(st.sampled_from(["b_1", "b_2", "b_3"])), batch=f"b_u{number}",
                   at=time(draw(st.integers(0, 9))), decision_id=f"d_{number}")  # fmt: skip


@st.composite
def logs(draw, most: int = 12) -> list[Decision]:
    """Draw a log of decisions of several reviewers, with undos, and with times that coincide."""
    return [draw(st.one_of(_decision(i), _decision(i), _step_back(i))) for i in range(draw(st.integers(0, most)))]
