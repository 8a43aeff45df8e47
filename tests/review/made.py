"""Runs made without the model: articles and claims as a test wants them, through the real ledger and the real writer of a run's files."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from accordingto.claim import claim_id, readable
from accordingto.folder import RunOptions, options_as_json
from accordingto.ledger import Ledger
from accordingto.output import write_outputs
from accordingto.quotation import quotation_of, quoted_spans
from accordingto.run import Wanted
from accordingto.schema import JOINT, Article, Attribution, Claim, SpanText
from accordingto.table import json_of_claim

LABELS = {"source_kind": "person", "stance": "assert", "negated": False, "certainty": "certain", "attitude": "neutral", "framing": "neutral", "attribution_type": "communication"}


def claim_of(text: str, source: Sequence, cue: Sequence, content: Sequence, **facts) -> Claim:
    """Return a claim of a text by its spans, each a list of (start, end)."""
    spans = [tuple(map(tuple, part)) for part in (source, cue, content)]
    digest = hashlib.sha256(text.encode()).digest()
    parts = dict(zip(("source", "cue", "content"), (SpanText(JOINT.join(text[s:e] for s, e in part), part) for part in spans)))
    made = {
        "claim_id": claim_id(digest, Attribution(*spans, None, 0.5)), "article_id": "", "title": "", "publisher": "", "published": "", "url": "", "speaker": parts["source"].text or None, "speaker_role": None,
        "attitude_target": None, "quotation": quotation_of(spans[2], quoted_spans(text), text), "claim": readable(text, spans[2]), "context": text.split("\n", maxsplit=1)[0], "parent_id": None, "confidence": 0.5,
        "speaker_confidence": 0.5, "stance_confidence": 0.5, "why": parts["cue"].text, "model": "made 1",
    }  # fmt: skip
    return Claim(**(LABELS | made | parts | facts))


def words(text: str, source: str, cue: str, content: str, **facts) -> Claim:
    """Return a claim of a text by the first places of its words."""
    return claim_of(text, *([(text.index(part), text.index(part) + len(part))] if part else [] for part in (source, cue, content)), **facts)


def make_run(folder: Path, articles: Iterable[tuple[Article, Sequence[Claim]]], formats: tuple[str, ...] = ("jsonl",)) -> Path:
    """Write a complete run of some articles with their claims, and return its folder."""
    folder.mkdir(parents=True)
    ledger = Ledger(folder)
    options = RunOptions(formats=formats, near_duplicates=False)
    ledger.set_facts({"version": "0", "model": "0" * 64, "model_folder": "", "options": options_as_json(options)})
    for number, (article, claims) in enumerate(articles):
        path = article.path or f"in/{number:06}.txt"
        sha = hashlib.sha256(article.text.encode()).hexdigest()
        ledger.start_file(path)
        ledger.add_item(path, 0, article, sha)
        ledger.end_file(path, sha, 1)
        lines = b"\n".join(json_of_claim(replace(claim, article_id=article.article_id)) for claim in claims)
        ledger.set_claims(sha, lines, len(claims), b"")
    ledger.commit()
    write_outputs(ledger, formats, Wanted(), near_duplicates=False, filtered=())
    ledger.close()
    return folder
