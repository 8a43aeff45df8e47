"""Agreement: how far the reviewers of a run decide alike, beyond chance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from accordingto.evaluation import score
from accordingto.review.decision import WORDS, ClaimState, added_claim, corrected, field_text, fold
from accordingto.review.log import DecisionLog
from accordingto.review.runs import ReviewRun, read_run
from accordingto.schema import Claim

SPAN_FIGURES = ("cue_f1", "source_exact_f1", "content_exact_f1", "relation_f1")
Judgements = Mapping[str, Mapping[str, str]]  # reviewer → claim → value


@dataclass(frozen=True)
class Pair:
    """How two reviewers agree about one field."""

    reviewers: tuple[str, str]
    field: str
    claims: int  # that both have judged
    same: float | None  # share of them, 0–1
    kappa: float | None  # Cohen's; None where it is not defined


@dataclass(frozen=True)
class Agreement:
    """How the reviewers of a run agree."""

    pairs: Sequence[Pair]
    alpha: Mapping[str, float | None]  # field → Krippendorff's, over all reviewers
    judged: Mapping[str, int]  # field → claims that two reviewers or more have judged
    spans: Mapping[str, Mapping[str, float]]  # `Ann, Bo` → F1 in percent, by the measure of `accordingto evaluate`
    orphaned: int = 0  # claims with decisions that the run has no more, left out


def measure_agreement(folder: Path) -> Agreement:
    """Return how the reviewers of a run agree about decision, labels and spans; raises RunError.

    A label of a reviewer is the own edit, else the model's, for claims that they accept or edit. Verdicts of a lead count
    for nothing here.
    """
    run = read_run(folder)
    with DecisionLog(folder, create=False) as log:
        decisions = [d for _, d in log.read() if d.kind != "lead"]
    states = fold(decisions)
    claims = {claim.claim_id: claim for claim in (*run.added_claims(states), *run.claims())}
    known = {claim_id: state for claim_id, state in states.items() if claim_id in claims}
    judged = {name: _judgements(name, known, claims) for name in ("decision", "speaker", *WORDS)}
    reviewers = sorted({name for state in known.values() for name in (*state.by, *state.edits_by)})
    pairs = [_pair(pair, name, judgements) for pair in combinations(reviewers, 2) for name, judgements in judged.items()]
    alpha = {name: krippendorff_alpha(_units(judgements)) for name, judgements in judged.items()}
    spans = {", ".join(pair): figures for pair in combinations(reviewers, 2) if (figures := _span_figures(pair, known, claims, run))}
    twice = {name: sum(len(unit) > 1 for unit in _units(judgements)) for name, judgements in judged.items()}
    return Agreement([p for p in pairs if p.claims], alpha, twice, spans, len(states) - len(known))


def _judgements(name: str, states: Mapping[str, ClaimState], claims: Mapping[str, Claim]) -> Judgements:
    """Return what each reviewer says in a field of each claim."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for claim_id, state in states.items():
        for reviewer in state.by.keys() | state.edits_by.keys():
            if name == "decision":
                if state.added is None and reviewer in state.by:
                    said[reviewer][claim_id] = state.by[reviewer]
            elif _holds(state, reviewer):
                unedited = field_text(claims[claim_id], name) if state.added is None else state.added.get(name, "")
                said[reviewer][claim_id] = state.edits_by.get(reviewer, {}).get(name, unedited)
    return said


def _holds(state: ClaimState, reviewer: str) -> bool:
    """Return whether a reviewer takes a claim for one."""
    return state.by.get(reviewer, "accept" if reviewer in state.edits_by else "") == "accept"


def _pair(pair: tuple[str, str], name: str, judgements: Judgements) -> Pair:
    one, other = (judgements.get(reviewer, {}) for reviewer in pair)
    both = [(one[claim], other[claim]) for claim in sorted(one.keys() & other.keys())]
    return Pair(pair, name, len(both), sum(a == b for a, b in both) / len(both) if both else None, cohen_kappa(both))


