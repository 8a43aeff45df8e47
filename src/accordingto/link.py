"""Links: addresses that a page may lead to; what a table or a web page calls one may be anything."""

from __future__ import annotations

from urllib.parse import urlsplit


def link(url: str) -> str:
    """Return an address that a page may link to, else nothing: `javascript:` and its like never become a link."""
    try:
        parts = urlsplit(url.strip())
        return url.strip() if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""
