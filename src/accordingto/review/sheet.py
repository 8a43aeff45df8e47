"""Sheets: what a reviewer says in a row of a table that went through a spreadsheet, and what the spreadsheet did to the row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accordingto.guard import guard, unguard
from accordingto.review.decision import WORDS, field_text
from accordingto.reviewed import DECISIONS
from accordingto.schema import Claim
from accordingto.table import COLUMNS, REVIEW_COLUMNS, flatten_claim
from accordingto.workbook import CHECK, CUT_MARK, plain, row_check, sheet_row

VERDICT_OF = {"accepted": "accept", "rejected": "reject", "unsure": "unsure"}
CORRECTIONS = {"corrected_speaker": "speaker", "corrected_stance": "stance", "corrected_claim": "claim", "note": "note"}
READ = frozenset(("speaker", "attitude_target", "claim", "source", "cue", "content", "context"))  # what a reviewer decides by: where one of them is another, the decision may be about another claim
HARMLESS = frozenset(COLUMNS) - READ - WORDS.keys() - set(REVIEW_COLUMNS)  # what nobody reviews; a spreadsheet's change of a date there costs nothing
_MACHINE = tuple(name for name in COLUMNS if name not in REVIEW_COLUMNS)
TRUTHS = {"true": "True", "1": "True", "false": "False", "0": "False"}


@dataclass(frozen=True)
class Cell:
    """A cell that is not taken."""

    claim_id: str
    column: str
    was: str
    found: str
    row: int = 0  # as the spreadsheet shows it


@dataclass(frozen=True)
class Said:
    """What a row says."""

    verdict: str = ""
    edits: Mapping[str, str] = field(default_factory=dict)  # field → new value
    mangled: tuple[Cell, ...] = ()
    refused: bool = False  # nothing of the row is taken
    other_version: bool = False  # the row is as it was written, but not of this run


def read_said(row: Mapping[str, str], claim: Claim, now: Claim | None = None) -> Said:
    """Return what a reviewer says in a row about a claim; row: its columns that are there, as text; now: the claim's row with the corrections that stand.

    A label that was changed where it stands is an edit. A text by which one decides must be the claim's, or the whole
    row is refused: somebody may have sorted one column without the others. What else differs is named and not taken.
    """
    forms = [_texts(form) for form in (claim, now) if form is not None]
    differing = [Cell(claim.claim_id, name, forms[0][name], row[name]) for name in _MACHINE if name in row and not any(row[name] == own[name] or same(name, row[name], own[name]) for own in forms)]
    check = row.get(CHECK, "").strip()
    if not differing or (check and row_check(row) == check):
        return _reviewers_own(row, claim, {}, (), other_version=bool(differing))
    if (check and check not in {sheet_row(form)[CHECK] for form in (claim, now) if form is not None}) or any(cell.column in READ for cell in differing):
        return Said(mangled=tuple(differing), refused=True)
    edits = {cell.column: _label(cell.column, cell.found) for cell in differing if _label(cell.column, cell.found)}
    wrong = any(cell.column in WORDS and cell.column not in edits and cell.column != "negated" for cell in differing)  # true and false become other words in a spreadsheet of another language
    said = _reviewers_own(row, claim, edits, tuple(cell for cell in differing if cell.column not in edits))
    return Said(mangled=said.mangled, refused=True) if wrong else said


def _texts(claim: Claim) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in flatten_claim(claim).items()}


def _reviewers_own(row: Mapping[str, str], claim: Claim, edits: dict[str, str], mangled: tuple[Cell, ...], *, other_version: bool = False) -> Said:
    """Return a row's verdict and edits; where a word is none, the row is refused: without its correction a verdict would say what nobody meant."""
    bad = []
    word = row.get("decision", "").strip()
    verdict = VERDICT_OF.get(DECISIONS.get(word.lower(), ""), "")
    if word and not verdict:
        bad.append(Cell(claim.claim_id, "decision", "", word))
    for column, name in CORRECTIONS.items():
        value = row.get(column, "").strip()
        new = _label(name, value) if name in WORDS else " ".join(value.split()) if name == "speaker" else value
        if value and not new:
            bad.append(Cell(claim.claim_id, column, "", value))
        elif new and new != field_text(claim, name):
            edits[name] = new
    return Said(mangled=(*mangled, *bad), refused=True) if bad else Said(verdict, edits, mangled, other_version=other_version)


def allowed(column: str) -> tuple[str, ...]:
    """Return the words that may stand in a column; none where any may."""
    return ("accept", "reject", "unsure") if column == "decision" else tuple(word for word in WORDS.get(CORRECTIONS.get(column, column), ()) if word)


def _label(name: str, value: str) -> str:
    """Return a label as the CSV has it; empty where it is none."""
    word = value.strip().lower()
    word = TRUTHS.get(word, "") if name == "negated" else word
    return word if word in WORDS.get(name, ()) else ""


def same(name: str, found: str, own: str) -> bool:
    """Return whether a cell is the claim's, as far as programs that save tables leave it alone."""
    if found.endswith(CUT_MARK) and plain(name, own).startswith(plain(name, found.removesuffix(CUT_MARK))):
        return True
    return plain(name, found) in {plain(name, form) for form in (own, guard(own), unguard(own))}
