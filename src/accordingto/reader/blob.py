"""Blobs: files as they came, from the disk, out of an archive or from a server, read with a bound."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from accordingto.errors import InputError

MAX_PAGE = 20_000_000  # bytes of a web page, a feed or a document in text; the largest real ones have some 10 MB
MAX_FILE = 200_000_000  # bytes of a file that must lie in memory whole: PDF, JSON, workbooks, columns
MAX_INFLATED = 20_000_000_000  # bytes out of one archive; a day of CC-NEWS has half of it
MAX_RATIO, RATIO_FROM = 200, 50_000_000  # an archive of news inflates some 5 to 20 times; gzip of zeros 1,000 times
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


@dataclass(frozen=True)
class Blob:
    """A file by its name and how to open it; of a stretch of a larger one, where it begins."""

    name: str
    open: Callable[[], BinaryIO]
    start: int = 0  # byte at which JSON lines and records of a WARC are read from; what is opened has the file's own places
    first: int = 0  # lines of JSON, or rows of Parquet, before those that are read
    count: int | None = None  # rows of Parquet that are read; None for all

    @property
    def stem(self) -> str:
        """The file's name without folders and without its ending."""
        return Path(self.name.replace("\\", "/")).stem

    def read(self, limit: int) -> bytes:
        """Return the whole content; raises InputError where it is empty or has more than `limit` bytes."""
        with self.open() as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise InputError(self.name, "too_large", f"it holds more than {limit:,} bytes")
        if not data.strip(b" \t\r\n\xef\xbb\xbf"):
            raise InputError(self.name, "empty", "it holds no text")
        return data


def blob_of_file(path: Path) -> Blob:
    """Return a file of the disk; opening it raises InputError."""

    def open_file() -> BinaryIO:
        try:
            return path.open("rb")
        except FileNotFoundError as error:
            raise InputError(str(path), "missing", "there is no such file") from error
        except OSError as error:
            raise InputError(str(path), "unreadable", (error.strerror or str(error)).lower()) from error

    return Blob(str(path), open_file)


@dataclass(frozen=True)
class Portion:
    """A stretch of a file, whose bytes lie in another one at the same places; the fields are those of Blob."""

    name: str
    path: Path
    start: int = 0
    first: int = 0
    count: int | None = None


def blob_of_portion(portion: Portion) -> Blob:
    """Return a stretch of a file."""
    return Blob(portion.name, lambda: portion.path.open("rb"), portion.start, portion.first, portion.count)


def blob_of_bytes(name: str, data: bytes) -> Blob:
    """Return bytes as a blob."""
    return Blob(name, lambda: io.BytesIO(data))


class Inflating(io.RawIOBase):
    """A stream out of an archive that refuses bombs, and says of damage what it is."""

    def __init__(self, stream: BinaryIO, name: str, packed: int) -> None:
        self._stream, self._name, self._packed, self._count = stream, name, packed, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read some bytes; raises InputError."""
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGE as error:
            raise InputError(self._name, "corrupt_member", f"its compressed data are damaged ({error})") from error
        except RuntimeError as error:  # zipfile's answer to a password
            raise InputError(self._name, "encrypted", "it is encrypted") from error
        except OSError as error:  # gzip.BadGzipFile
            raise InputError(self._name, "corrupt_member", f"its compressed data are damaged ({error})") from error
        self._count += len(data)
        if self._count > MAX_INFLATED or (self._count > RATIO_FROM and self._count > MAX_RATIO * max(1, self._packed)):
            raise InputError(self._name, "too_large", f"it inflates to more than {self._count:,} bytes out of {self._packed:,}")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the stream behind it too."""
        self._stream.close()
        super().close()
