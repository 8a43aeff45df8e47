"""Web pages: the article of an HTML page, saved as a file, as a whole page (.mhtml), in a WARC or fetched. trafilatura finds it."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from accordingto.errors import InputError
from accordingto.reader.blob import MAX_PAGE, Blob
from accordingto.reader.item import Item
from accordingto.reader.record import parse_date
from accordingto.reader.text import check_text
from accordingto.schema import Article

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it could not do is told by the reason code
_JSON_LD = re.compile(rb"<script[^>]{0,200}application/ld\+json[^>]{0,200}>(.{1,200000}?)</script>", re.IGNORECASE | re.DOTALL)
LEAST_CHARS = 40  # the shortest brief is a sentence; less is what trafilatura finds in menus
_DESK = re.compile(r"\b(?:desk|agencies|newsroom|staff|reporter|correspondent|editors?)\b", re.IGNORECASE)


def items(blob: Blob, *, saved_whole: bool = False) -> Iterator[Item]:
    """Yield the one article of a page; saved_whole: an .mhtml file, which holds pictures and styles too."""

    def read() -> Article:
        data = blob.read(MAX_PAGE)
        if saved_whole:
            page, url = _page_of_mhtml(data, blob.name)
            return article_from_page(page, blob.name, url)
        return article_from_page(data, blob.name)

    yield Item("", read)


def article_from_page(page: bytes | str, name: str, url: str = "") -> Article:
    """Return the article of a page; raises InputError where it holds none."""
    import trafilatura

    if isinstance(page, bytes) and (b"\0" in page[:1000] and page[:2] not in (b"\xff\xfe", b"\xfe\xff")):
        raise InputError(name, "binary", "it is no page")
    found: Any = trafilatura.bare_extraction(page, url=url or None, with_metadata=True, include_comments=False)
    text = getattr(found, "text", None)
    if found is None or not text or len(text.strip()) < LEAST_CHARS:
        raise InputError(name, "html_no_article", "no article was found in the page")
    check_text(text, name)
    raw = page.encode("utf-8", "replace") if isinstance(page, str) else page
    author = found.author or ""
    return Article(
        "",
        text,
        title=found.title or "",
        publisher=found.sitename or found.hostname or "",
        published=_published(raw) or found.date or "",
        url=web_address(url) or web_address(found.url or ""),
        authors=tuple(a.strip() for a in author.split(";") if a.strip() and not _DESK.search(a)),  # a desk is no person
        language=found.language or _language(raw),
    )


def web_address(url: str) -> str:
    """Return a URL that a browser may follow, else nothing: pages name javascript: and file: URLs too."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _language(page: bytes) -> str:
    """Return the language that the page's head declares."""
    found = re.search(rb"<html[^>]{0,500}?\blang=[\"']?([A-Za-z-]{2,12})", page[:5_000], re.IGNORECASE)
    return found[1].decode("ascii") if found else ""


def _published(page: bytes) -> str:
    """Return when the article was published with the time of day, which trafilatura drops, from the page's JSON-LD."""
    for block in _JSON_LD.finditer(page):
        try:
            found = _find(json.loads(block[1]), "datePublished", depth=4)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, str) and re.match(r"\d{4}-\d\d-\d\d", found):
            return parse_date(found)
    return ""


def _find(data: Any, key: str, depth: int) -> Any:
    """Return the first value of a key in nested data."""
    if isinstance(data, dict) and key in data:
        return data[key]
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return next((found for value in inner if depth and (found := _find(value, key, depth - 1)) is not None), None)


def _page_of_mhtml(data: bytes, name: str) -> tuple[bytes | str, str]:
    """Return the page of an .mhtml file and its URL; raises InputError."""
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            body = part.get_payload(decode=True)
            if isinstance(body, bytes) and body.strip():
                url = message.get("Snapshot-Content-Location") or part.get("Content-Location") or ""
                return _decoded(body, part.get_content_charset()), str(url).strip()
    raise InputError(name, "html_no_article" if message.get("MIME-Version") else "damaged", "it holds no page")


def _decoded(body: bytes, charset: str | None) -> bytes | str:
    """Return a page as its envelope says that it is encoded; as bytes, to be guessed, where that is wrong."""
    try:
        return body.decode(charset) if charset else body
    except (LookupError, UnicodeDecodeError):
        return body
