"""The plan: where in an input shards may begin. Each input is read once through, by a process that may die of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from accordingto.archive.manifest import Piece
from accordingto.archive.storage import is_remote, spooled
from accordingto.errors import InputError
from accordingto.reader.archive import unpack_gzip
from accordingto.reader.blob import Blob
from accordingto.reader.item import items_of, kind_of
from accordingto.reader.record import check_columns
from accordingto.reader.rows import holds_record, placed_lines

_BYTE = re.compile(r"byte (\d+)")  # the locator of a record of a WARC
FOOTER = 8  # bytes at the end of Parquet: the footer's length, and a mark


def plan_file(name: str, limit: int, text_column: str | None) -> list[Piece]:
    """Return an input as pieces of so many articles at most; raises OSError where an object store does not answer."""
    try:
        with spooled(name) as (path, sha256):
            size = path.stat().st_size
            whole = Piece(name, "whole", sha256, ((0, size),))
            try:
                pieces = list(_cut(Blob(name, lambda: path.open("rb")), path, whole, limit, text_column))
            except InputError:  # of the whole file: what is wrong is told where it is read
                pieces = []
            return pieces or [whole]
    except FileNotFoundError:
        return [_problem(InputError(name, "missing", "there is no such file"))]
    except OSError as error:
        if is_remote(name):
            raise
        return [_problem(InputError(name, "unreadable", (error.strerror or str(error)).lower()))]


def _problem(error: InputError) -> Piece:
    return Piece(error.path, "problem", code=error.code, message=str(error))


def _cut(blob: Blob, path: Path, whole: Piece, limit: int, text_column: str | None) -> Iterator[Piece]:
    """Yield the pieces of an input by its kind; raises InputError where it has none."""
    kind = kind_of(blob.name)
    inner = kind_of(blob.name[: -len(".gz")]) if kind == "gzip" else ""
    if kind == "jsonl":
        yield from (replace(p, sha256=_digest(path, p.extents)) for p in _cut_lines(blob, whole, limit))
    elif inner == "jsonl":
        yield from (replace(p, how="packed", extents=whole.extents, sha256=whole.sha256) for p in _cut_lines(unpack_gzip(blob), whole, limit))
    elif kind == "warc":
        yield from (replace(p, sha256=_digest(path, p.extents)) for p in _cut_records(blob, whole, limit))
    elif kind == "parquet":
        yield from (replace(p, sha256=_digest(path, p.extents)) for p in _cut_rows(blob, whole, limit, text_column))
    else:
        yield from _cut_items(blob, whole, limit, text_column)


def _cut_lines(blob: Blob, whole: Piece, limit: int) -> Iterator[Piece]:
    """Yield stretches of JSON lines."""
    start, first, items, end = 0, 0, 0, 0
    with blob.open() as stream:
        for number, (position, line) in enumerate(placed_lines(stream)):
            if items == limit and holds_record(line):
                yield replace(whole, how="lines", extents=((start, position),), stretch=(start, position), first=first, items=items)
                start, first, items = position, number, 0
            items += holds_record(line)
            end = position + len(line)
        end += sum(map(len, iter(lambda: stream.read(1_000_000), b"")))  # what is left of a last line that is too long
    if items:
        yield replace(whole, how="lines", extents=((start, end),), stretch=(start, end), first=first, items=items)


def _cut_records(blob: Blob, whole: Piece, limit: int) -> Iterator[Piece]:
    """Yield stretches of a WARC that begin with a record that is whole."""
    start, items = 0, 0
    for item in items_of(blob):
        place = _BYTE.match(item.locator)
        if items >= limit and place:
            yield replace(whole, how="records", extents=((start, int(place[1])),), stretch=(start, int(place[1])), items=items)
            start, items = int(place[1]), 0
        items += 1
    yield replace(whole, how="records", extents=((start, whole.extents[0][1]),), stretch=(start, whole.extents[0][1]), items=items)


def _cut_rows(blob: Blob, whole: Piece, limit: int, text_column: str | None) -> Iterator[Piece]:
    """Yield stretches of the rows of a Parquet file, with the row groups that hold them and the footer."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(blob.name, "missing_package", "the package pyarrow is missing: pip install 'accordingto[parquet]'") from error
    with blob.open() as stream:
        try:
            file = pyarrow.parquet.ParquetFile(stream)
        except (pyarrow.ArrowException, OSError) as error:
            raise InputError(blob.name, "damaged", str(error)) from error
        check_columns(file.schema_arrow.names, blob.name, text_column)
        meta, size = file.metadata, whole.extents[0][1]
        groups = [_group_extent(meta.row_group(i)) for i in range(meta.num_row_groups)]
        ends = [sum(meta.row_group(i).num_rows for i in range(n + 1)) for n in range(meta.num_row_groups)]
        footer = (size - FOOTER - meta.serialized_size, size)
        for first in range(0, meta.num_rows, limit):
            count = min(limit, meta.num_rows - first)
            held = [g for n, g in enumerate(groups) if (ends[n - 1] if n else 0) < first + count and ends[n] > first]
            yield replace(whole, how="rows", extents=(*held, footer), first=first, count=count, items=count)


def _group_extent(group: Any) -> tuple[int, int]:
    """Return the bytes of a row group."""
    columns = [group.column(i) for i in range(group.num_columns)]
    starts = [min(c.data_page_offset, c.dictionary_page_offset or c.data_page_offset) for c in columns]
    return min(starts), max(s + c.total_compressed_size for s, c in zip(starts, columns))


def _cut_items(blob: Blob, whole: Piece, limit: int, text_column: str | None) -> Iterator[Piece]:
    """Yield any other file as stretches of its items: to read one, those before it are passed over, which costs little beside the model."""
    items = sum(1 for _ in items_of(blob, text_column))
    if items <= limit:
        yield replace(whole, items=max(1, items))
        return
    for first in range(0, items, limit):
        yield replace(whole, first=first, count=min(limit, items - first), items=min(limit, items - first))


def _digest(path: Path, extents: Sequence[tuple[int, int]]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for start, end in extents:
            file.seek(start)
            left = end - start
            while left > 0 and (data := file.read(min(1_000_000, left))):
                digest.update(data)
                left -= len(data)
    return digest.hexdigest()
