"""Items: what a file holds, one a would-be article, each to be read by itself so that a bad one costs no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from accordingto.errors import InputError
from accordingto.reader import archive
from accordingto.reader.blob import Blob
from accordingto.schema import Article

KINDS = {
    ".txt": "text", ".md": "text",
    ".html": "page", ".htm": "page", ".xhtml": "page", ".mhtml": "mhtml", ".mht": "mhtml",
    ".pdf": "pdf", ".docx": "docx",
    ".rss": "feed", ".atom": "feed", ".xml": "feed",
    ".csv": "csv", ".tsv": "csv", ".xlsx": "workbook", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".warc": "warc", ".gz": "gzip", ".zip": "zip",
}  # fmt: skip
UNSUPPORTED = frozenset([".doc", ".rtf", ".odt", ".xls", ".ods", ".epub", ".eml", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp3", ".mp4"])


@dataclass(frozen=True)
class Item:
    """A would-be article: where in its file it stands, and how to read it; reading raises InputError."""

    locator: str
    read: Callable[[], Article]


def kind_of(name: str) -> str:
    """Return the kind of a file by its ending; text where it has none that is known. Raises InputError for known others."""
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if ending in UNSUPPORTED:
        raise InputError(name, "unsupported", f"{ending} files are not read")
    return "warc" if name.lower().endswith(".warc.gz") else KINDS.get(ending, "text")  # a .warc.gz is not one gzip file but one a record


def carries_columns(name: str) -> bool:
    """Return whether a file's articles may say more than the fields of an article hold."""
    return Path(name).suffix.lower() not in (".txt", ".md", ".html", ".htm", ".xhtml", ".mhtml", ".mht", "")


def items_of(blob: Blob, text_column: str | None = None) -> Iterator[Item]:
    """Yield what a file holds, in its order.

    Raises InputError where the file, or the rest of it, cannot be read. The articles' ids are empty where the file gives none,
    except for a file of one article, whose id is its name.
    """
    kind = kind_of(blob.name)
    if kind == "gzip":
        inner = archive.unpack_gzip(blob)
        if kind_of(inner.name) in ("gzip", "zip"):
            raise InputError(blob.name, "unsupported", "it is an archive inside of an archive")
        yield from items_of(inner, text_column)
    elif kind == "zip":
        for member in archive.unpack_zip(blob):
            yield from _member_items(member, blob, text_column)
    else:
        yield from _leaf_items(kind, blob, text_column)


def _member_items(member: Blob | InputError, blob: Blob, text_column: str | None) -> Iterator[Item]:
    """Yield the items of a zip's file; what stops that file becomes an item that says so."""
    name = member.path if isinstance(member, InputError) else member.name
    inside = name[len(blob.name) + 1 :]
    try:
        if isinstance(member, InputError):
            raise member
        if kind_of(member.name) == "zip":
            raise InputError(member.name, "unsupported", "it is an archive inside of an archive")
        for item in items_of(member, text_column):
            yield Item(f"{inside}, {item.locator}" if item.locator else inside, item.read)
    except InputError as error:
        yield Item(inside, _raiser(error))


def _raiser(error: InputError) -> Callable[[], Article]:
    """Return a reading that fails."""

    def read() -> Article:
        raise error

    return read


def _leaf_items(kind: str, blob: Blob, text_column: str | None) -> Iterator[Item]:
    """Yield the items of a file that is no archive. The readers are imported when they are needed: some take a second."""
    if kind == "text":
        from accordingto.reader import text

        yield from _named(text.items(blob), blob)
    elif kind in ("page", "mhtml"):
        from accordingto.reader import page

        yield from _named(page.items(blob, saved_whole=kind == "mhtml"), blob)
    elif kind in ("pdf", "docx"):
        from accordingto.reader import paper

        yield from _named(paper.items(blob, kind), blob)
    elif kind == "feed":
        from accordingto.reader import feed

        yield from feed.items(blob)
    elif kind == "warc":
        from accordingto.reader import warc

        yield from warc.items(blob)
    else:
        from accordingto.reader import rows

        yield from rows.items(blob, kind, text_column)


def _named(found: Iterator[Item], blob: Blob) -> Iterator[Item]:
    """Yield items whose articles have the file's name as id."""
    for item in found:
        yield Item(item.locator, lambda read=item.read: replace(read(), article_id=blob.stem))  # type: ignore[misc]


def article_as_json(article: Article) -> str:
    """Return an article as one JSON object; `article_from_json` reads it."""
    return json.dumps(vars(article) | {"src": dict(article.src)}, ensure_ascii=True)


def article_from_json(data: str | bytes) -> Article:
    """Return the article that `article_as_json` wrote."""
    fields = json.loads(data)
    return Article(**fields | {"authors": tuple(fields["authors"])})
