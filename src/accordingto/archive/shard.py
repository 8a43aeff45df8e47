"""Shards: one is read by one pure function; what it writes depends on the input and the pipeline alone, whoever calls it, and how often."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordingto.archive.manifest import Piece, Shard
from accordingto.archive.nested import Row, nested_claim, parquet_of_rows, row_of_article, row_of_problem
from accordingto.archive.plan import plan_file
from accordingto.archive.storage import copy_stretch, is_remote, local_path, spooled
from accordingto.article import portion_outcomes
from accordingto.folder import FILTERED
from accordingto.output import claim_of_article
from accordingto.pool import BATCH, Failure, Pool
from accordingto.reader.archive import unpack_gzip
from accordingto.reader.blob import Blob, Portion
from accordingto.reading import make_read
from accordingto.run import Wanted
from accordingto.sandbox import Sandbox
from accordingto.schema import Article, Problem
from accordingto.table import claim_from_json

PLANNING_SECONDS = 3_600.0  # that the planning of one input may take: some 100 GB


@dataclass(frozen=True)
class Setup:
    """What every worker must know."""

    out: str
    model: str | None  # folder; None for the shipped pipeline
    guideline: str
    wanted: Wanted
    text_column: str | None
    shard_articles: int
    memory: int  # bytes that a process with the model may take
    folder: str  # from where relative names are meant
    pipeline: str  # digest of all that decides the bytes beside the input
    facts: dict[str, Any] = field(default_factory=dict)  # of the driver: what the workers' own must equal


class Changed(Exception):
    """An input that is not as it was planned."""


class Hands:
    """The processes of one worker: one that parses inputs, one that plans, one that holds the model. Each may die, and costs one article at most."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.sandbox = setup, Sandbox()
        self.model = Pool(1, make_read, (Path(setup.model) if setup.model else None, setup.guideline, False), memory=setup.memory)
        self._planning = Pool(1, make_plan, (setup.folder, setup.shard_articles, setup.text_column), memory=setup.memory, base_seconds=PLANNING_SECONDS)

    def plan(self, name: str) -> list[Piece]:
        """Return an input as pieces; one that its planning died of as a problem."""
        self._planning.submit([(name, name)])
        found: list[Any] = []
        while not found:
            found = [result for _, result in self._planning.collect(0.05)]
        if isinstance(found[0], Failure):
            return [Piece(name, "problem", code=found[0].code, message=f"{name!r} was not read: {found[0].why.replace('reading', 'planning')}.")]
        if isinstance(found[0], OSError):
            raise found[0]
        return found[0]

    def close(self) -> None:
        """End the processes."""
        self.sandbox.close()
        self.model.close()
        self._planning.close()


def make_plan(folder: str, limit: int, text_column: str | None) -> Callable[[Any], list[tuple[str, Any]]]:
    """Return the function that plans inputs, for a pool."""
    os.chdir(folder)

    def plan(names: Any) -> list[tuple[str, Any]]:
        out: list[tuple[str, Any]] = []
        for name, _ in names:
            try:
                out.append((name, plan_file(name, limit, text_column)))
            except OSError as error:  # of an object store, or a full disk: no fault of the input
                out.append((name, OSError(f"{name}: {error}")))
        return out

    return plan


def process_shard(shard: Shard, hands: Hands) -> tuple[bytes, dict[str, Any]]:
    """Return a shard as a Parquet file, a row an input in the input's order, and its counts; raises OSError, Changed."""
    rows: list[Row] = []
    read: dict[str, Any] = {}  # what the model read, by the digest of the text: a text that stands in several inputs is read once
    known: set[str] = set()
    batch: list[tuple[str, str]] = []
    for piece in shard.pieces:
        with closing(outcomes_of(piece, hands)) as outcomes:
            for outcome in outcomes:
                rows.append(_row(outcome))
                if isinstance(outcome, Article) and rows[-1]["text_sha256"] not in known:
                    known.add(rows[-1]["text_sha256"])
                    batch.append((rows[-1]["text_sha256"], outcome.text))
                if len(batch) == BATCH:
                    _hand_in(batch, read, hands)
                    batch = []
    if batch:
        _hand_in(batch, read, hands)
    while not hands.model.idle:
        read.update(hands.model.collect(0.05))
    for row in rows:
        if row["text_sha256"]:
            _fill(row, read[row["text_sha256"]], hands)
    return parquet_of_rows(rows), count_rows(rows)


