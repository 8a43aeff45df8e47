"""Decisions: what people say of claims, one a row of a log that only grows, and what all of them together make of each claim.

Claims never change. What holds of one is the fold of its decisions, in the order of their times; an undo is a decision too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from accordingto.errors import DecisionError
from accordingto.label import LABELS
from accordingto.schema import JOINT, CharSpan, Claim, SpanText

KINDS = ("verdict", "edit", "add", "undo", "redo", "lead")
VERDICTS = ("accept", "reject", "unsure", "")  # the last takes one's own verdict back
SPAN_EDITS = ("source_spans", "cue_spans", "content_spans")
EDITABLE = (
    "speaker", "speaker_role", "source_kind", "stance", "negated", "certainty", "attitude", "attitude_target", "framing", "attribution_type", "claim", "note", *SPAN_EDITS,
)  # fmt: skip
WORDS = {name: tuple(map(str, values)) for name, values in LABELS.items()}  # the labels' values as the CSV has them
_SPANS = re.compile(r"([0-9]{1,9} [0-9]{1,9}(;[0-9]{1,9} [0-9]{1,9})*)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")  # one form alone, so that the order of the letters is that of the times


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the log."""

    decision_id: str  # `d_…`; the log gives one where it is empty
    claim_id: str  # of an added claim: the id that `claim.claim_id` gives its spans; of an undo or redo: empty
    article_sha256: str  # of the article's text: decisions belong to a text, and survive a new run by it and the spans
    reviewer: str  # empty where unknown
    kind: str  # one of KINDS; `lead`: the verdict or edit of a lead, which settles a disagreement
    field: str  # of a verdict `decision`; of an edit one of EDITABLE; of a lead's either
    old: str  # what the reviewer saw, in the form of the CSV
    new: str  # a verdict: one of VERDICTS; an edit: as in the CSV, spans as `0 5;16 23`; an added claim: its fields, each in that form, as JSON
    at: str  # ISO 8601, UTC, with microseconds; the log gives it where it is empty
    batch: str  # decisions that were made as one, and are undone as one
    undoes: str = ""  # of an undo or redo: the batch


@dataclass(frozen=True, slots=True)
class ClaimState:
    """What the decisions make of one claim."""

    decision: str = ""  # one of VERDICTS: the lead's if there is one, else the last reviewer's
    by: Mapping[str, str] = field(default_factory=dict)  # each reviewer's own; whoever adds a claim accepts it
    edits: Mapping[str, str] = field(default_factory=dict)  # field → last new value; a lead's goes before
    conflict: bool = False  # reviewers decided differently, or hold different things in a field (one edited it, another accepted without that), and no lead has settled that: by a verdict all, by an edit its field
    added: Mapping[str, Any] | None = None  # the fields of a claim that a reviewer added
    article_sha256: str = ""
    edits_by: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # each reviewer's own edits
    leads: Mapping[str, str] = field(default_factory=dict)  # each lead's own verdict; empty where a lead settled fields alone


def ordered(decisions: Iterable[Decision]) -> list[Decision]:
    """Return decisions each once, in the order of their times, however their logs were united."""
    return sorted({d.decision_id: d for d in decisions}.values(), key=lambda d: (d.at, d.decision_id))


def undone_batches(decisions: Iterable[Decision]) -> set[str]:
    """Return the batches that are taken back: whose last undo or redo is an undo. Takes decisions in order."""
    last = {d.undoes: d.kind for d in decisions if d.kind in ("undo", "redo")}
    return {batch for batch, kind in last.items() if kind == "undo"}


def fold(decisions: Iterable[Decision]) -> dict[str, ClaimState]:
    """Return what decisions make of the claims that they are about, by claim_id; the order in which they come does not matter."""
    rows = ordered(decisions)
    undone = undone_batches(rows)
    by_claim: dict[str, list[Decision]] = {}
    for row in rows:
        if row.kind not in ("undo", "redo") and row.batch not in undone:
            by_claim.setdefault(row.claim_id, []).append(row)
    return {claim: _state(rows) for claim, rows in sorted(by_claim.items())}


