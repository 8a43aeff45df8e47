"""Merges: the decisions of reviewers who worked apart, in one log, with what they disagree about and what they are no longer about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from accordingto.errors import DecisionError, RunError
from accordingto.review.decision import SPAN_EDITS, ClaimState, Decision, check_decision, decision_from_json, decision_line, fold, ordered
from accordingto.review.log import DecisionLog
from accordingto.review.runs import ReviewRun, read_run
from accordingto.table import replacing


@dataclass(frozen=True)
class Conflict:
    """What reviewers say differently of a claim that no lead has settled."""

    claim_id: str
    said: Mapping[str, Mapping[str, str]]  # reviewer → field → value, `decision` among them


@dataclass(frozen=True)
class Merged:
    """What came of a merge."""

    decisions: int  # in the run's log now
    new: int
    reviewers: Sequence[str]
    conflicts: Sequence[Conflict]
    orphaned: Sequence[str] = field(default_factory=tuple)  # claims with decisions that the run has not: kept in the log, and again in force in a run that has them


def merge_logs(folder: Path, others: Iterable[Path], save: Path | None = None) -> Merged:
    """Take decisions made elsewhere into a run's log, and return what is there now.

    others: folders of runs, logs (.sqlite), or logs as JSON lines, to which `save` names a file for this run's own.
    What is there already is skipped, so that the order of merges and their number do not matter. Raises RunError, DecisionError.
    """
    run = read_run(folder)
    elsewhere = [d for path in others for d in read_log(path)]
    with DecisionLog(folder) as log:
        known = [d for _, d in log.read()]
        union(known, elsewhere)
        _check_articles([*known, *elsewhere], run)
        _check_spans(elsewhere, run)
        new = log.append(ordered(elsewhere))
        decisions = ordered(d for _, d in log.read())
    if save is not None:
        with replacing(save) as file:
            file.writelines(decision_line(d) + b"\n" for d in decisions)
    states = fold(decisions)
    return Merged(len(decisions), new, sorted({d.reviewer for d in decisions if d.kind not in ("undo", "redo")}), conflicts(states), orphaned(run, states))


def union(*logs: Iterable[Decision]) -> list[Decision]:
    """Return the decisions of several logs, each once, in the order of their times; raises DecisionError where one id stands for two."""
    found: dict[str, Decision] = {}
    for decision in (d for log in logs for d in log):
        if found.setdefault(decision.decision_id, decision) != decision:
            raise DecisionError(f"the decision {decision.decision_id}", "two logs have it differently", "take a fresh copy of the log that was changed")
    return ordered(found.values())


def read_log(path: Path) -> Iterator[Decision]:
    """Yield the decisions of a run's folder, of a log, or of a log as JSON lines; raises RunError, DecisionError."""
    if path.suffix == ".jsonl":
        try:
            with path.open("rb") as lines:
                yield from (decision_from_json(line) for line in lines if line.strip())
        except OSError as error:
            raise RunError(path, (error.strerror or str(error)).lower(), "check the path") from error
        return
    folder, name = (path.parent, path.name) if path.suffix == ".sqlite" else (path, None)
    with DecisionLog(folder, create=False, name=name) as log:
        yield from (decision for _, decision in log.read())


def _check_articles(decisions: Iterable[Decision], run: ReviewRun) -> None:
    """Raise DecisionError where a decision names another article than its claim's: its spans would be read in a text that they are not of."""
    texts = {article_id: sha256 for sha256, article_id in run.articles.by_text.items()}
    found = {claim.claim_id: texts[claim.article_id] for claim in run.claims()}
    for decision in decisions:
        if decision.claim_id and found.setdefault(decision.claim_id, decision.article_sha256) != decision.article_sha256:
            raise DecisionError(f"the decision {decision.decision_id}", f"the claim {decision.claim_id} is of another article", "take a fresh copy of the log that was changed")


def _check_spans(decisions: Iterable[Decision], run: ReviewRun) -> None:
    """Raise DecisionError where spans lie outside of the text that they are of."""
    for decision in decisions:
        article_id = run.articles.by_text.get(decision.article_sha256)
        if article_id is not None and (decision.kind == "add" or decision.field in SPAN_EDITS):
            check_decision(decision, run.text(article_id))


def conflicts(states: Mapping[str, ClaimState]) -> list[Conflict]:
    """Return what reviewers say differently, by claim."""
    found = []
    for claim_id, state in states.items():
        if state.conflict:
            reviewers = sorted(state.by.keys() | state.edits_by.keys())
            found.append(Conflict(claim_id, {name: {"decision": state.by.get(name, ""), **state.edits_by.get(name, {})} for name in reviewers}))
    return found


def orphaned(run: ReviewRun, states: Mapping[str, ClaimState]) -> list[str]:
    """Return the claims with decisions that a run has not, neither read nor added to a text that it has."""
    there = {claim.claim_id for claim in run.claims()}
    return [claim_id for claim_id, state in states.items() if claim_id not in there and (state.added is None or state.article_sha256 not in run.articles.by_text)]
