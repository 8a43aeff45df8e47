"""The record: one claim as the page shows it for deciding: its fields with what may stand in them, and who decided what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accordingto.review.decision import SPAN_EDITS, WORDS, ClaimState, Decision, field_text, undone_batches
from accordingto.review.highlight import hidden_names
from accordingto.review.key import STANCE_KEYS
from accordingto.schema import Claim

NAMES = {
    "speaker": "Speaker", "speaker_role": "Role", "source_kind": "Kind", "stance": "Stance", "negated": "Negated", "certainty": "Certainty", "attitude": "Attitude",
    "attitude_target": "Towards", "framing": "Framing", "attribution_type": "Type", "claim": "Claim", "note": "Note", "source_spans": "Source", "cue_spans": "Cue", "content_spans": "Content",
}  # fmt: skip
FIELDS = ("speaker", "speaker_role", "source_kind", "stance", "negated", "certainty", "attitude", "attitude_target", "framing", "attribution_type", "claim", "note")
DECIDED = {"accept": "accepted", "reject": "rejected", "unsure": "unsure", "": "not decided"}
_YES_NO = {"True": "yes", "False": "no"}
_LONG = ("claim", "note")
_KEYS = {stance: number for number, stance in STANCE_KEYS}


@dataclass(frozen=True)
class Field:
    """A field of the record."""

    name: str
    label: str
    value: str
    written: str  # what the pipeline wrote
    changed: bool
    options: tuple[tuple[str, str], ...]  # value and words of each choice; empty for text
    long: bool
    hidden: str  # names of characters in the value that cannot be seen


@dataclass(frozen=True)
class Step:
    """A decision as the record lists it."""

    who: str
    what: str
    at: str
    undone: bool


@dataclass(frozen=True)
class Record:
    """A claim to decide."""

    claim: Claim
    state: ClaimState
    fields: tuple[Field, ...]
    steps: tuple[Step, ...]
    speakers: tuple[str, ...]  # of the article, to choose from
    version: int
    position: int | None  # in what is shown, from 1; None where the claim is no longer shown
    moved: tuple[str, ...]  # parts whose words a reviewer changed


def record_of(claim: Claim, original: Claim | None, state: ClaimState, history: Sequence[Decision], turns: Iterable[Decision], others: Iterable[Claim], *, version: int, position: int | None) -> Record:
    """Return the record of a claim; original: as the pipeline wrote it, None for one that a reviewer added."""
    undone = undone_batches(turns)
    steps = tuple(Step(row.reviewer or "somebody", _what(row), f"{row.at[:10]} {row.at[11:16]}", row.batch in undone) for row in history)
    speakers = sorted({c.speaker for c in others if c.speaker}, key=str.casefold)
    moved = tuple(name.removesuffix("_spans") for name in SPAN_EDITS if name in state.edits)
    return Record(claim, state, tuple(_field(name, claim, original, state) for name in FIELDS), steps, tuple(speakers), version, position, moved)


def _field(name: str, claim: Claim, original: Claim | None, state: ClaimState) -> Field:
    value = state.edits.get("note", "") if name == "note" else field_text(claim, name)
    written = field_text(original, name) if original is not None else ""
    changed = original is not None and name != "note" and value != written
    return Field(name, NAMES[name], value, written, changed, _options(name, value), name in _LONG, hidden_names(value))


def _options(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """Return the choices of a label; nothing is one of them only where nothing stands there."""
    if name not in WORDS:
        return ()
    empty = () if value in WORDS[name] else (("", "not chosen"),)
    return (*empty, *((word, f"{word}  ({_KEYS[word]})" if name == "stance" else _YES_NO.get(word, word)) for word in WORDS[name]))


def _what(row: Decision) -> str:
    if row.kind == "add":
        return "added the claim"
    if row.field == "decision":
        return ("as lead: " if row.kind == "lead" else "") + (DECIDED[row.new] if row.new else "took the decision back")
    if row.field in SPAN_EDITS:
        return f"changed the words of the {NAMES[row.field].lower()}"
    return f"{NAMES[row.field]}: {row.old or 'nothing'} → {row.new or 'nothing'}"