def _state(rows: Sequence[Decision]) -> ClaimState:
    """Return what one claim's decisions, none undone, in order, make of it."""
    by: dict[str, str] = {}
    edits_by: dict[str, dict[str, str]] = {}
    edits: dict[str, str] = {}
    machine: dict[str, str] = {}  # what stood in a field before anybody edited it
    lead: dict[str, str] = {}
    leads: dict[str, str] = {}
    added = None
    for row in rows:
        if row.kind == "lead":
            lead[row.field] = row.new
            leads[row.reviewer] = row.new if row.field == "decision" else leads.get(row.reviewer, "")
        elif row.kind == "edit":
            machine.setdefault(row.field, row.old)
            edits[row.field] = row.new
            edits_by.setdefault(row.reviewer, {})[row.field] = row.new
        else:
            added = json.loads(row.new) if row.kind == "add" else added
            by.pop(row.reviewer, None)  # whoever decided last stands last
            by |= {row.reviewer: "accept" if row.kind == "add" else row.new} if row.kind == "add" or row.new else {}
    settled = lead.pop("decision", "")
    verdict = settled or next(reversed(by.values()), "")
    conflict = not settled and (len(set(by.values())) > 1 or _differ(edits_by.values(), lead) or _differ(_held(by, edits_by, machine), lead))
    return ClaimState(verdict, by, edits | lead, conflict, added, rows[-1].article_sha256, edits_by, leads)


