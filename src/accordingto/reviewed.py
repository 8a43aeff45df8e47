"""Reviewed claims: what tables hold after a person has looked at them, each claim once, safe to show."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from accordingto.archive.manifest import MANIFEST
from accordingto.errors import TableError
from accordingto.row import read_rows
from accordingto.table import COLUMNS, flatten_claim

NEEDS = ("claim_id", "article_id", "speaker", "source_kind", "stance", "attitude", "attitude_target", "framing", "attribution_type",
         "claim", "source", "cue", "content", "context", "parent_id", "confidence", "model")  # fmt: skip
DECISIONS = {"accept": "accepted", "accepted": "accepted", "reject": "rejected", "rejected": "rejected", "unsure": "unsure"}
"""Words of a reviewer, in any case. Another word is reported, and the claim counts as not reviewed."""


@dataclass(frozen=True, slots=True)
class ReviewedClaim:
    """A claim after its review, for a page: the reviewer’s corrections in place, and no character in its words that controls."""

    article: tuple[int, str]  # the number of its table, its article_id
    claim_id: str
    parent_id: str
    speaker: str
    role: str
    kind: str
    stance: str
    negated: bool
    attitude: str
    target: str
    framing: str
    attribution_type: str
    claim: str
    parts: tuple[tuple[str, str, str], ...]  # name, text and spans of source, cue and content
    context: str
    confidence: float | None
    model: str
    decision: str  # accepted, rejected, unsure or empty
    corrected: tuple[str, ...]  # the fields that the reviewer corrected
    note: str
    title: str
    publisher: str
    published: str
    url: str


@dataclass
class Covered:
    """The claims of some tables, with what was left out of them."""

    claims: list[ReviewedClaim] = field(default_factory=list)  # those of an article stand together
    tables: list[tuple[str, int]] = field(default_factory=list)  # name and rows of each
    rejected: int = 0
    repeated: int = 0  # rows of a claim that an earlier row has already
    other_decisions: Counter[str] = field(default_factory=Counter)


def read_reviewed(tables: Sequence[Path]) -> Covered:
    """Return the claims of some tables after their review: each once, rejected ones left out.

    A claim that several rows hold (the same article_id and claim_id) is taken from the last row that has a decision,
    else from the first. Articles of the same name in two tables are two articles, unless they share the claim.
    Raises TableError.
    """
    covered = Covered()
    claims: dict[Any, ReviewedClaim] = {}
    for number, path in enumerate(tables):
        rows = 0
        for row in _run_rows(path) if path.is_dir() else read_rows(path, NEEDS):
            rows += 1
            claim = _reviewed_claim(row, number)
            if row["decision"].strip() and not claim.decision:
                covered.other_decisions[_clean(row["decision"].strip())] += 1
            key = (row["article_id"], claim.claim_id) if claim.claim_id else len(claims)
            before = claims.setdefault(key, claim)
            if before is not claim:
                covered.repeated += 1
                claims[key] = replace(claim, article=before.article) if claim.decision else before
        covered.tables.append((_clean(path.name), rows))
    _arrange(claims.values(), covered)
    if not covered.claims:
        why = f"all of its {covered.rejected:,} claims are rejected" if covered.rejected else "it holds no claims"
        raise TableError(", ".join(map(str, tables)), why, "give a table with a claim to report")
    return covered


def _run_rows(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a run with what was decided in it, or of an archive; raises RunError."""
    if (folder / MANIFEST).is_file():
        from accordingto.archive.rows import read_claims

        for claim in read_claims(str(folder)):
            yield {name: "" if value is None else str(value) for name, value in flatten_claim(claim).items() if name in COLUMNS}
        return
    from accordingto.review.rows import read_states, reviewed_rows
    from accordingto.review.runs import read_run

    run = read_run(folder)
    for row in reviewed_rows(run, read_states(run)):
        yield {name: "" if value is None else str(value) for name, value in flatten_claim(row).items() if name in COLUMNS}


def _arrange(claims: Iterable[ReviewedClaim], covered: Covered) -> None:
    """Put the claims that are not rejected together by article; a reviewer may have sorted the table otherwise."""
    articles: dict[tuple[int, str], list[ReviewedClaim]] = defaultdict(list)
    for claim in claims:
        if claim.decision == "rejected":
            covered.rejected += 1
        else:
            articles[claim.article].append(claim)
    covered.claims = [claim for group in articles.values() for claim in group]


def _reviewed_claim(row: dict[str, str], table: int) -> ReviewedClaim:
    row = {name: _clean(text) for name, text in row.items()}
    corrected = tuple(name for name in ("speaker", "stance", "claim") if row[f"corrected_{name}"].strip())
    for name in corrected:
        row[name] = row[f"corrected_{name}"].strip()
    return ReviewedClaim(
        article=(table, row["article_id"]),
        speaker=" ".join(row["speaker"].split()),
        role=row["speaker_role"],
        kind=_label(row["source_kind"]),
        stance=_label(row["stance"]),
        negated=_label(row["negated"]) == "true",
        attitude=_label(row["attitude"]),
        target=" ".join(row["attitude_target"].split()),
        framing=_label(row["framing"]),
        attribution_type=_label(row["attribution_type"]),
        parts=tuple((part, row[part], row[f"{part}_spans"]) for part in ("source", "cue", "content")),
        confidence=_number(row["confidence"]),
        decision=DECISIONS.get(row["decision"].strip().lower(), ""),
        corrected=corrected,
        **{name: row[name] for name in ("claim_id", "parent_id", "claim", "context", "model", "note", "title", "publisher", "published", "url")},
    )


_UNSAFE = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def _clean(text: str) -> str:
    """Return text of the same length in which nothing controls: white space for line ends, U+FFFD for what turns the direction of reading or cannot be written."""
    return _UNSAFE.sub(lambda match: " " if match[0].isspace() else "\N{REPLACEMENT CHARACTER}", text)


def _label(word: str) -> str:
    return word.strip().lower()


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))  # a spreadsheet may have written 0,91
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
