"""Standing: where each claim of a run stands by the log of decisions, kept up with whoever writes into the log."""

from __future__ import annotations

from accordingto.review.decision import ClaimState, Decision, fold
from accordingto.review.log import DecisionLog

UNDECIDED = ClaimState()


class Standing:
    """What the decisions make of each claim, as far as the log was followed."""

    def __init__(self, log: DecisionLog) -> None:
        self.log = log
        self.states: dict[str, ClaimState] = {}
        self.versions: dict[str, int] = {}  # claim → the last row of the log that concerns it
        self.reviewers: set[str] = set()
        self.last = 0  # row of the log
        self._rows: dict[str, list[Decision]] = {}
        self._claims: dict[str, set[str]] = {}  # of each batch
        self._turns: dict[str, list[Decision]] = {}  # batch → its undos and redos
        self._ids: set[str] = set()  # of decisions

    def follow(self) -> set[str]:
        """Take in what was written to the log since the last time, and return the claims that it concerns."""
        touched: set[str] = set()
        for number, row in self.log.read(self.last):
            claims = self._take(row)
            self.versions |= dict.fromkeys(claims, number)
            self.last = number
            touched |= claims
        if touched:
            rows = [row for claim in touched for row in self._rows.get(claim, ())]
            turns = [turn for batch in {row.batch for row in rows} for turn in self._turns.get(batch, ())]
            self.states |= dict.fromkeys(touched, UNDECIDED) | fold([*rows, *turns])
        return touched

    def _take(self, row: Decision) -> set[str]:
        self._ids.add(row.decision_id)
        self.reviewers.add(row.reviewer)
        if row.kind in ("undo", "redo"):
            self._turns.setdefault(row.undoes, []).append(row)
            return self.claims_of(row.undoes)
        self._rows.setdefault(row.claim_id, []).append(row)
        self._claims.setdefault(row.batch, set()).add(row.claim_id)
        return {row.claim_id}

    def state(self, claim_id: str) -> ClaimState:
        """Return what the decisions made of a claim."""
        return self.states.get(claim_id, UNDECIDED)

    def history(self, claim_id: str) -> list[Decision]:
        """Return the decisions about a claim as they were made, undone ones too."""
        return self._rows.get(claim_id, [])

    def turns(self, claim_id: str) -> list[Decision]:
        """Return the undos and redos that concern a claim."""
        return [turn for batch in {row.batch for row in self.history(claim_id)} for turn in self._turns.get(batch, ())]

    def claims_of(self, batch: str) -> set[str]:
        """Return the claims that a batch is about."""
        return self._claims.get(batch, set())

    def knows(self, decision_id: str) -> bool:
        """Return whether a decision is in the log."""
        return decision_id in self._ids
