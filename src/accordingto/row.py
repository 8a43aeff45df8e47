"""Rows: tables of claims read back, whatever program saved them, one claim a row as the CSV has it."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from accordingto.errors import TableError
from accordingto.guard import unguard
from accordingto.table import CHUNK, COLUMNS, SPAN_FIELDS

CELL_BYTES = 16 * 2**20  # of a cell, or of a claim's line of JSON, that is read: an article has 4 MB at most (article.py), and JSON may escape each character
Numbered = tuple[int, dict[str, str]]  # a row's number in its sheet, and its cells by their columns
XLSX_BYTES = 2 * 2**30  # that a workbook may unpack to: a sheet's full million claims take about 1 GB


def read_rows(path: Path | str, needs: Sequence[str] = ("claim_id",), keep: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """Yield a table's rows: every column of COLUMNS as text, empty where there is nothing; other columns are left out but those of `keep`.

    The path's ending names the format. Columns of `needs` must be there. Texts are those of the claims: a CSV's guard
    against formulas is taken away. Nothing is held but the row at hand. Raises TableError, also in the middle of a damaged table.
    """
    for row in table_rows(path, needs):
        yield {c: row.get(c, "") for c in (*COLUMNS, *keep)}


def table_rows(path: Path | str, needs: Sequence[str] = ("claim_id",)) -> Iterator[dict[str, str]]:
    """Yield a table's rows as `read_rows` does, but with the columns that the table has, all of them and no others."""
    return (row for _, row in numbered_rows(path, needs))


def numbered_rows(path: Path | str, needs: Sequence[str] = ("claim_id",)) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield a table's rows as `table_rows` does, each with its number as a spreadsheet shows it; the header is row 1."""
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise TableError(path, f"{path.suffix.lower()!r} names no format", f"choose one of {', '.join(READERS)}")
    if not path.is_file():
        raise TableError(path, "it is a folder" if path.is_dir() else "there is no such file", "check the path")
    try:
        for number, row in READERS[path.suffix.lower()](path):
            missing = [c for c in needs if c not in row]
            if missing:
                others = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                raise TableError(path, f"it has no column {', '.join(map(repr, missing[:3]))}{others}", "give a table that accordingto extract wrote")
            yield number, row
    except TableError:
        raise
    except ImportError as error:
        raise TableError(path, f"the package {error.name!r} is missing", f"pip install 'accordingto[{path.suffix.lower()[1:]}]'") from error
    except OSError as error:
        raise TableError(path, (error.strerror or str(error)).lower(), "check its permissions") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything in the libraries that read it
        raise TableError(path, f"it is damaged ({' '.join(str(error).split()) or type(error).__name__})", "take a fresh copy, or write it again with accordingto extract") from error


def _read_csv(path: Path) -> Iterator[Numbered]:
    """Read what we write, and what spreadsheets make of it: `;` or tabs between the cells."""
    csv.field_size_limit(CELL_BYTES)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(CELL_BYTES)
            file.seek(0)
            lines = csv.reader(file, delimiter=max(",;\t", key=header.count), strict=True)
            names = next(lines, [])
            if not names:
                raise TableError(path, "it is empty", "give a table that accordingto extract wrote")
            for count, cells in enumerate(lines, 1):
                if not any(cells):
                    continue  # a spreadsheet may leave empty rows at the end
                if len(cells) != len(names):
                    raise TableError(path, f"it is damaged: row {count} has {len(cells)} cells of {len(names)}", "take a fresh copy, or write it again with accordingto extract")
                yield count + 1, dict(zip(names, map(unguard, cells)))
    except UnicodeDecodeError as error:
        raise TableError(path, "it is not UTF-8", "save it as 'CSV UTF-8', or as .xlsx") from error


def _read_jsonl(path: Path) -> Iterator[Numbered]:
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(CELL_BYTES), b""), 1):
            if not line.strip():
                continue
            try:
                claim = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TableError(path, f"line {number} is no JSON", "take a fresh copy, or write it again with accordingto extract") from error
            if not isinstance(claim, dict):
                raise TableError(path, f"line {number} is no claim", "give a table that accordingto extract wrote")
            yield number, _flatten_json(claim)


def _flatten_json(claim: dict[str, Any]) -> dict[str, str]:
    row = {}
    for name, value in claim.items():
        if name in SPAN_FIELDS and isinstance(value, dict):
            row[name] = _text_of(value.get("text"))
            row[f"{name}_spans"] = ";".join(f"{s} {e}" for s, e in value.get("spans", []))
        else:
            row[name] = _text_of(value)
    return row


def _read_parquet(path: Path) -> Iterator[Numbered]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        names = [n for n in file.schema_arrow.names if n in COLUMNS]
        rows = (row for batch in file.iter_batches(batch_size=CHUNK, columns=names) for row in batch.to_pylist())
        for number, row in enumerate(rows, 1):
            yield number, {name: _text_of(value) for name, value in row.items()}


def _read_xlsx(path: Path) -> Iterator[Numbered]:
    """Read the sheet `Claims`, or the first one."""
    import openpyxl
    from openpyxl.utils.escape import unescape

    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > XLSX_BYTES:
            raise TableError(path, f"it unpacks to more than {XLSX_BYTES // 2**30} GB", "save it as .csv")
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book["Claims" if "Claims" in book.sheetnames else book.sheetnames[0]]
        lines = sheet.iter_rows(values_only=True)
        names = [_text_of(value) for value in next(lines, ())]
        for number, cells in enumerate(lines, 2):
            if any(cell is not None for cell in cells):
                yield number, dict.fromkeys(names, "") | {name: unescape(_text_of(value)) for name, value in zip(names, cells)}
    finally:
        book.close()


def _text_of(value: Any) -> str:
    """Return a value as the CSV has it."""
    return "" if value is None else str(value)


READERS: dict[str, Callable[[Path], Iterator[Numbered]]] = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet, ".xlsx": _read_xlsx}
