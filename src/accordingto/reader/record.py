"""Articles out of records: rows of tables, objects of JSON, whatever their columns are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from accordingto.errors import InputError
from accordingto.schema import Article

ALIASES = {  # ECOSYSTEM.md section 1.3; compared without case, spaces and underscores. The first that is filled counts
    "text": ("text", "body", "content", "article", "article_text", "maintext", "plaintext", "full_text", "story", "article_body", "td"),
    "title": ("title", "headline", "heading", "hd"),
    "url": ("url", "link", "uri", "permalink", "source_url", "canonical_link", "requested_url"),
    "publisher": ("publisher", "media_name", "source", "sitename", "outlet", "publication", "newspaper", "meta_site_name", "source_domain", "domain", "origin", "sn"),
    "authors": ("authors", "author", "byline", "creator", "by"),
    "published": ("published", "date", "published_at", "publish_date", "publication_date", "date_publish", "publishing_date", "datetimestamp", "pubdate", "pd"),
    "article_id": ("article_id", "id", "stories_id", "doc_id", "an"),
    "language": ("language", "lang", "meta_lang"),
}
SHOWN = 20  # columns that a message lists


def article_from_record(record: Mapping[str, Any], name: str, text_column: str | None = None) -> Article:
    """Return a record as an article; what no alias takes goes to `src`. Raises InputError."""
    column = _text_column(record, name, text_column)
    used = {column}
    found: dict[str, Any] = {}
    for field, aliases in ALIASES.items():
        if field == "text":
            continue
        for key in _in_order(record, aliases):
            if key != column and _filled(record[key]):
                found[field] = record[key]
                used.add(key)
                break
    published = _string(found.get("published", ""))
    parsed = parse_date(published)
    src = {key: _string(value) for key, value in _flat(record).items() if key not in used and _filled(value)}
    if parsed != published:  # how the input writes it may say more
        src["published"] = published
    return Article(
        _string(found.get("article_id", "")),
        _string(record[column]),
        title=_string(found.get("title", "")),
        publisher=_string(found.get("publisher", "")),
        published=parsed,
        url=_string(found.get("url", "")) or _string(_flat(record).get("html_requested_url", "")),
        authors=_people(found.get("authors")),
        language=_string(found.get("language", "")),
        src=src,
    )


def check_columns(columns: Sequence[str], name: str, text_column: str | None) -> None:
    """Refuse a table whose header names no column of text, or several; raises InputError."""
    if text_column is not None and text_column not in columns:
        raise InputError(name, "missing_text", f"it has no column {text_column!r}; it has {_listed(columns)}")
    candidates = _in_order(dict.fromkeys(columns), ALIASES["text"])
    if text_column is None and not candidates:
        raise InputError(name, "missing_text", f"no column is called text, body or another of that kind; it has {_listed(columns)}")
    if text_column is None and len(candidates) > 1:
        raise InputError(name, "ambiguous_columns", f"the columns {_listed(candidates)} may all hold the text")


def _text_column(record: Mapping[str, Any], name: str, text_column: str | None) -> str:
    """Return the record's column of text; raises InputError where it is not clear."""
    candidates = _in_order(record, ALIASES["text"]) if text_column is None else [text_column] if text_column in record else []
    filled = [key for key in candidates if isinstance(record[key], str) and record[key].strip()]
    if not filled:
        raise InputError(name, "empty" if candidates else "missing_text", "its text is empty" if candidates else f"it holds no text; it has {_listed(list(record))}")
    if len({record[key] for key in filled}) > 1:
        raise InputError(name, "ambiguous_columns", f"{_listed(filled)} hold different texts")
    return filled[0]


def _in_order(record: Mapping[str, Any], aliases: Sequence[str]) -> list[str]:
    """Return the record's keys that are aliases, by the aliases' order."""
    plain: dict[str, str] = {}
    for key in record:
        plain.setdefault(_plain(str(key)), key)
    return [plain[_plain(alias)] for alias in aliases if _plain(alias) in plain]


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).lower()


def _listed(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
    return ", ".join(repr(str(c)[:60]) for c in columns[:SHOWN]) + more


def _filled(value: Any) -> bool:
    return value not in (None, "", [], {}) and value == value  # noqa: PLR0124  (NaN)


def _string(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a workbook's 5 is 5.0
    return value if isinstance(value, str) else ", ".join(map(_string, value)) if isinstance(value, list | tuple) else str(value)


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with the fields of its inner objects as `outer_inner`; what lies deeper is left out."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            out |= {f"{key}_{inner}": v for inner, v in value.items() if isinstance(v, str | int | float)}
        elif not (isinstance(value, list) and any(isinstance(v, list | Mapping) for v in value)):
            out[str(key)] = value
    return out


def _people(value: Any) -> tuple[str, ...]:
    """Return authors as names: from a list, or from a line with `;`, `and` or commas between them."""
    if isinstance(value, list | tuple):
        return tuple(_string(v).strip() for v in value if _filled(v))
    parts = re.split(r";|,| and | & ", _string(value)) if _filled(value) else []
    return tuple(part for part in (re.sub(r"^by\s+", "", p.strip(), flags=re.IGNORECASE) for p in parts) if part)


def parse_date(value: str) -> str:
    """Return a date in ISO 8601; as it was where it cannot be read or where day and month cannot be told apart.

    Tue, 04 Mar 2025 09:41:00 GMT  ->  2025-03-04T09:41:00+00:00;  25/12/2024  ->  2024-12-25;  05/06/2024 stays
    """
    value = value.strip()
    try:
        parsed = datetime.fromisoformat(value)
        return value.replace(" ", "T") if parsed.time() != datetime.min.time() or len(value) > len("2025-01-01 00:00:00") else parsed.date().isoformat()
    except ValueError:
        pass
    numbers = re.fullmatch(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", value)
    if numbers:
        a, b, year = map(int, numbers.groups())
        if (a > 12) != (b > 12):  # one of them can only be the day
            day, month = (a, b) if a > 12 else (b, a)
            return f"{year:04}-{month:02}-{day:02}" if month >= 1 and day <= 31 else value
        return value
    try:
        return parsedate_to_datetime(value).isoformat()
    except (ValueError, TypeError, IndexError):
        return value
