"""Feeds: the items of RSS and Atom that carry text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from accordingto.errors import InputError
from accordingto.reader.blob import MAX_PAGE, Blob
from accordingto.reader.item import Item
from accordingto.reader.page import web_address
from accordingto.reader.record import parse_date
from accordingto.reader.text import check_text
from accordingto.schema import Article

BLOCKS = ("p", "div", "br", "li", "h1", "h2", "h3", "h4", "blockquote", "tr")


def items(blob: Blob) -> Iterator[Item]:
    """Yield the items of a feed; raises InputError where it is none."""
    try:
        import feedparser
    except ImportError as error:
        raise InputError(blob.name, "missing_package", "the package feedparser is missing: pip install 'accordingto[feeds]'") from error
    data = blob.read(MAX_PAGE)
    if b"<!ENTITY" in data:  # a feed has no use for them, but a bomb or a spy has
        raise InputError(blob.name, "damaged", "it defines XML entities")
    feed = feedparser.parse(io.BytesIO(data), sanitize_html=True, resolve_relative_uris=False)  # bytes and never a URL, which it would fetch
    if not feed.version:
        raise InputError(blob.name, "unsupported", "it is no RSS or Atom feed")
    if not feed.entries:
        raise InputError(blob.name, "damaged" if feed.bozo else "nothing_to_read", "the feed holds no items")
    publisher = feed.feed.get("title", "")
    for number, entry in enumerate(feed.entries, 1):
        place = f"{blob.name}, item {number}"
        yield Item(f"item {number}", lambda entry=entry, place=place: _article(entry, publisher, feed.feed.get("language", ""), place))  # type: ignore[misc]


def _article(entry: Any, publisher: str, language: str, place: str) -> Article:
    """Return a feed's item as an article; raises InputError where it holds no text."""
    bodies = [c.get("value", "") for c in entry.get("content", [])] or [entry.get("summary", "")]
    text = text_of_html(max(bodies, key=len))
    if not text:
        raise InputError(place, "missing_text", "the item holds a title and a link at most: save its page")
    check_text(text, place)
    authors = tuple(a.get("name", "") for a in entry.get("authors", []) if a.get("name"))
    published = parse_date(entry.get("published", "") or entry.get("updated", ""))
    return Article("", text, title=text_of_html(entry.get("title", "")), publisher=publisher, published=published, url=web_address(entry.get("link", "")), authors=authors, language=language)


def text_of_html(fragment: str) -> str:
    """Return the text of a piece of HTML, a line a block."""
    if "<" not in fragment and "&" not in fragment:
        return fragment.strip()
    import lxml.html

    try:
        tree = lxml.html.fragment_fromstring(fragment, create_parent="div")
    except (lxml.etree.ParserError, ValueError):
        return fragment.strip()
    for element in tree.iter(*BLOCKS):
        element.tail = "\n" + (element.tail or "")
        if element.tag != "br":
            element.text = "\n" + (element.text or "")
    lines = (" ".join(line.split()) for line in tree.text_content().splitlines())
    return "\n".join(line for line in lines if line)
