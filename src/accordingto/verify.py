"""Verification: whether a run's folder holds what it says: every input accounted for, every file whole, every offset true."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accordingto.claim import claim_id
from accordingto.errors import RunError
from accordingto.folder import FILTERED, RUN_FILE
from accordingto.ledger import FILE, Ledger
from accordingto.output import digest_of
from accordingto.schema import JOINT, Attribution, Claim
from accordingto.table import claim_from_json


def verify_run(folder: Path) -> list[str]:
    """Return what is wrong with a run, nothing where all holds; raises RunError where there is no run."""
    if not (folder / FILE).is_file():
        raise RunError(folder, "there is no run in it", "name a folder that `accordingto extract -o FOLDER` made")
    ledger = Ledger(folder)
    try:
        damage = ledger.damage()
        return [f"the ledger is damaged: {damage}"] if damage else list(_faults(folder, ledger))
    finally:
        ledger.close()


def _faults(folder: Path, ledger: Ledger) -> Iterator[str]:
    try:
        report = json.loads((folder / RUN_FILE).read_bytes())
    except (OSError, ValueError):
        yield "run.json is missing or damaged: the run is not complete"
        return
    pending = ledger.count_pending()
    if pending:
        yield f"{pending} texts were not read"
    for name, digest in report["files"].items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif digest_of(path) != digest:
            yield f"{name} is not as it was written"
    yield from _miscounts(report["counts"], ledger)
    if (folder / "articles.jsonl").is_file():
        yield from _false_offsets(folder / "articles.jsonl", ledger)


def _miscounts(counts: dict[str, Any], ledger: Ledger) -> Iterator[str]:
    """Yield where the counts do not add up, or are not the ledger's."""
    refused = Counter(e.code for e in ledger.entries() if e.code is not None)
    articles = sum(1 for e in ledger.entries() if e.code is None)
    found = {"filtered": {c: n for c, n in sorted(refused.items()) if c in FILTERED}, "quarantined": {c: n for c, n in sorted(refused.items()) if c not in FILTERED}}
    if counts["inputs"] != articles + sum(refused.values()):
        yield f"run.json counts {counts['inputs']} inputs, the ledger {articles + sum(refused.values())}"
    if counts["extracted"] + counts["without_claims"] + counts["duplicates"] != articles:
        yield f"run.json counts {counts['extracted']} + {counts['without_claims']} + {counts['duplicates']} articles, the ledger {articles}"
    for name, by_code in found.items():
        if counts[name] != by_code:
            yield f"run.json counts {counts[name]} {name}, the ledger {by_code}"


def _false_offsets(articles: Path, ledger: Ledger) -> Iterator[str]:
    """Yield the claims whose offsets, texts or ids are not those of the article."""
    with articles.open("rb") as lines:
        for line in lines:
            try:
                article = json.loads(line)
            except ValueError:
                yield "a line of articles.jsonl is no JSON"
                continue
            if "text" not in article:
                continue
            text, digest = article["text"], hashlib.sha256(article["text"].encode("utf-8"))
            if digest.hexdigest() != article["text_sha256"]:
                yield f"the text of {article['article_id']} is not the one that was read"
                continue
            yield from claim_faults([claim_from_json(c) for c in ledger.claims(article["text_sha256"])], text, digest.digest(), article["article_id"])


def claim_faults(claims: Sequence[Claim], text: str, digest: bytes, article: str, *, whole: bool = True) -> Iterator[str]:
    """Yield which of an article's claims are not true of its text; article: its name for messages; whole: whether all claims are there, and so all parents."""
    ids = {claim.claim_id for claim in claims}
    for claim in claims:
        why = _fault(claim, text, digest)
        if why:
            yield f"{claim.claim_id} of {article}: {why}"
    for claim in claims:
        if whole and claim.parent_id is not None and claim.parent_id not in ids:
            yield f"{claim.claim_id} of {article}: its parent {claim.parent_id} is missing"


def _fault(claim: Claim, text: str, digest: bytes) -> str:
    """Return what is wrong with a claim, nothing where all is true of the text."""
    for name in ("source", "cue", "content"):
        part = getattr(claim, name)
        if any(not 0 <= s < e <= len(text) for s, e in part.spans) or part.text != JOINT.join(text[s:e] for s, e in part.spans):
            return f"its {name} does not stand where it says"
    if claim.context not in text:
        return "its context is not in the text"
    spans = Attribution(claim.source.spans, claim.cue.spans, claim.content.spans, None, 0.0)
    return "" if claim_id(digest, spans) == claim.claim_id else "its id is not that of its spans"
