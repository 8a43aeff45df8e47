"""Verification of an archive: every shard there, every file as it was written, every count and every offset true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from accordingto.archive.archived import read_ledger, summed
from accordingto.archive.facts import pipeline_of
from accordingto.archive.manifest import CLAIMS, MANIFEST, SUCCESS, Shard, digest_of_json, read_facts, read_shards, stem_of
from accordingto.archive.nested import Row, claims_of_row, rows_of_parquet
from accordingto.archive.shard import count_rows
from accordingto.archive.storage import Place
from accordingto.errors import RunError
from accordingto.verify import claim_faults

CUT_SHORT = frozenset(["crashed", "timeout", "oom", "corrupt_member", "truncated_record", "damaged", "too_large"])  # of a file: what stood behind is not told one by one


def is_archive(folder: str) -> bool:
    """Return whether a folder holds an archive."""
    return Place(folder).has(MANIFEST)


def verify_archive(folder: str) -> list[str]:
    """Return what is wrong with an archive, nothing where all holds; raises RunError where its manifest cannot be read."""
    place = Place(folder)
    try:
        facts, shards = read_facts(place), [shard for _, shard in read_shards(place)]
    except (OSError, ValueError, StopIteration, KeyError, TypeError) as error:
        raise RunError(folder, f"its manifest cannot be read ({error})", "get the folder again from where it came, or run again into a new one") from error
    return list(_faults(place, facts, shards))


def _faults(place: Place, facts: dict[str, Any], shards: list[Shard]) -> Iterator[str]:
    ledger, pipeline, rows = read_ledger(place), pipeline_of(facts), []
    options = facts["options"]
    whole = not options["min_confidence"] and not options["labels"]  # else a claim's parent may not have been wanted
    for shard in shards:
        stem = stem_of(shard, pipeline)
        row = ledger.get(stem)
        if row is None:
            yield f"shard {shard.number} was not read"
            continue
        rows.append(row)
        yield from _shard_faults(place, shard, row, whole=whole)
    known = {row["file"] for row in rows}
    yield from (f"{CLAIMS}/{name} is of no shard of the ledger" for name in sorted(place.sizes(CLAIMS)) if name not in known)
    try:
        report = json.loads(place.read(SUCCESS))
    except (OSError, ValueError):
        yield f"{SUCCESS} is missing or damaged: the archive is not complete"
        return
    counts = {name: value for name, value in vars(summed(rows)).items() if name in report["counts"]}
    if report["counts"] != counts:
        yield f"{SUCCESS} counts {report['counts']}, the ledger {counts}"
    if not summed(rows).adds_up:
        yield "the counts do not add up"
    if report["ledger_sha256"] != digest_of_json(rows):
        yield "the ledger is not as it was when the archive was finished"


def _shard_faults(place: Place, shard: Shard, row: dict[str, Any], *, whole: bool) -> Iterator[str]:
    """Yield what is wrong with a shard's file."""
    name = row["file"]
    try:
        data = place.read(f"{CLAIMS}/{name}")
    except OSError:
        yield f"{CLAIMS}/{name} is missing"
        return
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        yield f"{CLAIMS}/{name} is not as it was written"
        return
    try:
        rows = rows_of_parquet(data)
    except ValueError as error:
        yield f"{CLAIMS}/{name}: {error}"
        return
    if count_rows(rows) != row["counts"]:
        yield f"{CLAIMS}/{name} holds {count_rows(rows)}, the ledger counts {row['counts']}"
    if len(rows) < shard.items and not any(r["code"] in CUT_SHORT for r in rows):
        yield f"{CLAIMS}/{name} holds {len(rows)} of the {shard.items} inputs that were planned"
    for each in rows:
        yield from (f"{CLAIMS}/{name}: {fault}" for fault in _row_faults(each, whole=whole))


def _row_faults(row: Row, *, whole: bool) -> Iterator[str]:
    """Yield what is wrong with an input's row."""
    place = f"{row['path']} {row['locator'] or ''}".strip()
    if row["status"] not in ("extracted", "without_claims", "filtered", "quarantined"):
        yield f"{place} has no status that is known"
    if row["claim_count"] != len(row["claims"]) or (row["claims"] and row["status"] != "extracted"):
        yield f"{place} counts {row['claim_count']} claims and holds {len(row['claims'])}"
    if row["text"] is None:
        return
    digest = hashlib.sha256(row["text"].encode("utf-8"))
    if digest.hexdigest() != row["text_sha256"]:
        yield f"the text of {place} is not the one that was read"
        return
    yield from claim_faults(claims_of_row(row), row["text"], digest.digest(), place, whole=whole)
