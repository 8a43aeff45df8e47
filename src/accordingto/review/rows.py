"""Rows of a reviewed run: its claims as a table has them, with what was decided about each in the reviewer's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import groupby

from accordingto.review.decision import SPAN_EDITS, ClaimState, corrected, field_text, fold
from accordingto.review.log import LOG_FILE, DecisionLog
from accordingto.review.runs import ReviewRun
from accordingto.schema import Claim
from accordingto.table import ReviewedRow

CORRECTED = ("speaker", "stance", "claim")  # that have a column of their own; the other corrections stand in place


def read_states(run: ReviewRun) -> dict[str, ClaimState]:
    """Return what was decided about a run's claims; nothing where there is no log."""
    if not (run.folder / LOG_FILE).is_file():
        return {}
    with DecisionLog(run.folder, create=False) as log:
        return fold(decision for _, decision in log.read())


def reviewed_rows(run: ReviewRun, states: Mapping[str, ClaimState]) -> Iterator[ReviewedRow]:
    """Yield the rows of a run's claims in their order, those that reviewers added behind the others of their article."""
    there, added = set[str](), dict[str, list[Claim]]()
    for claim in run.added_claims(states):
        added.setdefault(claim.article_id, []).append(claim)
    for article_id, claims in groupby(run.claims(), key=lambda c: c.article_id):
        for claim in claims:
            there.add(claim.claim_id)
            yield reviewed_row(claim, states.get(claim.claim_id, ClaimState()), run)
        yield from (reviewed_row(c, states[c.claim_id], run) for c in added.pop(article_id, ()) if c.claim_id not in there)  # else a later model found it too
    yield from (reviewed_row(c, states[c.claim_id], run) for claims in added.values() for c in claims)


def reviewed_row(claim: Claim, state: ClaimState, run: ReviewRun) -> ReviewedRow:
    """Return a claim's row: a new speaker, stance or wording beside the machine's, other corrections in its place."""
    text = run.text(claim.article_id) if state.edits.keys() & set(SPAN_EDITS) else ""
    now = corrected(claim, state, text)
    changed = [name for name in CORRECTED if state.edits.get(name) and field_text(now, name) != field_text(claim, name)]  # what was emptied has no word for its column, and is emptied in place
    shown = replace(now, **{name: getattr(claim, name) for name in changed})
    cells = {f"corrected_{name}": state.edits[name] for name in changed} | said_of(state)
    return ReviewedRow(**{f.name: getattr(shown, f.name) for f in fields(Claim)}, review=cells)


def said_of(state: ClaimState) -> dict[str, str]:
    """Return decision, note and reviewer of a row; what reviewers differ about has no decision, and a note that says so."""
    note = state.edits.get("note", "")
    if state.conflict:
        note = f"{note}; {_differences(state)}" if note else _differences(state)
    return {"decision": "" if state.conflict else state.decision, "note": note, "reviewer": ", ".join(names_of(state))}


def names_of(state: ClaimState) -> list[str]:
    """Return who said something of a claim, by name."""
    return sorted(filter(None, {*state.by, *state.edits_by, *state.leads}))


def _differences(state: ClaimState) -> str:
    """Return what each reviewer says of a claim, as a note."""
    said = ((name, state.by.get(name, ""), {f: v for f, v in state.edits_by.get(name, {}).items() if f != "note"}) for name in sorted(state.by.keys() | state.edits_by.keys()))
    words = (f"{name or '(no name)'}: {', '.join(filter(None, (verdict, *(f'{f} {v or chr(8211)}' for f, v in edits.items()))))}" for name, verdict, edits in said)
    return f"reviewers differ ({'; '.join(words)})"
