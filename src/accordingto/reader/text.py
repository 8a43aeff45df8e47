"""Text out of bytes, without changing a character."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from accordingto.errors import InputError
from accordingto.reader.blob import Blob
from accordingto.reader.item import Item
from accordingto.schema import MAX_BYTES, MAX_CHARS, Article


def items(blob: Blob) -> Iterator[Item]:
    """Yield the one article of a text file."""
    yield Item("", lambda: Article("", decode_text(blob.read(MAX_BYTES), blob.name)))


def decode_text(data: bytes, name: str) -> str:
    """Return the text of a file: UTF-8 or UTF-16 with or without byte order mark, else Windows-1252.

    Line ends and all other characters stay as they are; the byte order mark is no part of the text. Raises InputError.
    """
    if len(data) > MAX_BYTES:
        raise InputError(name, "too_large", f"it holds more than {MAX_BYTES:,} bytes, and an article may have {MAX_CHARS:,} characters")
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            return _decode_windows(data, name)
        raise InputError(name, "decode_error", f"byte {error.start:,} is no {encoding}: {error.reason}") from error
    check_text(text, name)
    return text


def encoding_of(data: bytes) -> str:
    """Return the encoding that the first bytes show."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:1000]  # Latin text in UTF-16 has a NUL in every other byte
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if len(head) >= 4 and zeros.count(0) > 0.7 * len(zeros) and head.count(0) < 1.2 * zeros.count(0):
            return encoding
    return "utf-8"


def _decode_windows(data: bytes, name: str) -> str:
    """Return the text of bytes that are no UTF-8, as Windows-1252; raises InputError where they cannot be."""
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    else:
        raise InputError(name, "decode_error", "it holds half of a surrogate pair, which no text does")
    if b"\0" in data:
        raise InputError(name, "binary", "it is not text")
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise InputError(name, "decode_error", f"byte {error.start:,} fits neither UTF-8 nor Windows-1252") from error
    check_text(text, name)
    return text


def check_text(text: str, name: str) -> None:
    """Refuse what decodes but is no text: NUL characters, or more than one control character in a hundred."""
    controls = sum(c < " " and c not in "\t\n\r\f\v" for c in text[:100_000])
    if "\0" in text or controls > len(text[:100_000]) / 100:
        raise InputError(name, "binary", "it is not text")
