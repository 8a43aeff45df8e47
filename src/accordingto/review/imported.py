"""Imports: reviewed tables taken back into a run, each import one batch of decisions, with an account of every row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from accordingto.errors import TableError
from accordingto.review.decision import ClaimState, Decision, field_text, fold
from accordingto.review.log import IMPORT, DecisionLog
from accordingto.review.rows import names_of, reviewed_row, said_of
from accordingto.review.runs import ReviewRun, read_run
from accordingto.review.sheet import HARMLESS, Cell, Said, read_said, same
from accordingto.row import numbered_rows
from accordingto.schema import Claim


@dataclass
class Imported:
    """What became of the rows of an import. Each is accepted, rejected, unsure, only edited, untouched, unknown, duplicated or refused."""

    rows: int = 0
    accepted: list[str] = field(default_factory=list)  # claim_ids, in the order of the tables
    rejected: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)  # with a verdict or without
    only_edited: list[str] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # as the tables have them
    duplicated: list[str] = field(default_factory=list)  # rows of a claim that another row of the same reviewer has; where they differ, none is taken
    contradicted: list[str] = field(default_factory=list)  # of these, the claims whose rows differ
    refused: list[str] = field(default_factory=list)  # rows of which a text is not the claim's, or a word none that may stand there
    places: dict[str, list[str]] = field(default_factory=dict)  # where the rows are that were not taken: claim_id → numbers as a spreadsheet shows them
    mangled: list[Cell] = field(default_factory=list)  # cells that were not taken
    other_version: list[str] = field(default_factory=list)  # rows that another model wrote: their decisions are taken, their labels are not
    missing: int = 0  # claims of the run that no row is about
    orphaned: int = 0  # claims with decisions that the run has no more
    written: int = 0  # decisions that were new

    @property
    def lost(self) -> int:
        """How many rows and cells in which a reviewer may have said something were not taken."""
        return len(self.unknown) + len(self.contradicted) + len(self.refused) + sum(cell.claim_id not in self.refused for cell in self.mangled if cell.column not in HARMLESS)


def import_tables(folder: Path, paths: Sequence[Path], reviewer: str = "") -> Imported:
    """Take reviewed tables back into a run, and return what became of their rows; reviewer: of rows that name none.

    The same tables again change nothing, unless the import was undone: then it is done again. Raises RunError, TableError.
    """
    run = read_run(folder)
    digests = sorted({_digest(path) for path in paths})
    batch = IMPORT + hashlib.sha256("\n".join((reviewer, *digests)).encode("utf-8")).hexdigest()[:20]
    with DecisionLog(folder) as log:
        log.undo_batch(batch, reviewer, kind="redo")
        before = [decision for _, decision in log.read()]
        states = fold(before)
        claims = {claim.claim_id: claim for claim in (*run.added_claims(states), *run.claims())}  # one that a later model found too is the model's, as in its tables
        done = Imported(orphaned=len(states.keys() - claims.keys()))
        said = _read(paths, claims, {claim_id: reviewed_row(claims[claim_id], state, run) for claim_id, state in states.items() if claim_id in claims}, reviewer, done)
        known = {(d.claim_id, d.field, d.reviewer) for d in before if d.batch == batch}
        new = [d for d in _decisions(said, claims, states, run, batch, reviewer) if (d.claim_id, d.field, d.reviewer) not in known]
        done.written = len(log.decide(new)) if new else 0
    return done


def undo_import(folder: Path) -> tuple[str, int] | None:
    """Take the last import back that was not, and return its batch and its number of decisions; None where there is none."""
    with DecisionLog(folder, create=False) as log:
        batch = log.last_batch(IMPORT)
        if batch is None:
            return None
        log.undo_batch(batch)
        return batch, sum(decision.batch == batch for _, decision in log.read())


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TableError(path, (error.strerror or str(error)).lower(), "check the path") from error


def _read(paths: Sequence[Path], claims: Mapping[str, Claim], now: Mapping[str, Claim], reviewer: str, done: Imported) -> dict[tuple[str, str], Said]:
    """Return what each reviewer says of each claim, and count all rows; now: the rows of claims with the corrections that stand."""
    said: dict[tuple[str, str], Said] = {}
    seen: set[str] = set()
    contradicted: set[tuple[str, str]] = set()
    where: dict[tuple[str, str], str] = {}
    for place, number, row in _rows(paths):
        done.rows += 1
        claim = claims.get(row["claim_id"].strip())
        if claim is None:
            done.unknown.append(row["claim_id"].strip() or f"row {number}, without an id")
            if row["claim_id"].strip():
                done.places.setdefault(row["claim_id"].strip(), []).append(place)
            continue
        seen.add(claim.claim_id)
        key = claim.claim_id, " ".join(row.get("reviewer", "").split()) or reviewer
        found = read_said(row, claim, now.get(claim.claim_id))
        done.mangled += [replace(cell, row=number) for cell in found.mangled]
        if found.refused:
            done.refused.append(claim.claim_id)
            done.places.setdefault(claim.claim_id, []).append(place)
        elif key not in said:
            said[key], where[key] = found, place
        else:
            done.duplicated.append(claim.claim_id)
            if (found.verdict, dict(found.edits)) != (said[key].verdict, dict(said[key].edits)):
                done.places.setdefault(claim.claim_id, []).extend([place] if key in contradicted else [where[key], place])
                contradicted.add(key)
    for key in sorted(contradicted):  # neither of them can be known to be meant
        del said[key]
        done.duplicated.append(key[0])
        done.contradicted.append(key[0])
    _sort_out(said, done)
    done.missing = len(claims.keys() - seen)
    return said


def _sort_out(said: Mapping[tuple[str, str], Said], done: Imported) -> None:
    """Put each row that is taken where it belongs."""
    places = {"accept": done.accepted, "reject": done.rejected, "unsure": done.unsure}
    for (claim_id, _), row in said.items():
        places.get(row.verdict, done.only_edited if row.edits else done.untouched).append(claim_id)
        if row.edits:
            done.edited.append(claim_id)
        if row.other_version:
            done.other_version.append(claim_id)


def _rows(paths: Sequence[Path]) -> Iterator[tuple[str, int, Mapping[str, str]]]:
    """Yield rows with their places: the number, and the table where there are several."""
    for path in paths:
        yield from ((f"{number} of {path.name}" if len(paths) > 1 else str(number), number, row) for number, row in numbered_rows(path))


def _decisions(said: Mapping[tuple[str, str], Said], claims: Mapping[str, Claim], states: Mapping[str, ClaimState], run: ReviewRun, batch: str, fallback: str) -> Iterator[Decision]:
    """Yield what is not decided so already by the same reviewer.

    A row that names just those who decided, as an exported one does, says again what stands. What is new in it when they
    are several, or a lead, is said by `fallback`: nobody can tell by which of them.
    """
    texts = {article_id: sha256 for sha256, article_id in run.articles.by_text.items()}
    nothing = ClaimState()
    for (claim_id, reviewer), row in said.items():
        claim, state = claims[claim_id], states.get(claim_id, nothing)
        sha256 = texts[claim.article_id]
        standing = said_of(state) if reviewer == ", ".join(names_of(state)) else {}
        reviewer = fallback if standing and (len(names_of(state)) > 1 or state.leads) else reviewer  # noqa: PLW2901
        if row.verdict and row.verdict not in (state.by.get(reviewer), standing.get("decision")):
            yield Decision("", claim_id, sha256, reviewer, "verdict", "decision", state.decision, row.verdict, "", batch)
        own = state.edits_by.get(reviewer, {})
        for name, new in row.edits.items():
            stands = standing["note"] if name == "note" and standing else state.edits.get(name) if standing else None
            if new != own.get(name) and not (stands and same(name, new, stands)):
                yield Decision("", claim_id, sha256, reviewer, "edit", name, state.edits.get(name, field_text(claim, name)), new, "", batch)