def _units(judgements: Judgements) -> list[list[str]]:
    units: dict[str, list[str]] = defaultdict(list)
    for said in judgements.values():
        for claim, value in said.items():
            units[claim].append(value)
    return list(units.values())


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa of two reviewers' labels (Cohen 1960, A coefficient of agreement for nominal scales); None where chance alone would agree always."""
    if not pairs:
        return None
    total = len(pairs)
    one, other = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    observed = sum(a == b for a, b in pairs) / total
    expected = sum(one[label] * other[label] for label in one) / total**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def krippendorff_alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Return Krippendorff's alpha for nominal labels, any number of reviewers, some labels missing; None where it is not defined.

    By coincidences, as in Krippendorff 2011, Computing Krippendorff's alpha-reliability, section C. units: the labels
    of each claim; those of a single label tell nothing.
    """
    disagreements, totals = 0.0, Counter[str]()
    for labels in units:
        if len(labels) > 1:
            counts = Counter(labels)
            totals.update(counts)
            disagreements += sum(count * (len(labels) - count) for count in counts.values()) / (len(labels) - 1)
    n = totals.total()
    chance = sum(count * (n - count) for count in totals.values())
    return 1 - (n - 1) * disagreements / chance if chance else None


def _span_figures(pair: tuple[str, str], states: Mapping[str, ClaimState], claims: Mapping[str, Claim], run: ReviewRun) -> dict[str, float]:
    """Return the F1 of two reviewers' spans, over the claims that both judged and those that either added where both worked."""
    held: dict[str, list[list[Claim]]] = defaultdict(lambda: [[], []])
    worked = [{state.article_sha256 for state in states.values() if reviewer in state.by or reviewer in state.edits_by} for reviewer in pair]
    for claim_id, state in states.items():
        both = all(reviewer in state.by or reviewer in state.edits_by for reviewer in pair)
        if both or (state.added is not None and state.article_sha256 in worked[0] & worked[1]):
            for side, reviewer in enumerate(pair):
                if _holds(state, reviewer):
                    held[state.article_sha256][side].append(_own(claim_id, state, reviewer, claims, run))
    gold, predicted = [], []
    for sha256, (one, other) in held.items():
        article_id = run.articles.by_text[sha256]
        gold.append({"id": article_id, "text": run.text(article_id), "attributions": [{part: getattr(c, part).spans for part in ("source", "cue", "content")} for c in one]})
        predicted += [asdict(c) | {"article_id": article_id, "parent_id": None} for c in other]
    return {name: figure for name, figure in score(gold, predicted).items() if name in SPAN_FIGURES} if gold else {}


def _own(claim_id: str, state: ClaimState, reviewer: str, claims: Mapping[str, Claim], run: ReviewRun) -> Claim:
    """Return a claim as one reviewer would have it."""
    own = ClaimState(edits=state.edits_by.get(reviewer, {}), added=state.added, article_sha256=state.article_sha256)
    article = run.articles[run.articles.by_text[state.article_sha256]]
    return added_claim(claim_id, own, article, article["text"]) if own.added is not None else corrected(claims[claim_id], own, article["text"])


def lines_of(agreement: Agreement) -> Iterator[str]:
    """Yield an agreement as lines for a person."""

    def figure(value: Any) -> str:
        return "–" if value is None else f"{value:.3f}"

    if not agreement.pairs:
        yield "nothing to compare: no claim has been decided by two reviewers yet"
        return
    yield f"{'field':<18}{'claims':>7}{'alpha':>8}   between two: claims, share alike, kappa"
    for name, alpha in agreement.alpha.items():
        pairs = [f"{' & '.join(r or '(no name)' for r in p.reviewers)}: {p.claims}, {figure(p.same)}, {figure(p.kappa)}" for p in agreement.pairs if p.field == name]
        yield f"{name:<18}{agreement.judged[name]:>7}{figure(alpha):>8}   {'; '.join(pairs)}"
    for names, figures in agreement.spans.items():
        yield f"spans, {names}: {', '.join(f'{name} {value}' for name, value in figures.items())}"
