"""Rows: tables of articles (CSV, TSV, XLSX, Parquet, JSON lines) and JSON of crawlers, a record a would-be article."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from accordingto.errors import InputError
from accordingto.reader.archive import check_package
from accordingto.reader.blob import MAX_FILE, Blob
from accordingto.reader.item import Item
from accordingto.reader.record import article_from_record, check_columns
from accordingto.reader.text import check_text, encoding_of
from accordingto.schema import MAX_BYTES, Article

SAMPLE = 100_000  # bytes that show a file's encoding and a table's separator
DELIMITERS = ",;\t|"


def items(blob: Blob, kind: str, text_column: str | None) -> Iterator[Item]:
    """Yield the rows of a table; raises InputError where the table as a whole cannot be read."""
    reader = {"csv": _csv_rows, "workbook": _workbook_rows, "parquet": _parquet_rows, "jsonl": _json_lines, "json": _json_records}[kind]
    for number, record in reader(blob, text_column):
        locator = f"row {number}" if kind in ("csv", "workbook", "parquet") else f"line {number}" if kind == "jsonl" else f"article {number}"
        yield Item(locator, lambda record=record, place=f"{blob.name}, {locator}": _article(record, place, text_column))  # type: ignore[misc]


def _article(record: Any, place: str, text_column: str | None) -> Article:
    """Return a record as an article; a string in its place says what is wrong with the row. Raises InputError."""
    if isinstance(record, InputError):
        raise record
    if isinstance(record, str):
        raise InputError(place, "bad_row", record)
    article = article_from_record(record, place, text_column)
    check_text(article.text, place)
    return article


def _csv_rows(blob: Blob, text_column: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the rows of a CSV or TSV by their number, the header being 1."""
    csv.field_size_limit(MAX_BYTES)
    with blob.open() as stream:
        head = stream.read(SAMPLE)
    if not head.strip():
        raise InputError(blob.name, "empty", "it holds nothing")
    encoding = encoding_of(head)
    with blob.open() as stream, io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="") as lines:
        rows = csv.reader(lines, delimiter=_delimiter(head.decode(encoding, "replace"), blob))
        header = [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip() for cell in next(rows, [])]
        check_columns(header, blob.name, text_column)
        yield from _numbered(rows, header)


def _delimiter(head: str, blob: Blob) -> str:
    """Return what separates the columns: what stands most often in the header."""
    if ".tsv" in blob.name.lower():
        return "\t"
    line = head.split("\n", 1)[0]
    return max(DELIMITERS, key=line.count)


def _numbered(rows: Any, header: Sequence[str]) -> Iterator[tuple[int, Any]]:
    """Yield numbered records; a row of another length, or with bytes that are no text, is told in words."""
    number = 1
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, f"it is no row of a table ({error})"
            continue
        if not row:
            continue
        if len(row) != len(header) and any(row[len(header) :]):
            yield number, f"it has {len(row)} cells where the header has {len(header)}"
        else:
            try:
                yield number, dict(zip(header, map(_mended, row)))
            except UnicodeError:
                yield number, "it holds bytes that fit neither UTF-8 nor Windows-1252"


def _mended(cell: str) -> str:
    """Return a cell; one whose bytes are no UTF-8 as Windows-1252: tables that were pasted together hold both. Raises UnicodeError."""
    return cell.encode("utf-8", "surrogateescape").decode("cp1252") if any("\udc80" <= c <= "\udcff" for c in cell) else cell


def _workbook_rows(blob: Blob, text_column: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the rows of a workbook's first sheet."""
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(blob.name, "missing_package", "the package openpyxl is missing: pip install 'accordingto[xlsx]'") from error
    data = blob.read(MAX_FILE)
    check_package(data, blob.name)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True)
        header = ["" if cell is None else str(cell).strip() for cell in next(rows, ())]
        if not any(header):
            raise InputError(blob.name, "empty", "its first sheet holds nothing")
        check_columns(header, blob.name, text_column)
        for number, row in enumerate(rows, 2):
            if any(cell is not None for cell in row):
                yield number, dict(zip(header, row))
    except InputError:
        raise
    except Exception as error:  # openpyxl raises KeyError, ValueError, zlib.error, expat's and more for a damaged workbook
        raise InputError(blob.name, "damaged", f"it is no whole workbook ({type(error).__name__}: {error})") from error


