"""The desk: a run on which a reviewer works: its queue, what the decisions made of each claim, and the ways to decide.

The log is the truth; what is held here follows it, also where another reviewer's process writes into it meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accordingto.claim import claim_id
from accordingto.errors import DecisionError
from accordingto.furniture import find_furniture
from accordingto.review.decision import SPAN_EDITS, Decision, added_claim, check_decision, corrected, field_text, spans_from
from accordingto.review.log import DecisionLog, new_batch
from accordingto.review.progress import Progress
from accordingto.review.proposal import proposed_speaker
from accordingto.review.queue import Queue, Row, searched
from accordingto.review.runs import ReviewRun
from accordingto.review.standing import Standing
from accordingto.schema import Attribution, Claim

OPEN_ARTICLES = 8  # that are kept read; going back and forth is quick then
LINE = 140  # characters of a claim in the queue
ONE_LINE = ("speaker", "speaker_role", "attitude_target")  # names: white space is the hand's, as an import has it too; two reviewers do not differ by it


class StaleError(Exception):
    """A decision about a claim that changed since it was shown."""


@dataclass(frozen=True)
class OpenArticle:
    """An article with its claims as they stand now."""

    facts: Mapping[str, Any]  # its line of articles.jsonl
    text: str
    claims: tuple[Claim, ...]  # corrected, by their cues; with those that reviewers added
    originals: Mapping[str, Claim]  # as the pipeline wrote them
    furniture: tuple[tuple[int, int, str], ...]
    version: str  # another one when spans changed


class Desk:
    """One reviewer's work on a run."""

    def __init__(self, run: ReviewRun, log: DecisionLog, reviewer: str = "", *, lead: bool = False) -> None:
        """Lay out a run; lead: whether this reviewer's verdicts settle disagreements."""
        self.run, self.log, self.reviewer, self.lead = run, log, reviewer, lead
        self.articles, self.digests = list(run.articles.by_text.values()), list(run.articles.by_text)
        self._place = {article_id: place for place, article_id in enumerate(self.articles)}
        self._digest_place = {digest: place for place, digest in enumerate(self.digests)}
        self.titles = [""] * len(self.articles)
        self.standing = Standing(log)
        self._open: OrderedDict[int, OpenArticle] = OrderedDict()  # as the pipeline left them
        self._settled: dict[int, OpenArticle] = {}
        self._moved: dict[int, int] = {}  # article → the last row of the log that moved words in it
        decided = self.standing.follow()  # first, so that the claims come into the queue as they stand
        self.queue = Queue(self._rows())
        self.pipeline = len(self.queue)  # claims that the pipeline made; those behind it were added
        self.queue.add(row for claim in sorted(decided) for row in self._added_rows(claim))
        for claim in decided & self.queue.number.keys():
            self._mark(claim)

    def _rows(self) -> Iterator[Row]:
        for claim in self.run.claims():
            place = self._place[claim.article_id]
            self.titles[place] = claim.title or claim.article_id
            state = self.standing.state(claim.claim_id)
            if state.edits:
                text = self.run.text(claim.article_id) if state.edits.keys() & set(SPAN_EDITS) else ""
                claim = corrected(claim, state, text)  # noqa: PLW2901
            yield _row(claim, place)

    def refresh(self) -> None:
        """Take in what was written to the log since the last time, by whomever."""
        touched = self.standing.follow()
        self.queue.add([row for claim in sorted(touched) for row in self._added_rows(claim)])
        for claim in touched:
            for row in self.standing.history(claim):
                place = self._digest_place.get(row.article_sha256, -1)
                self._settled.pop(place, None)
                if row.kind == "add" or row.field in SPAN_EDITS:
                    self._moved[place] = self.standing.last
        for claim in sorted(touched & self.queue.number.keys(), key=self._article_of):  # an article's together: each is read once
            self._mark(claim)
            number = self.queue.number[claim]
            if self._was_edited(claim) and not self.queue.is_gone(number):
                self.queue.set_row(number, _row(self.claim(claim), self._article_of(claim)))

    def _article_of(self, claim_id: str) -> int:
        return int(self.queue.articles[self.queue.number[claim_id]])

    def _added_rows(self, claim: str) -> list[Row]:
        """Return the row of a claim that a reviewer added and that the queue does not know yet."""
        state = self.standing.state(claim)
        place = self._digest_place.get(state.article_sha256)
        if state.added is None or place is None or claim in self.queue.number:
            return []
        article = self.run.articles[self.articles[place]]
        self.titles[place] = article["title"] or article["article_id"]
        return [_row(added_claim(claim, state, article, self.run.text(self.articles[place])), place)]

    def _mark(self, claim_id: str) -> None:
        """Tell the queue what was decided about a claim."""
        number, state = self.queue.number[claim_id], self.standing.state(claim_id)
        self.queue.set_gone(number, gone=number >= self.pipeline and state.added is None)  # its adding was undone
        flags = {"conflict": state.conflict, "mine": self.reviewer not in state.by and not state.leads.get(self.reviewer), "edited": bool(set(state.edits) - {"note"}) and state.added is None, "added": state.added is not None}
        self.queue.set_decision(number, state.decision, flags)

    def _was_edited(self, claim_id: str) -> bool:
        return any(row.kind == "add" or row.field != "decision" for row in self.standing.history(claim_id))

    def place_of(self, article_id: str) -> int | None:
        """Return an article's place in the run; None where there is none."""
        return self._place.get(article_id)

    def article(self, place: int) -> OpenArticle:
        """Return an article with its claims as they stand now."""
        if place not in self._open:
            self._open[place] = self._read(place)
            while len(self._open) > OPEN_ARTICLES:
                self._settled.pop(self._open.popitem(last=False)[0], None)
        self._open.move_to_end(place)
        if place not in self._settled:
            self._settled[place] = self._with_decisions(self._open[place], place)
        return self._settled[place]

    def _read(self, place: int) -> OpenArticle:
        article_id = self.articles[place]
        facts, text = self.run.articles[article_id], self.run.text(article_id)
        claims = self.run.claims_of(article_id) if facts["claims"] else []
        return OpenArticle(facts, text, tuple(claims), {claim.claim_id: claim for claim in claims}, tuple(find_furniture(text, facts["title"])), "")

    def _with_decisions(self, article: OpenArticle, place: int) -> OpenArticle:
        """Return an article with its claims after the decisions."""
        claims = [corrected(claim, self.standing.state(claim.claim_id), article.text) for claim in article.originals.values()]
        added = [(claim, state) for claim in self._added_to(place) if (state := self.standing.state(claim)).added is not None]
        claims += [added_claim(claim, state, article.facts, article.text) for claim, state in added]
        claims.sort(key=lambda claim: claim.cue.spans)
        return replace(article, claims=tuple(claims), version=f"{self.digests[place][:16]}.{self._moved.get(place, 0)}")

    def _added_to(self, place: int) -> list[str]:
        return [claim for claim in self.queue.ids[self.pipeline :] if self.queue.articles[self.queue.number[claim]] == place]

    def claim(self, claim_id: str) -> Claim:
        """Return a claim as it stands now."""
        article = self.article(int(self.queue.articles[self.queue.number[claim_id]]))
        return next(claim for claim in article.claims if claim.claim_id == claim_id)

    def progress(self) -> Progress:
        """Return how far the review is."""
        codes = self.queue.columns["decision"].codes[: self.pipeline]
        order = self.queue.orders["random"]
        decided = codes > 0
        sampled = bool(decided[order[order < self.pipeline][: decided.sum()]].all())  # they are the first in the order at random
        _, accepted, rejected, unsure = (int((codes == code).sum()) for code in range(4))
        return Progress(self.pipeline, accepted, rejected, unsure, int(self.queue.flags["conflict"].sum()), int(self.queue.flags["added"].sum()), sampled)

    def knows(self, request: str) -> bool:
        """Return whether a request was answered before: one that is sent again, since its answer was lost, is not done again."""
        return self.standing.knows(_decision_id(request, 0))

    def decide(self, claim_id: str, verdict: str, *, seen: int, request: str) -> bool:
        """Write a verdict; return False where it is this reviewer's already. seen: the version that was shown. Raises StaleError, DecisionError."""
        self._check_seen(claim_id, seen)
        state = self.standing.state(claim_id)
        if state.decision == verdict and (self.lead or state.by.get(self.reviewer) == verdict) and not (self.lead and state.conflict):
            return False
        self._write([self._decision(claim_id, "lead" if self.lead else "verdict", "decision", state.decision, verdict)], request)
        return True

    def accept_all(self, claim_ids: Iterable[str], *, request: str) -> int:
        """Accept those of some claims that nobody has decided, as one batch, and return their number."""
        open_ones = [claim for claim in dict.fromkeys(claim_ids) if claim in self.queue.number and not self.standing.state(claim).decision]
        self._write([self._decision(claim, "lead" if self.lead else "verdict", "decision", "", "accept") for claim in open_ones], request)
        return len(open_ones)

    def edit(self, claim_id: str, changes: Mapping[str, str], *, seen: int, request: str) -> list[str]:
        """Write new values of fields as one batch, and return the fields that changed. Raises StaleError, DecisionError."""
        self._check_seen(claim_id, seen)
        claim, state = self.claim(claim_id), self.standing.state(claim_id)
        own = {name: " ".join(value.split()) if name in ONE_LINE else value for name, value in changes.items()}
        if own.get("attitude") == "neutral":
            own["attitude_target"] = ""  # a neutral attitude is towards nobody
        old = {name: state.edits.get("note", "") if name == "note" else field_text(claim, name) for name in own}
        changed = [name for name in own if own[name] != old[name]]
        self._write([self._decision(claim_id, "lead" if self.lead else "edit", name, old[name], own[name]) for name in changed], request)
        return changed

    def add(self, place: int, spans: Mapping[str, str], *, request: str) -> str:
        """Add a claim that the pipeline missed, by its spans, and return its id. Raises DecisionError."""
        text = self.run.text(self.articles[place])
        source, cue, content = (spans_from(spans.get(name, ""), len(text), "the missed claim") for name in SPAN_EDITS)
        new = claim_id(bytes.fromhex(self.digests[place]), Attribution(source, cue, content, None, 1.0))
        if new in self.queue.number and (self.queue.number[new] < self.pipeline or self.standing.state(new).added is not None):
            raise DecisionError("the missed claim", "a claim with these words is there already", "go to it and change it")
        speaker = proposed_speaker(text, source, self.article(place).claims)
        fields = json.dumps({name: spans.get(name, "") for name in SPAN_EDITS} | ({"speaker": speaker} if speaker else {}))
        decision = Decision("", new, self.digests[place], self.reviewer, "add", "", "", fields, "", "")
        check_decision(_in_batch(decision, "b"), text)
        self._write([decision], request)
        return new

    def undo(self, *, request: str) -> str | None:
        """Take this reviewer's last batch back; return a claim of it, None where there is nothing to take back."""
        return self._turn(self.log.undo(self.reviewer, _decision_id(request, 0)))

    def redo(self, *, request: str) -> str | None:
        """Do the batch again that was taken back last; return a claim of it, None where there is none."""
        return self._turn(self.log.redo(self.reviewer, _decision_id(request, 0)))

    def _turn(self, batch: str | None) -> str | None:
        self.refresh()
        return None if batch is None else min(self.standing.claims_of(batch), default="")

    def _check_seen(self, claim_id: str, seen: int) -> None:
        self.refresh()
        if claim_id not in self.queue.number:
            raise DecisionError(f"the decision on {claim_id!r}", "there is no such claim", "reload the page")
        if self.standing.versions.get(claim_id, 0) != seen:
            raise StaleError(claim_id)

    def _decision(self, claim_id: str, kind: str, field: str, old: str, new: str) -> Decision:
        digest = self.digests[int(self.queue.articles[self.queue.number[claim_id]])]
        decision = Decision("", claim_id, digest, self.reviewer, kind, field, old, new, "", "")
        check_decision(_in_batch(decision, "b"), self.run.text(self.articles[self._digest_place[digest]]) if field in SPAN_EDITS else None)
        return decision

    def _write(self, decisions: Sequence[Decision], request: str) -> None:
        """Write decisions as one batch, on the disk when this returns."""
        batch = new_batch()
        if decisions:
            self.log.decide([_in_batch(decision, batch, _decision_id(request, i)) for i, decision in enumerate(decisions)])
        self.refresh()


def _row(claim: Claim, place: int) -> Row:
    """Return what the queue is told of a claim."""
    line = " ".join(claim.claim.split())
    words = " ".join(filter(None, (claim.speaker, claim.speaker_role, claim.source.text, claim.cue.text, claim.claim, claim.attitude_target, claim.title, claim.publisher)))
    facets = {"speaker": claim.speaker or "", "stance": claim.stance or "", "kind": claim.source_kind or "", "publisher": claim.publisher}
    return Row(claim.claim_id, place, claim.cue.spans[0][0] if claim.cue.spans else 0, claim.confidence, facets, searched(words), line if len(line) <= LINE else line[: LINE - 1] + "…")


def _in_batch(decision: Decision, batch: str, decision_id: str = "") -> Decision:
    return replace(decision, batch=batch, decision_id=decision_id)


def _decision_id(request: str, number: int) -> str:
    """Return the id of a request's decision, the same each time it is sent; empty where the request has no name."""
    return f"d_{hashlib.sha256(f'{request} {number}'.encode()).hexdigest()[:20]}" if request else ""
