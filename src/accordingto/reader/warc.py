"""WARC: the pages of a web archive. A record that was cut off, or a stretch that is damaged, costs itself and no other."""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from accordingto.errors import InputError
from accordingto.reader.blob import MAX_PAGE, Blob
from accordingto.reader.item import Item
from accordingto.reader.page import article_from_page
from accordingto.schema import Article

MAGIC = b"\x1f\x8b\x08"  # a gzip member begins with it
STEP = 1_000_000  # bytes that are searched for the next member at a time


def items(blob: Blob) -> Iterator[Item]:
    """Yield the HTML pages that were answered with 200; all other records hold no article. Raises InputError."""
    try:
        import fastwarc.warc as fastwarc
    except ImportError as error:
        raise InputError(blob.name, "missing_package", "the package fastwarc is missing: pip install 'accordingto[warc]'") from error
    count, position = 0, blob.start
    with blob.open() as stream:
        if not stream.read(1):
            raise InputError(blob.name, "empty", "it holds nothing")
        if not stream.seekable():  # out of a zip file; FastWARC panics where it cannot seek
            with blob.open() as packed, tempfile.TemporaryFile() as spool:
                shutil.copyfileobj(packed, spool)
                yield from items(Blob(blob.name, lambda: _again(spool)))
            return
    damaged = False
    while position >= 0:
        with blob.open() as stream:
            stream.seek(position)
            records = fastwarc.ArchiveIterator(stream, record_types=fastwarc.WarcRecordType.response, parse_http=False)
            whole = True
            try:
                for record in records:
                    position, damaged = record.stream_pos, False
                    item, whole = _item(record, blob.name)
                    if item is not None:
                        count += 1
                        yield item
                if whole and _is_cut_off(blob, position):  # in the head of a record, of which FastWARC says nothing
                    count += 1
                    yield _failing(blob.name, "its end", "truncated_record", "the file was cut off")
                break
            except OSError as error:  # FastWARC's answer to damaged compression; the rest of the file is readable
                if not damaged:  # one stretch of damage may hold the heads of several records
                    count += 1
                    yield _failing(blob.name, f"after byte {position}", "corrupt_member", f"its data are damaged ({error})")
                damaged = True
        position = _next_member(blob, position + 1)
    if not count:
        raise InputError(blob.name, "nothing_to_read", "it holds no pages")


def _item(record: Any, name: str) -> tuple[Item | None, bool]:
    """Return a record as an item, None where it is no page that was answered with 200; and whether it was there to its end."""
    length = record.content_length
    locator = f"byte {record.stream_pos} {record.record_id or ''}".strip()
    if length > MAX_PAGE:
        return _failing(name, locator, "too_large", f"the record has {length:,} bytes"), True
    record.freeze()  # takes the content in; from here its length is what really came
    if record.content_length < length:
        return _failing(name, locator, "truncated_record", f"{record.content_length:,} of the record's {length:,} bytes are there"), False
    url, fetched = record.headers.get("WARC-Target-URI", ""), record.headers.get("WARC-Date", "")
    record.parse_http(auto_decode="all")
    if record.http_headers is None or record.http_headers.status_code != 200 or record.http_content_type not in ("text/html", "application/xhtml+xml"):
        return None, True
    body = record.reader.read(MAX_PAGE + 1)
    if len(body) > MAX_PAGE:
        return _failing(name, locator, "too_large", f"the page has more than {MAX_PAGE:,} bytes"), True
    facts = {"fetched": fetched, "record_id": record.record_id or ""}
    return Item(locator, lambda: replace(article_from_page(body, f"{name}, {locator}", url.strip("<>")), src=facts)), True


def _failing(name: str, locator: str, code: str, why: str) -> Item:
    """Return an item that cannot be read."""

    def read() -> Article:
        raise InputError(f"{name}, {locator}", code, why)

    return Item(locator, read)


def _again(spool: BinaryIO) -> BinaryIO:
    """Return a temporary file, which has no name, opened once more at its beginning."""
    spool.flush()
    stream = os.fdopen(os.dup(spool.fileno()), "rb")
    stream.seek(0)
    return stream


def _is_cut_off(blob: Blob, position: int) -> bool:
    """Return whether the file ends in the middle of a member, or of a record's head; position: of the last record that was read."""
    with blob.open() as stream:
        stream.seek(position)
        data = stream.read(STEP)
        if not data.startswith(MAGIC):
            tail = data
            while more := stream.read(STEP):
                tail = tail[-10_000:] + more
            return b"\r\n\r\n" not in tail[tail.rfind(b"WARC/1.") :]
        member = zlib.decompressobj(31)
        while data:
            member.decompress(data, STEP)
            data = member.unconsumed_tail or member.unused_data or stream.read(STEP)
            if member.eof and data:
                if not data.startswith(MAGIC):
                    return False  # something else stands behind the archive
                member = zlib.decompressobj(31)
        return not member.eof


def _next_member(blob: Blob, position: int) -> int:
    """Return where the next whole gzip member with a record begins, -1 where none does."""
    with blob.open() as stream:
        stream.seek(position)
        window, start = stream.read(STEP), position
        while len(window) > len(MAGIC):
            at = window.find(MAGIC)
            while at >= 0:
                if _begins_record(window[at : at + 2000]):
                    return start + at
                at = window.find(MAGIC, at + 1)
            keep = window[-2000:]
            more = stream.read(STEP)
            if not more:
                return -1
            start += len(window) - len(keep)
            window = keep + more
    return -1


def _begins_record(data: bytes) -> bool:
    """Return whether a gzip member that holds a WARC record begins here."""
    try:
        return zlib.decompressobj(31).decompress(data, 20).startswith(b"WARC/")
    except zlib.error:
        return False
