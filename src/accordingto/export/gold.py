"""Gold: articles in the JSON lines that `accordingto evaluate` and the training read (README, Handing the review on).

An article is gold when every claim of it was decided: what is not marked then is no attribution.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from accordingto.evaluation import read_gold
from accordingto.export.judged import OPEN, JudgedArticle, JudgedClaim, parents_among
from accordingto.export.mark import PARTS, Mark, check_marks, marks_of, whole_text
from accordingto.table import replacing

LABELS = ("attribution_type", "stance", "negated", "certainty", "attitude", "attitude_target", "framing", "source_kind", "speaker", "speaker_role")


def write_gold(articles: Sequence[JudgedArticle], path: Path, *, unreviewed: bool, nested: bool = True) -> int:
    """Write articles as gold and return the number of attributions; nested: whether the run kept claims inside of claims.

    Raises OutputError where the file, read again, does not hold what was given.
    """
    with replacing(path) as file:
        for article in articles:
            file.write(json.dumps(gold_row(article, unreviewed=unreviewed, nested=nested), ensure_ascii=False).encode("utf-8") + b"\n")
        file.flush()
        rows = [json.loads(line) for line in _lines_again(file)]
        check_marks(path, (m for a in articles for m in marks_of(a, a.held(unreviewed=unreviewed), a.article_id)), _marks_in(rows))
    if articles:
        read_gold(path)
    return sum(len(row["attributions"]) for row in rows)


def _lines_again(file: Any) -> Iterator[bytes]:
    file.seek(0)
    yield from file


def gold_row(article: JudgedArticle, *, unreviewed: bool, nested: bool = True) -> dict[str, Any]:
    """Return an article as gold: its attributions; those that a reviewer rejected; the cues that nobody has settled."""
    held, facts = article.held(unreviewed=unreviewed), article.facts
    parents = parents_among(held)
    known = {"id": article.article_id, "publisher": facts.get("publisher", ""), "date": facts.get("published", ""), "title": facts.get("title", ""), "author": "; ".join(facts.get("authors") or ())}
    rows = [_attribution(c, parent) for c, parent in zip(held, parents, strict=True)]
    rejected = [_parts(c) for c in article.claims if c.verdict == "rejected"]
    undecided = [] if unreviewed else [_parts(c) for c in article.claims if c.verdict in OPEN]
    return known | {"text": article.text, "attributions": rows, "labelled": any(row.get("stance") for row in rows), "nested_labelled": nested, "rejected": rejected, "undecided": undecided}


def _parts(claim: JudgedClaim) -> dict[str, Any]:
    return {part: [list(span) for span in getattr(claim.claim, part).spans] for part in PARTS}


def _attribution(claim: JudgedClaim, parent: int | None) -> dict[str, Any]:
    """Return a claim's parts, parent and labels; labels that it has none of are left out, but for a speaker and a target, which may be none."""
    labels = {name: getattr(claim.claim, name) for name in LABELS}
    stated = {name: value for name, value in labels.items() if value is not None or name in ("speaker", "attitude_target")}
    return _parts(claim) | {"parent": parent} | stated | {"claim_id": claim.claim.claim_id, "verdict": claim.verdict}


def _marks_in(rows: Iterable[dict[str, Any]]) -> Iterator[Mark]:
    """Yield the marks of gold articles as they were read back."""
    for row in rows:
        yield whole_text(row["id"], row["text"])
        for attribution in row["attributions"]:
            for part in PARTS:
                spans = tuple((s, e) for s, e in attribution[part])
                if spans:
                    yield Mark(row["id"], part, spans, tuple(row["text"][s:e] for s, e in spans))


def held_out(article: JudgedArticle, share: float, originals: Mapping[str, str]) -> bool:
    """Return whether an article belongs to the share that is kept out of training.

    A near-duplicate goes where its original goes, or the one would tell the other's answers; originals: the digest of each article's text.
    """
    own = str(article.facts["text_sha256"])
    return in_share(originals.get(str(article.facts.get("near_duplicate_of") or ""), own), share)


def choose_held_out(articles: Sequence[JudgedArticle], share: float, originals: Mapping[str, str]) -> set[str]:
    """Return the ids of the articles that are kept out of training: so many that their share is the nearest to the one wanted.

    By the digests of their texts, so that further articles move few of the others; near-duplicates go together.
    """
    groups: dict[str, list[str]] = {}
    for article in articles:
        groups.setdefault(originals.get(str(article.facts.get("near_duplicate_of") or ""), str(article.facts["text_sha256"])), []).append(article.article_id)
    chosen: set[str] = set()
    for _, ids in sorted((_place_of(digest), ids) for digest, ids in groups.items()):
        if abs(len(chosen) + len(ids) - share * len(articles)) >= abs(len(chosen) - share * len(articles)):
            break
        chosen |= set(ids)
    return chosen


def _place_of(text_sha256: str) -> int:
    """Return where a text stands in the order by which texts are held out, from 0 to 2³²: always the same."""
    return int(hashlib.sha256(f"held out {text_sha256}".encode()).hexdigest()[:8], 16)


def in_share(text_sha256: str, share: float) -> bool:
    """Return whether a text belongs to a share of all texts: always the same for the same text, and a larger share holds a smaller one."""
    return _place_of(text_sha256) < share * 2**32
