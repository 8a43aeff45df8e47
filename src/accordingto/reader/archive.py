"""What gzip and zip files hold. Nothing is ever unpacked to the disk, so no name in an archive becomes a path."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from accordingto.errors import InputError
from accordingto.reader.blob import MAX_FILE, MAX_RATIO, RATIO_FROM, Blob, Inflating

MAX_MEMBERS = 100_000  # of one zip file; the table of contents alone would fill the memory beyond it


def unpack_gzip(blob: Blob) -> Blob:
    """Return what a .gz file holds, to be inflated as it is read."""

    def open_inflated() -> BinaryIO:
        packed = blob.open()
        size = packed.seek(0, io.SEEK_END) if packed.seekable() else MAX_FILE
        packed.seek(0) if packed.seekable() else None
        stream = gzip.GzipFile(fileobj=packed)
        stream.myfileobj = packed  # type: ignore[assignment]  # what it closes with itself
        return io.BufferedReader(Inflating(stream, blob.name, size))  # type: ignore[arg-type]

    return Blob(blob.name[: -len(".gz")], open_inflated)


def unpack_zip(blob: Blob) -> Iterator[Blob | InputError]:
    """Yield the files of a zip in the order of their names, or why one is refused; raises InputError where it is no zip.

    Folders and what operating systems leave behind are passed over.
    """
    with blob.open() as stream:
        archive = _opened(blob, stream)
        for info in sorted(archive.infolist(), key=lambda i: i.filename):
            parts = info.filename.split("/")
            if info.is_dir() or "__MACOSX" in parts or parts[-1].startswith("."):
                continue
            name = f"{blob.name}/{info.filename}"
            yield _refusal(info, name) or Blob(name, _opener(archive, info, name))


def _opened(blob: Blob, stream: BinaryIO) -> zipfile.ZipFile:
    """Return a zip file whose table of contents was read."""
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
        raise InputError(blob.name, "damaged", f"it is no whole zip file ({error})") from error
    if len(archive.infolist()) > MAX_MEMBERS:
        raise InputError(blob.name, "too_large", f"it holds {len(archive.infolist()):,} files, and {MAX_MEMBERS:,} are read of one zip")
    return archive


def _refusal(info: zipfile.ZipInfo, name: str) -> InputError | None:
    """Return why a member is not read, None where it may be."""
    path = info.filename.replace("\\", "/")
    if ".." in path.split("/") or path.startswith("/") or path[1:2] == ":" or "\0" in info.orig_filename:
        return InputError(name, "unsafe_name", "its name leads out of the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        return InputError(name, "unsafe_name", "it is a link, not a file")
    if info.flag_bits & 1:
        return InputError(name, "encrypted", "it is encrypted")
    return None


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Callable[[], BinaryIO]:
    def open_member() -> BinaryIO:
        try:
            return io.BufferedReader(Inflating(archive.open(info), name, info.compress_size))  # type: ignore[arg-type]
        except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError) as error:
            raise InputError(name, "corrupt_member", f"it cannot be unpacked ({error})") from error

    return open_member


def check_package(data: bytes, name: str) -> None:
    """Refuse a DOCX or XLSX, which are zip files, that is damaged or a bomb; raises InputError."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):  # the old binary container: encrypted, or of another decade
        raise InputError(name, "encrypted", "it is encrypted, or a .doc or .xls by another name")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(name, "damaged", f"it is no whole document ({error})") from error
    if size > 10 * MAX_FILE or (size > RATIO_FROM and size > MAX_RATIO * len(data)):
        raise InputError(name, "too_large", f"it inflates to {size:,} bytes out of {len(data):,}")
