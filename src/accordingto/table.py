"""Tables: claims as CSV, XLSX, JSONL, Parquet or a DataFrame, and back. A file appears whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from glob import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from accordingto.errors import OutputError
from accordingto.guard import guard
from accordingto.roster import RosterRow
from accordingto.schema import Claim, SpanText

if TYPE_CHECKING:
    import pandas

    from accordingto.workbook import About

CHUNK = 2_000  # claims that are turned into text together; bounds the memory of a long run
XLSX_ROWS = 1_048_576  # Excel's limit, the header among them
SCHEMA_VERSION = "1"

SPAN_FIELDS = ("source", "cue", "content")
REVIEW_COLUMNS = ("decision", "corrected_speaker", "corrected_stance", "corrected_claim", "note", "reviewer")  # the reviewer's, empty at first
COLUMNS = (*(c for f in fields(Claim) if f.name != "src" for c in ((f.name, f"{f.name}_spans") if f.name in SPAN_FIELDS else (f.name,))), *REVIEW_COLUMNS)
Writer = Callable[[Iterable[Claim], BinaryIO, Sequence[str]], int]  # claims, a file, the input's own columns; gives the number of claims
_FLOATS = ("confidence", "speaker_confidence", "stance_confidence")


@dataclass(frozen=True)
class ReviewedRow(Claim):
    """A claim with what stands in the reviewer's columns of its row."""

    review: Mapping[str, str] = field(default_factory=dict)  # by REVIEW_COLUMNS


def flatten_claim(claim: Claim) -> dict[str, Any]:
    """Return a claim as one flat row: spans as `0 5;16 23`, None where a field does not apply."""
    row: dict[str, Any] = {}
    for name in (f.name for f in fields(Claim)):
        value = getattr(claim, name)
        if isinstance(value, SpanText):
            row[name] = value.text
            row[f"{name}_spans"] = ";".join(f"{s} {e}" for s, e in value.spans)
        elif name != "src":
            row[name] = value
    return row | dict.fromkeys(REVIEW_COLUMNS, "") | dict(claim.review if isinstance(claim, ReviewedRow) else {}) | {f"src_{name}": value for name, value in claim.src.items()}


def columns_of(src: Iterable[str] = ()) -> list[str]:
    """Return the columns of a table whose articles carry further ones of their input."""
    return [*COLUMNS, *(f"src_{name}" for name in sorted(set(src)))]


def to_frame(claims: Iterable[Claim], src: Iterable[str] | None = None) -> pandas.DataFrame:
    """Return claims as a DataFrame with the columns of the CSV; missing values are None, confidences float, negated boolean.

    src: the further columns of the input, by default those that the claims carry.
    """
    import pandas

    claims = list(claims)
    columns = columns_of({name for c in claims for name in c.src} if src is None else src)
    frame = pandas.DataFrame([flatten_claim(c) for c in claims], columns=columns)
    types = dict.fromkeys(_FLOATS, "Float64") | {"negated": "boolean"}
    return frame.astype({c: types.get(c, "string") for c in columns})


def write_table(claims: Iterable[Claim], path: Path | str, format: str | None = None, src: Sequence[str] = (), about: About | None = None) -> int:
    """Write claims in the format given or named by the path's ending, `-` for the standard output; return their number.

    src: the input's own columns that are carried through; about: what a workbook says of its making. Raises OutputError.
    The table is written beside its place and renamed: a killed run leaves no half table. What a sheet cannot hold goes
    to further workbooks (`further_files`).
    """
    target = Path("stdout.csv" if str(path) == "-" else path)
    write = writer_of(target, format)
    if write is _write_xlsx:
        from accordingto.workbook import write_workbooks

        return write_workbooks(claims, path, src, about)
    if str(path) == "-":
        return write(claims, sys.stdout.buffer, src)
    with replacing(target) as file:
        return write(claims, file, src)


