"""Papers: statements, reports and exports as PDF and DOCX."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from accordingto.errors import InputError
from accordingto.reader.archive import check_package
from accordingto.reader.blob import MAX_FILE, Blob
from accordingto.reader.item import Item
from accordingto.reader.text import check_text
from accordingto.schema import MAX_CHARS, Article

LEAST_LETTERS = 20  # a scan's text layer holds a stamp or a page number at most


def items(blob: Blob, kind: str) -> Iterator[Item]:
    """Yield the one article of a paper."""
    yield Item("", lambda: (_article_from_pdf if kind == "pdf" else _article_from_docx)(blob))


def _article_from_pdf(blob: Blob) -> Article:
    """Return a PDF's text layer, its lines joined to paragraphs; raises InputError."""
    try:
        import pypdf
        import pypdf.errors
    except ImportError as error:
        raise InputError(blob.name, "missing_package", "the package pypdf is missing: pip install 'accordingto[docs]'") from error
    data = blob.read(MAX_FILE)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(blob.name, "encrypted", "it needs a password")
        pages = _pages(reader, blob.name)
        facts = reader.metadata
        title, author = _fact(facts, "title"), _fact(facts, "author")
        created = facts.creation_date if facts else None
    except (InputError, MemoryError):
        raise
    except pypdf.errors.DependencyError as error:
        raise InputError(blob.name, "encrypted", "it is encrypted") from error
    except Exception as error:  # pypdf raises its own, and what Python raises for wrong bytes
        raise InputError(blob.name, "damaged", f"it is no whole PDF ({type(error).__name__}: {error})") from error
    text = join_lines("\n\n".join(pages))
    if sum(c.isalpha() for c in text) < LEAST_LETTERS:
        raise InputError(blob.name, "no_text_layer", "its pages are pictures")
    check_text(text, blob.name)
    return Article("", text, title=title, authors=tuple(a.strip() for a in author.split(";") if a.strip()), src=_created(created))


def _pages(reader: Any, name: str) -> list[str]:
    """Return the text of each page; raises InputError where there is more than an article holds."""
    pages, size = [], 0
    for page in reader.pages:
        pages.append(page.extract_text().encode("utf-8", "replace").decode("utf-8"))  # fonts map some glyphs to half characters
        size += len(pages[-1])
        if size > MAX_CHARS:
            raise InputError(name, "too_large", f"it has more than {MAX_CHARS:,} characters")
    return pages


def _fact(facts: Any, name: str) -> str:
    """Return a field of the metadata as text."""
    value = getattr(facts, name, None) if facts else None
    return value.strip() if isinstance(value, str) else ""


def _created(when: datetime | None) -> dict[str, str]:
    """Return when the file was made, which is not when its text was published."""
    return {"created": when.date().isoformat()} if when else {}


def join_lines(text: str) -> str:
    """Return text with the lines of a paragraph joined: a PDF knows lines only.

    A paragraph ends at an empty line, or where a line ends a sentence and is clearly shorter than the longest ones.
    """
    lines = [line.strip() for line in text.replace("\0", "").splitlines()]
    full = sorted(map(len, lines))[int(0.9 * len(lines))] if lines else 0
    out = ""
    for line in lines:
        last = out.rpartition("\n")[2]
        if not line:
            out = out.rstrip("\n") + "\n\n" if out else ""
        elif not last:
            out += line
        elif re.search(r"[A-Za-z]-$", last) and line[0].islower():
            out = out[:-1] + line
        elif (re.search(r"[.!?:”\"’)]$", last) and _tail(last, full) < 0.85 * full) or _is_heading(last, line, full):
            out += "\n" + line
        else:
            out += " " + line
    return out.strip()


def _tail(paragraph: str, full: int) -> int:
    """Return how long the last line of a joined paragraph is, if all others are full."""
    return len(paragraph) % full if full and len(paragraph) > full else len(paragraph)


def _is_heading(last: str, line: str, full: int) -> bool:
    """Return whether a line stands alone: short, without a full stop, and what follows begins with a capital."""
    return len(last) < 0.6 * full and last[-1:].isalnum() and line[:1].isupper()


def _article_from_docx(blob: Blob) -> Article:
    """Return the paragraphs and tables of a DOCX, a line each; raises InputError."""
    try:
        import docx
        from docx.table import Table
    except ImportError as error:
        raise InputError(blob.name, "missing_package", "the package python-docx is missing: pip install 'accordingto[docs]'") from error
    data = blob.read(MAX_FILE)
    check_package(data, blob.name)
    try:
        document = docx.Document(io.BytesIO(data))
        lines: list[str] = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                lines += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
            else:
                lines.append(block.text)
        facts = document.core_properties
        title, author, created = facts.title or "", facts.author or "", facts.created
    except Exception as error:  # python-docx raises KeyError, ValueError and lxml's errors for a damaged document
        raise InputError(blob.name, "damaged", f"it is no whole DOCX ({type(error).__name__}: {error})") from error
    text = "\n".join(lines).strip()
    if not text:
        raise InputError(blob.name, "empty", "it holds no text")
    check_text(text, blob.name)
    people = () if author == "python-docx" else tuple(a.strip() for a in author.split(";") if a.strip())
    return Article("", text, title=title, authors=people, src=_created(created))