def _hand_in(batch: list[tuple[str, str]], read: dict[str, Any], hands: Hands) -> None:
    """Give a batch to the model, and take what it has read meanwhile."""
    hands.model.submit(batch)
    read.update(hands.model.collect(0))
    while hands.model.room <= 0:
        read.update(hands.model.collect(0.05))


def _fill(row: Row, result: Any, hands: Hands) -> None:
    """Put what the model has read into an article's row."""
    if isinstance(result, Failure):
        row |= {"status": "quarantined", "stage": "model", "code": result.code, "message": result.why}
        return
    lines, count, _ = result
    claims = [claim_of_article(c, row | {"near_duplicate_of": ""}) for c in map(claim_from_json, lines.splitlines()) if hands.setup.wanted(c)]
    row |= {"status": "extracted" if count else "without_claims", "claim_count": len(claims), "claims": [nested_claim(c) for c in claims]}


def _row(outcome: Article | Problem) -> Row:
    if isinstance(outcome, Problem):
        return row_of_problem(outcome, "filtered" if outcome.code in FILTERED else "quarantined")
    return row_of_article(outcome, hashlib.sha256(outcome.text.encode("utf-8")).hexdigest())


def count_rows(rows: list[Row]) -> dict[str, Any]:
    """Return what became of a shard's inputs."""
    status = Counter(row["status"] for row in rows)
    refused = {name: dict(sorted(Counter(row["code"] for row in rows if row["status"] == name).items())) for name in ("filtered", "quarantined")}
    return {"inputs": len(rows), "extracted": status["extracted"], "without_claims": status["without_claims"], **refused, "claims": sum(row["claim_count"] for row in rows)}


def outcomes_of(piece: Piece, hands: Hands) -> Generator[Article | Problem]:
    """Yield what the would-be articles of a piece came to; raises OSError, Changed."""
    if piece.how == "problem":
        yield Problem(piece.path, piece.code, piece.message)
        return
    name = piece.path if is_remote(piece.path) else str(Path(hands.setup.folder) / local_path(piece.path))
    try:
        with spooled(name, piece.extents) as (path, sha256):
            if sha256 != piece.sha256:
                raise Changed(f"{piece.path} is not as it was when the archive was begun")
            with tempfile.TemporaryDirectory(prefix="accordingto-") as folder:
                portion = _portion(piece, path, Path(folder) / "unpacked")
                start, stop = (piece.first, None if piece.count is None else piece.first + piece.count) if piece.how == "whole" else (0, None)
                yield from portion_outcomes(portion, piece.path, hands.sandbox, hands.setup.text_column, start, stop)
    except FileNotFoundError as error:
        raise Changed(f"{piece.path} is not there any more, or not on this machine") from error


def _portion(piece: Piece, path: Path, unpacked: Path) -> Portion:
    """Return a piece as the readers take it."""
    if piece.how == "packed":
        inner = unpack_gzip(Blob(piece.path, lambda: path.open("rb")))
        with inner.open() as stream:
            copy_stretch(stream, unpacked, *piece.stretch)
        return Portion(inner.name, unpacked, 0, piece.first)
    if piece.how == "rows":
        return Portion(piece.path, path, 0, piece.first, piece.count)
    return Portion(piece.path, path, piece.stretch[0], piece.first if piece.how == "lines" else 0)
