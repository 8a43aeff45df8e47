"""Judged articles: a run's articles with their claims as the reviewers left them; what every format is written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from accordingto.review.decision import EDITABLE, ClaimState, Decision, added_claim, corrected, field_text, fold, ordered, undone_batches
from accordingto.review.runs import ReviewRun
from accordingto.schema import CharSpan, Claim

TAKEN = ("accepted", "corrected", "added")  # verdicts of claims that hold
OPEN = ("unreviewed", "unsure", "disputed")  # of claims that nobody has settled
VERDICTS = (*TAKEN, "rejected", *OPEN)


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A claim with what its reviewers made of it."""

    claim: Claim  # with their corrections in place
    verdict: str  # one of VERDICTS
    reviewers: tuple[str, ...] = ()
    at: str = ""  # of the last decision, ISO 8601
    note: str = ""
    machine: Mapping[str, str] = field(default_factory=dict)  # what the model had written in the fields that were corrected, as the CSV has it


@dataclass(frozen=True, slots=True)
class JudgedArticle:
    """An article with its claims, rejected and undecided ones too, by the first character of their cues."""

    facts: Mapping[str, Any]  # its line of articles.jsonl, without the text
    text: str
    claims: tuple[JudgedClaim, ...]

    @property
    def article_id(self) -> str:
        """The article's id in its run."""
        return str(self.facts["article_id"])

    @property
    def settled(self) -> bool:
        """Whether it has claims, and every one was decided."""
        return bool(self.claims) and all(c.verdict not in OPEN for c in self.claims)

    def held(self, *, unreviewed: bool) -> list[JudgedClaim]:
        """Return the claims that hold; unreviewed: with those that nobody has settled."""
        return [c for c in self.claims if c.verdict in TAKEN or (unreviewed and c.verdict in OPEN)]

    def told(self, *, unreviewed: bool) -> list[JudgedClaim]:
        """Return the claims that hold and those that were rejected: for formats that have a word for these."""
        return [c for c in self.claims if c.verdict not in OPEN or unreviewed]


def parents_among(claims: Sequence[JudgedClaim]) -> list[int | None]:
    """Return for each claim the index of the one in whose content it stands, None for the outermost ones.

    It is the model's parent where that is among them and its content holds the cue; else, as after a rejected parent or an
    edited span, the one with the shortest content that holds the cue. Nothing stands in itself, over however many steps.
    """
    places = {c.claim.claim_id: i for i, c in enumerate(claims)}
    parents: list[int | None] = [None] * len(claims)
    for i, child in enumerate(claims):
        cue = child.claim.cue.spans
        around = [j for j, other in enumerate(claims) if j != i and _holds(other.claim.content.spans, cue)]
        around.sort(key=lambda j: (j != places.get(child.claim.parent_id or ""), sum(e - s for s, e in claims[j].claim.content.spans)))
        parents[i] = next((j for j in around if not _leads_to(j, i, parents)), None)
    return parents


def _holds(content: Sequence[CharSpan], cue: Sequence[CharSpan]) -> bool:
    return bool(cue) and all(any(s <= start and end <= e for s, e in content) for start, end in cue)


def _leads_to(above: int | None, child: int, parents: Sequence[int | None]) -> bool:
    """Return whether a claim stands, over some steps, in `child`."""
    while above is not None:
        if above == child:
            return True
        above = parents[above]
    return False


def judged_articles(run: ReviewRun, decisions: Iterable[Decision]) -> Iterator[JudgedArticle]:
    """Yield a run's articles that have claims, found or added, in the order of the run; a repeated text stands once."""
    rows = ordered(decisions)
    states, undone = fold(rows), undone_batches(rows)
    times = {d.claim_id: d.at for d in rows if d.batch not in undone}
    added: dict[str, list[str]] = {}
    for claim_id, state in states.items():
        if state.added is not None:
            added.setdefault(state.article_sha256, []).append(claim_id)
    found = {article_id: list(claims) for article_id, claims in groupby(run.claims(), key=lambda c: c.article_id)}
    for article_id, facts in run.articles.items():
        if "text" in facts and (article_id in found or facts["text_sha256"] in added):
            yield _judged_article(facts, found.get(article_id, []), added.get(facts["text_sha256"], []), states, times)


def _judged_article(facts: dict[str, Any], found: Sequence[Claim], added: Sequence[str], states: Mapping[str, ClaimState], times: Mapping[str, str]) -> JudgedArticle:
    text = facts.pop("text")
    ids = {claim.claim_id for claim in found}
    claims = [_judged_claim(claim, states.get(claim.claim_id, ClaimState()), text, times.get(claim.claim_id, "")) for claim in found]
    for claim_id in added:
        if claim_id not in ids:  # else a later model found it too
            claim, state = added_claim(claim_id, states[claim_id], facts, text), states[claim_id]
            claims.append(JudgedClaim(claim, _verdict(state, "added"), _reviewers(state), times[claim_id], state.edits.get("note", "")))
    return JudgedArticle(facts, text, tuple(sorted(claims, key=lambda c: c.claim.cue.spans)))


def _judged_claim(claim: Claim, state: ClaimState, text: str, at: str) -> JudgedClaim:
    new = corrected(claim, state, text)
    machine = {name: field_text(claim, name) for name in EDITABLE if name in state.edits and field_text(claim, name) != field_text(new, name)}
    verdict = _verdict(state, "corrected" if machine else "accepted" if state.decision else "unreviewed")
    return JudgedClaim(new, verdict, _reviewers(state), at, state.edits.get("note", ""), machine)


def _verdict(state: ClaimState, otherwise: str) -> str:
    """Return a claim's verdict; otherwise: where nothing speaks against it."""
    if state.conflict:
        return "disputed"
    if otherwise == "added" and not state.decision:
        return "unreviewed"  # whoever added it has taken that back
    return {"reject": "rejected", "unsure": "unsure"}.get(state.decision, otherwise)


def _reviewers(state: ClaimState) -> tuple[str, ...]:
    return tuple(sorted({*state.by, *state.edits_by}))
