"""JSON lines: an article a line with its claims inside, and all that is known of both; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from accordingto.export.judged import JudgedArticle, JudgedClaim
from accordingto.export.mark import PARTS, Mark, check_marks, marks_of, whole_text
from accordingto.table import SCHEMA_VERSION, claim_from_json, json_of_claim, replacing


def write_jsonl(articles: Sequence[JudgedArticle], path: Path, *, unreviewed: bool, run: Mapping[str, Any]) -> int:
    """Write articles with their claims, rejected ones too, and return the number of claims; run: what the run was made with.

    Raises OutputError where the file, read again, does not hold what was given.
    """
    with replacing(path) as file:
        for article in articles:
            file.write(json.dumps(article_row(article, unreviewed=unreviewed, run=run), ensure_ascii=False).encode("utf-8") + b"\n")
        file.flush()
        file.seek(0)
        check_marks(path, (m for a in articles for m in marks_of(a, a.told(unreviewed=unreviewed), a.article_id)), _marks_in(file))
    return sum(len(a.told(unreviewed=unreviewed)) for a in articles)


def article_row(article: JudgedArticle, *, unreviewed: bool, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return an article's line."""
    claims = [json.loads(json_of_claim(c.claim)) | {"review": review_of(c)} for c in article.told(unreviewed=unreviewed)]
    return {"schema_version": SCHEMA_VERSION, "run": dict(run), "article": dict(article.facts) | {"text": article.text}, "claims": claims}


def review_of(claim: JudgedClaim) -> dict[str, Any]:
    """Return what the reviewers made of a claim."""
    return {"verdict": claim.verdict, "reviewers": list(claim.reviewers), "at": claim.at, "note": claim.note, "machine": dict(claim.machine)}


def read_article(line: str | bytes) -> JudgedArticle:
    """Return the article of a line."""
    row = json.loads(line)
    text = row["article"].pop("text")
    claims = []
    for fields in row["claims"]:
        review = fields.pop("review")
        claims.append(JudgedClaim(claim_from_json(json.dumps(fields)), review["verdict"], tuple(review["reviewers"]), review["at"], review["note"], review["machine"]))
    return JudgedArticle(row["article"], text, tuple(claims))


def _marks_in(lines: Iterable[bytes]) -> Iterator[Mark]:
    for article in map(read_article, lines):
        yield whole_text(article.article_id, article.text)
        for claim in article.claims:
            for part in PARTS:
                marked = getattr(claim.claim, part)
                if marked.spans:
                    yield Mark(article.article_id, part, marked.spans, tuple(article.text[s:e] for s, e in marked.spans))
