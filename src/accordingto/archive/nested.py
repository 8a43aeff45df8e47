"""Nested rows: an input with its claims inside as one row of Parquet, by one schema, so that a file without claims has the types of all others."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from accordingto.errors import OutputError
from accordingto.schema import Article, Claim, Problem, SpanText
from accordingto.table import SPAN_FIELDS

SCHEMA_VERSION = "1"
ARTICLE_FIELDS = ("article_id", "title", "publisher", "published", "url", "authors", "language", "src")  # of a claim that are its article's: they stand on the row
CLAIM_FIELDS = tuple(f.name for f in fields(Claim) if f.name not in (*ARTICLE_FIELDS, "near_duplicate_of"))
Row = dict[str, Any]


@lru_cache(maxsize=1)
def row_schema() -> Any:
    """Return the Arrow schema of a shard's file; raises OutputError where pyarrow is missing."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise OutputError("claims.parquet", "the package pyarrow is missing", "pip install 'accordingto[archive]'") from error
    text, spans = pa.string(), pa.list_(pa.list_(pa.int32()))
    kinds = dict.fromkeys(("confidence", "speaker_confidence", "stance_confidence"), pa.float64()) | {"negated": pa.bool_()} | dict.fromkeys(SPAN_FIELDS, pa.struct([("text", text), ("spans", spans)]))
    claim = pa.struct([(name, kinds.get(name, text)) for name in CLAIM_FIELDS])
    facts = [(name, {"authors": pa.list_(text), "src": pa.map_(text, text)}.get(name, text)) for name in ARTICLE_FIELDS]
    outcome = [("path", text), ("locator", text), ("status", text), ("stage", text), ("code", text), ("message", text), ("text_sha256", text), ("text", text), ("claim_count", pa.int32())]
    return pa.schema([*facts, *outcome, ("claims", pa.list_(claim))], metadata={"schema_version": SCHEMA_VERSION})


def row_of_article(article: Article, text_sha256: str) -> Row:
    """Return an article's row before the model has read it."""
    facts = {name: getattr(article, name) for name in ARTICLE_FIELDS} | {"authors": list(article.authors), "src": dict(article.src)}
    return facts | {"path": article.path, "locator": article.locator, "status": "", "stage": None, "code": None, "message": None, "text_sha256": text_sha256, "text": article.text, "claim_count": 0, "claims": []}


def row_of_problem(problem: Problem, status: str) -> Row:
    """Return the row of an input that gave no article."""
    nothing = dict.fromkeys((*ARTICLE_FIELDS, "text_sha256", "text"))
    return nothing | {"path": problem.path, "locator": problem.locator, "status": status, "stage": "read", "code": problem.code, "message": problem.message, "claim_count": 0, "claims": []}


def nested_claim(claim: Claim) -> Row:
    """Return a claim as it stands in its article's row."""
    own = {name: getattr(claim, name) for name in CLAIM_FIELDS}
    return own | {name: {"text": own[name].text, "spans": [list(span) for span in own[name].spans]} for name in SPAN_FIELDS}


def claims_of_row(row: Mapping[str, Any]) -> list[Claim]:
    """Return the claims of a row as they were."""
    facts = {name: row[name] for name in ARTICLE_FIELDS} | {"authors": "; ".join(row["authors"] or ()), "src": dict(row["src"] or {})}
    return [Claim(**facts | dict(own) | {name: SpanText(own[name]["text"], tuple((s, e) for s, e in own[name]["spans"])) for name in SPAN_FIELDS}) for own in row["claims"]]


def parquet_of_rows(rows: Sequence[Row]) -> bytes:
    """Return rows as a Parquet file: the same rows give the same bytes."""
    schema = row_schema()
    import pyarrow
    import pyarrow.parquet

    packed = [row | {"src": None if row["src"] is None else list(row["src"].items())} for row in rows]
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(packed, schema=schema), out, compression="zstd")
    return out.getvalue()


def rows_of_parquet(data: bytes) -> list[Row]:
    """Return the rows of a shard's file; raises ValueError where it is none."""
    schema = row_schema()
    import pyarrow
    import pyarrow.parquet

    try:
        # Not `read_table`, whose threads abort a process that ends: once in 300 times, even with use_threads=False ("terminate called without an active exception"); this never in 300, and 0.2 s sooner.
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data)).read(use_threads=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"it is no whole Parquet file ({error})") from error
    if not table.schema.equals(schema):
        raise ValueError("it has other columns")
    return table.to_pylist()