def _parquet_rows(blob: Blob, text_column: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the rows of a Parquet file."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(blob.name, "missing_package", "the package pyarrow is missing: pip install 'accordingto[parquet]'") from error
    if blob.count is None:
        stream: Any = pyarrow.BufferReader(blob.read(MAX_FILE))
        with stream:
            yield from _parquet_records(stream, blob, text_column)
    else:  # a stretch of a file that need not fit in the memory
        with blob.open() as stream:
            yield from _parquet_records(stream, blob, text_column)


def _parquet_records(stream: Any, blob: Blob, text_column: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the rows of a Parquet file that are wanted, from the row groups that hold them."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(stream)
        check_columns(file.schema_arrow.names, blob.name, text_column)
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        first, end = blob.first, file.metadata.num_rows if blob.count is None else blob.first + blob.count
        for group, size in enumerate(sizes):
            number = sum(sizes[:group])
            if number >= end or number + size <= first:
                continue
            for batch in file.iter_batches(batch_size=256, row_groups=[group]):
                for record in batch.to_pylist():
                    number += 1
                    if first < number <= end:
                        yield number, record
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(blob.name, "damaged", f"it is no whole Parquet file ({error})") from error


def _json_lines(blob: Blob, text_column: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the objects of JSON lines; a line that holds none is told in words."""
    with blob.open() as stream:
        if blob.start:
            stream.seek(blob.start)
        for number, (_, line) in enumerate(placed_lines(stream), blob.first + 1):
            if len(line) > 2 * MAX_BYTES:
                yield number, InputError(f"{blob.name}, line {number}", "too_large", f"it has more than {2 * MAX_BYTES:,} bytes")
            elif holds_record(line):
                yield number, _object_of(line)


def placed_lines(stream: Any) -> Iterator[tuple[int, bytes]]:
    """Yield lines with the bytes before them; of one that is too long only the beginning, which is longer than any that is read."""
    position = 0
    while line := stream.readline(2 * MAX_BYTES + 1):
        yield position, line
        position += len(line)
        while len(line) > 2 * MAX_BYTES and not line.endswith(b"\n"):
            line = stream.readline(2 * MAX_BYTES + 1)
            position += len(line)


def holds_record(line: bytes) -> bool:
    """Return whether there is more than space on a line."""
    return bool(line.strip(b" \t\r\n\xef\xbb\xbf"))


def _object_of(line: bytes) -> Any:
    """Return the object on a line, or in words why it is none."""
    try:
        record = json.loads(line.decode(encoding_of(line)))
    except UnicodeDecodeError as error:
        return f"byte {error.start:,} is no UTF-8"
    except (ValueError, RecursionError) as error:
        return f"it is no JSON ({error})"
    return record if isinstance(record, dict) else f"it is no JSON object but a {type(record).__name__}"


def _json_records(blob: Blob, text_column: str | None) -> Iterator[tuple[int, Any]]:
    """Yield the articles of a JSON file: one object, a list of them, or an object that holds such a list."""
    data = blob.read(MAX_FILE)
    try:
        whole = json.loads(data.decode(encoding_of(data)))
    except UnicodeDecodeError as error:
        raise InputError(blob.name, "decode_error", f"byte {error.start:,} is no UTF-8") from error
    except (ValueError, RecursionError) as error:
        if data.lstrip()[:1] == b"{" and b"\n{" in data:  # JSON lines by another name
            yield from _json_lines(blob, text_column)
            return
        raise InputError(blob.name, "damaged", f"it is no whole JSON ({error})") from error
    yield from enumerate(_records_in(whole, blob.name), 1)


def _records_in(whole: Any, name: str) -> Iterable[Any]:
    """Return the objects of a JSON file."""
    if isinstance(whole, dict):
        lists = [v for v in whole.values() if isinstance(v, list) and v and all(isinstance(r, dict) for r in v)]
        whole = lists[0] if len(lists) == 1 and not any(isinstance(v, str) and len(v) > 200 for v in whole.values()) else [whole]
    if not isinstance(whole, list):
        raise InputError(name, "missing_text", "it holds no objects")
    return [r if isinstance(r, dict) else f"it is no JSON object but a {type(r).__name__}" for r in whole]