def _held(by: Mapping[str, str], edits_by: Mapping[str, Mapping[str, str]], machine: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what each reviewer who takes a claim for one holds in the fields that anybody edited: whoever accepts without an edit holds what the machine wrote."""
    return [{**machine, **edits_by.get(name, {})} for name in {*by, *edits_by} if by.get(name, "accept") == "accept"]


def _differ(said: Iterable[Mapping[str, str]], besides: Iterable[str]) -> bool:
    """Return whether two reviewers have different things in the same field; white space and notes may differ, and what a lead wrote is settled."""
    free, seen = {"note", *besides}, dict[str, str]()
    return any(seen.setdefault(name, " ".join(value.split())) != " ".join(value.split()) for own in said for name, value in own.items() if name not in free)


def check_decision(decision: Decision, text: str | None = None) -> None:
    """Raise DecisionError where a decision is none; text: of the article, where it is at hand, which spans must lie in."""
    where = f"{decision.kind or 'a decision'} of {decision.reviewer or 'somebody'} on {decision.claim_id or decision.undoes or 'no claim'}"
    if decision.kind not in KINDS:
        raise DecisionError(where, f"{decision.kind!r} is no kind of decision", f"choose one of {', '.join(KINDS)}")
    if not all(map(_is_text, asdict(decision).values())) or not decision.batch or (decision.at and not _is_time(decision.at)):
        raise DecisionError(where, "it has no batch, or a value that is no text, or a time in another form", "take the log as accordingto wrote it")
    if decision.kind in ("undo", "redo"):
        if not decision.undoes:
            raise DecisionError(where, "it does not say which batch", "take the log as accordingto wrote it")
        return
    if not decision.claim_id or not decision.article_sha256:
        raise DecisionError(where, "it names no claim or no article", "take the log as accordingto wrote it")
    if decision.kind == "add":
        _check_added(where, decision.new, text)
    elif decision.field == "decision" and decision.kind != "edit":
        if decision.new not in VERDICTS:
            raise DecisionError(where, f"{decision.new!r} is no verdict", f"choose one of {', '.join(filter(None, VERDICTS))}")
    elif decision.field not in EDITABLE or decision.kind == "verdict":
        raise DecisionError(where, f"the field {decision.field!r} cannot be changed", f"choose one of {', '.join(EDITABLE)}")
    else:
        _check_value(where, decision.field, decision.new, text)


def check_logged(decision: Decision) -> None:
    """Raise DecisionError where a decision is none that stands in a log: with its id and its time."""
    check_decision(decision)
    if not decision.decision_id or not decision.at:
        raise DecisionError("a decision", "it has no id or no time", "take the log as accordingto wrote it")


def _is_time(at: str) -> bool:
    """Return whether a time is one of the calendar, and others can follow it: the log's next decision stands behind its last."""
    try:
        return bool(_TIME.fullmatch(at)) and datetime.fromisoformat(at).year < 9000
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def _check_added(where: str, new: str, text: str | None) -> None:
    try:
        added = json.loads(new)
    except (ValueError, RecursionError):
        added = None
    if not isinstance(added, dict) or not all(isinstance(v, str) and k in EDITABLE for k, v in added.items()) or not added.get("cue_spans") or not added.get("content_spans"):
        raise DecisionError(where, "the claim that it adds has no cue or no content, or fields that are no texts", f"give cue_spans and content_spans, and of the others any of {', '.join(EDITABLE)}")
    for name, value in added.items():
        _check_value(where, name, value, text)


def _check_value(where: str, name: str, value: str, text: str | None) -> None:
    if name in WORDS and value and value not in WORDS[name]:
        raise DecisionError(where, f"{value!r} is no {name}", f"choose one of {', '.join(WORDS[name])}")
    if name in SPAN_EDITS:
        if not value and name != "source_spans":
            raise DecisionError(where, f"a claim has {name.removesuffix('_spans')}", "reject the claim instead")
        spans_from(value, len(text) if text is not None else None, where)


def spans_from(value: str, length: int | None = None, where: str = "a decision") -> tuple[CharSpan, ...]:
    """Return spans written as `0 5;16 23`; length: of the text that they must lie in. Raises DecisionError."""
    if _SPANS.fullmatch(value):
        edges = [int(number) for number in re.findall(r"\d+", value)]
        spans = tuple(zip(edges[::2], edges[1::2]))
        if all(s < e for s, e in spans) and all(a[1] <= b[0] for a, b in pairwise(spans)) and (length is None or not edges or edges[-1] <= length):
            return spans
    raise DecisionError(where, f"{value!r} are no spans of the article", "give them as 0 5;16 23: start and end, in order, inside the text")


def spans_text(spans: Iterable[CharSpan]) -> str:
    """Return spans as the CSV has them."""
    return ";".join(f"{start} {end}" for start, end in spans)


def field_text(claim: Claim, name: str) -> str:
    """Return what a claim has in an editable field, in the form of the CSV; a note it has none."""
    if name in SPAN_EDITS:
        return spans_text(getattr(claim, name.removesuffix("_spans")).spans)
    value = getattr(claim, name, None)
    return "" if value is None else str(value)


def corrected(claim: Claim, state: ClaimState, text: str) -> Claim:
    """Return a claim with the edits of its decisions in place; text: of its article.

    New spans change what hangs on them: the part's text, the quotation, the context, and the statement unless it was
    edited itself. The id stays. Raises DecisionError where spans lie outside of the text.
    """
    edits = dict(state.edits)
    parts = {name.removesuffix("_spans"): spans_from(edits.pop(name), len(text), f"an edit of {claim.claim_id}") for name in SPAN_EDITS if name in edits}
    edits.pop("note", None)
    new: dict[str, Any] = {name: value or None for name, value in edits.items()}
    if "claim" in new:
        new["claim"] = edits["claim"]
    if "negated" in new:
        new["negated"] = {"True": True, "False": False}.get(edits["negated"])
    return replace(_with_spans(claim, parts, text), **new)


def _with_spans(claim: Claim, parts: Mapping[str, tuple[CharSpan, ...]], text: str) -> Claim:
    if not parts:
        return claim
    from accordingto.claim import readable
    from accordingto.quotation import quotation_of, quoted_spans

    new: dict[str, Any] = {name: SpanText(JOINT.join(text[s:e] for s, e in spans), spans) for name, spans in parts.items()}
    moved = replace(claim, **new)
    if "content" in parts:
        moved = replace(moved, claim=readable(text, parts["content"]), quotation=quotation_of(parts["content"], quoted_spans(text), text))
    return replace(moved, context=_context(moved, text))


def _context(moved: Claim, text: str) -> str:
    """Return a claim's context where it still holds all of its parts, else the paragraphs that do."""
    edges = [edge for part in (moved.source, moved.cue, moved.content) for span in part.spans for edge in span]
    first, last = min(edges), max(edges)
    size = len(moved.context)
    if last - first <= size and text.find(moved.context, max(0, last - size), first + size) >= 0:
        return moved.context
    end = text.find("\n", last)
    return text[text.rfind("\n", 0, first) + 1 : end if end >= 0 else len(text)].strip()


def added_claim(claim_id: str, state: ClaimState, article: Mapping[str, Any], text: str) -> Claim:
    """Return the claim that a reviewer added, with the edits of later decisions in place; article: its line of articles.jsonl."""
    known = {name: article.get(name) or "" for name in ("article_id", "title", "publisher", "published", "url", "language", "near_duplicate_of")}
    empty: dict[str, Any] = {f.name: None for f in fields(Claim) if f.name != "src"} | dict.fromkeys(("source", "cue", "content"), SpanText("", ()))
    facts = {"claim_id": claim_id, "claim": "", "context": "", "quotation": "", "why": "", "model": "", "confidence": 1.0, "authors": "; ".join(article.get("authors") or ())}
    blank = Claim(**(empty | known | facts), src=dict(article.get("src") or {}))
    assert state.added is not None
    made = corrected(blank, replace(state, edits={**state.added, **state.edits}), text)
    return replace(made, why=made.cue.text)


def decision_line(decision: Decision) -> bytes:
    """Return a decision as one line of JSON."""
    return json.dumps(asdict(decision), ensure_ascii=False).encode("utf-8")


def decision_from_json(data: str | bytes) -> Decision:
    """Return the decision of one line of JSON; raises DecisionError."""
    try:
        values = json.loads(data)
        decision = Decision(**values)
    except (ValueError, TypeError, RecursionError) as error:
        raise DecisionError("a line of a log", "it is no decision", "take the log as accordingto wrote it") from error
    check_logged(decision)
    return decision