def further_files(path: Path | str, format: str | None, claims: int) -> list[Path]:
    """Return the workbooks beside the first one that a table of so many claims takes, as claims-2.xlsx."""
    path = Path(path)
    held = XLSX_ROWS - 1 if (format or path.suffix.lower()[1:]) == "xlsx" else claims
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, -(-claims // max(1, held)) + 1)]


def json_of_claim(claim: Claim) -> bytes:
    """Return a claim as one line of the JSON lines; the input's own columns stand in it as `src_…`."""
    fields = asdict(claim)
    return json.dumps(fields | {f"src_{name}": value for name, value in fields.pop("src").items()}, ensure_ascii=False).encode("utf-8")


def claim_from_json(data: str | bytes) -> Claim:
    """Return the claim of one line of the JSON lines."""
    fields = json.loads(data)
    spans = {name: SpanText(fields[name]["text"], tuple((s, e) for s, e in fields[name]["spans"])) for name in SPAN_FIELDS}
    src = {name[len("src_") :]: fields.pop(name) for name in list(fields) if name.startswith("src_")}
    return Claim(**(fields | spans), src=src)


def writer_of(path: Path, format: str | None = None) -> Writer:
    """Return the function that writes a format, by default that of the path's ending; raises OutputError."""
    ending = f".{format}" if format else path.suffix.lower()
    if ending not in WRITERS:
        raise OutputError(path, f"{ending!r} names no format", f"choose one of {', '.join(WRITERS)}, or - for the standard output")
    return WRITERS[ending]


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Give a file, to write and to read again, that takes the target's place when all went well, and is gone otherwise."""
    _sweep(target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.{os.getpid()}.", suffix=".partial", dir=target.parent)
    except OSError as error:
        raise OutputError(target, (error.strerror or str(error)).lower(), "check that the folder exists and may be written to") from error
    partial = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)  # mkstemp's files are the owner's alone
        partial.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise OutputError(target, (error.strerror or str(error)).lower(), "free some space or choose another place") from error
    finally:
        partial.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove what a killed process left half-written beside the target; that of a process that still writes stays."""
    if os.name == "nt":
        return  # there a signal of 0 ends a process
    for partial in target.parent.glob(f".{escape(target.name)}.*.partial"):
        writer = partial.name.removeprefix(f".{target.name}.").split(".")[0]
        with suppress(OSError):
            if writer.isdigit():
                try:
                    os.kill(int(writer), 0)
                except ProcessLookupError:
                    partial.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a renaming last: without it a loss of power may bring the old name back. Windows has no such call."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_roster(rows: Iterable[RosterRow], path: Path | str) -> int:
    """Write the speakers of articles as CSV, readable by Excel, and return their number; raises OutputError for another ending."""
    target = Path(path)
    check_roster(target)
    names = [field.name for field in fields(RosterRow)]
    lines = [[getattr(row, name) for name in names] for row in rows]
    with replacing(target) as file:
        file.write(b"\xef\xbb\xbf" + _csv_bytes([names, *lines]))
    return len(lines)


def check_roster(path: Path) -> None:
    """Raise OutputError where a path's ending is not that of a table of speakers."""
    if path.suffix.lower() != ".csv":
        raise OutputError(path, f"{path.suffix!r} is no format of a table of speakers", "give a name that ends in .csv")


def _chunks(claims: Iterable[Claim]) -> Iterator[list[Claim]]:
    stream = iter(claims)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _write_csv(claims: Iterable[Claim], file: BinaryIO, src: Sequence[str] = ()) -> int:
    """Write RFC 4180 with a byte order mark, which Excel needs to see UTF-8. CRLF also makes the writer quote a bare CR."""
    columns = columns_of(src)
    file.write(b"\xef\xbb\xbf" + _csv_bytes([columns]))
    count = 0
    for chunk in _chunks(claims):
        count += len(chunk)
        rows = map(flatten_claim, chunk)
        file.write(_csv_bytes([row.get(name) for name in columns] for row in rows))
    return count


def _csv_bytes(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return rows as CSV without what a spreadsheet would calculate."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([guard(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode("utf-8")


def _write_jsonl(claims: Iterable[Claim], file: BinaryIO, src: Sequence[str] = ()) -> int:
    count = 0
    for claim in claims:
        file.write(json_of_claim(claim) + b"\n")
        count += 1
    return count


def _write_parquet(claims: Iterable[Claim], file: BinaryIO, src: Sequence[str] = ()) -> int:
    """Write the columns of the CSV with types, a row group a chunk."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise OutputError("claims.parquet", "the package pyarrow is missing", "pip install 'accordingto[parquet]'") from error
    kinds = {c: pyarrow.float64() for c in _FLOATS} | {"negated": pyarrow.bool_()}
    schema = pyarrow.schema([(c, kinds.get(c, pyarrow.string())) for c in columns_of(src)], metadata={"schema_version": SCHEMA_VERSION})
    count = 0
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for chunk in _chunks(claims):
            count += len(chunk)
            writer.write_table(pyarrow.Table.from_pylist([flatten_claim(c) for c in chunk], schema=schema))
    return count


def _write_xlsx(claims: Iterable[Claim], file: BinaryIO, src: Sequence[str] = ()) -> int:
    from accordingto.workbook import write_workbook

    return write_workbook(claims, file, src)


WRITERS: dict[str, Writer] = {".csv": _write_csv, ".jsonl": _write_jsonl, ".parquet": _write_parquet, ".xlsx": _write_xlsx}
