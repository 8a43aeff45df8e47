"""Articles from inputs: files, folders, globs and the standard input; plain text here, decoded without changing a character."""

from __future__ import annotations

import codecs
import glob
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from accordingto.errors import InputError
from accordingto.schema import Article, Problem

ENDINGS = (".txt", ".md")
MAX_CHARS = 1_000_000  # an article's; a novel has 600,000. Beyond it the vectors alone would take half a gigabyte
MAX_BYTES = 4 * MAX_CHARS  # UTF-8 takes four bytes a character at most
STDIN = "-"


@dataclass(frozen=True)
class Inputs:
    """The files that a command line names, in order, and what it names in vain."""

    paths: tuple[Path | str, ...]  # "-" for the standard input
    problems: tuple[Problem, ...]
    left_out: int  # files of other endings inside folders


def find_inputs(names: Iterable[str]) -> Inputs:
    """Return the files behind names: files as given, folders searched through, globs expanded; each file once."""
    paths: dict[Path | str, None] = {}
    problems: list[Problem] = []
    left_out = 0
    for name in names:
        path = Path(name)
        if name == STDIN:
            paths[STDIN] = None
        elif path.is_dir():
            found, others = _files_below(path)
            left_out += others
            paths |= dict.fromkeys(found)
            if not found:
                problems.append(_problem(InputError(name, "nothing_to_read", "the folder holds no file that ends in .txt or .md")))
        elif path.exists() or not glob.has_magic(name):
            paths[path] = None  # a missing one is reported when it is read, like every other problem
        else:
            matches = [Path(p) for p in sorted(glob.glob(name, recursive=True)) if Path(p).is_file()]
            paths |= dict.fromkeys(matches)
            if not matches:
                problems.append(_problem(InputError(name, "missing", "no file matches the pattern")))
    return Inputs(tuple(paths), tuple(problems), left_out)


def _files_below(folder: Path) -> tuple[list[Path], int]:
    """Return a folder's text files in order, and how many others it holds; hidden ones do not count."""
    found, others = [], 0
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for file in sorted(f for f in files if not f.startswith(".")):
            if file.lower().endswith(ENDINGS):
                found.append(Path(where, file))
            else:
                others += 1
    return found, others


def read_articles(paths: Iterable[Path | str], problems: list[Problem]) -> Iterator[Article]:
    """Yield the articles of files in their order, with ids unique among them; what cannot be read is added to `problems`."""
    seen: dict[str, int] = {}
    for path in paths:
        try:
            article = read_article(path)
        except InputError as error:
            problems.append(_problem(error))
            continue
        count = seen[article.article_id] = seen.get(article.article_id, 0) + 1
        while count > 1 and f"{article.article_id}-{count}" in seen:
            count += 1
        if count > 1:
            seen[article.article_id] = count
            article = replace(article, article_id=f"{article.article_id}-{count}")
            seen[article.article_id] = 1
        yield article


def _problem(error: InputError) -> Problem:
    return Problem(error.path, error.code, str(error))


def read_article(path: Path | str) -> Article:
    """Return the article of one file or of the standard input; raises InputError."""
    name = str(path)
    if path == STDIN:
        text = decode_text(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input")
        return article_from_text(text, name="standard input")
    path = Path(path)
    if path.suffix.lower() in UNSUPPORTED:
        raise InputError(name, "unsupported", f"{path.suffix} files are not text")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(name, "too_large", f"it holds {path.stat().st_size:,} bytes, and an article may have {MAX_CHARS:,} characters")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(name, "missing", "there is no such file") from error
    except OSError as error:
        raise InputError(name, "unreadable", (error.strerror or str(error)).lower()) from error
    return article_from_text(decode_text(data, name), article_id=path.stem, name=name)


UNSUPPORTED = frozenset([".html", ".htm", ".mhtml", ".pdf", ".docx", ".doc", ".rtf", ".odt", ".csv", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".parquet", ".warc", ".gz", ".zip", ".xml", ".png", ".jpg", ".jpeg"])


def article_from_text(text: str, *, article_id: str = "", name: str = "text") -> Article:
    """Return a text as an article; without an id it gets one from its text. Raises InputError."""
    if len(text) > MAX_CHARS:
        raise InputError(name, "too_large", f"it has {len(text):,} characters, and an article may have {MAX_CHARS:,}")
    if not text.strip():
        raise InputError(name, "empty", "it holds no text")
    try:
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    except UnicodeEncodeError as error:
        raise InputError(name, "decode_error", f"character {error.start:,} is half of a surrogate pair, which no text holds") from error
    return Article(article_id or f"a_{digest[:16]}", text, path=name)


def decode_text(data: bytes, name: str) -> str:
    """Return the text of a file: UTF-8 or UTF-16 with or without byte order mark, else Windows-1252.

    Line ends and all other characters stay as they are; the byte order mark is no part of the text. Raises InputError.
    """
    if len(data) > MAX_BYTES:
        raise InputError(name, "too_large", f"it holds more than {MAX_BYTES:,} bytes, and an article may have {MAX_CHARS:,} characters")
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            return _decode_windows(data, name)
        raise InputError(name, "decode_error", f"byte {error.start:,} is no {encoding}: {error.reason}") from error
    _check_text(text, name)
    return text


def _encoding(data: bytes) -> str:
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
    _check_text(text, name)
    return text


def _check_text(text: str, name: str) -> None:
    """Refuse what decodes but is no text: NUL characters, or more than one control character in a hundred."""
    controls = sum(c < " " and c not in "\t\n\r\f\v" for c in text[:100_000])
    if "\0" in text or controls > len(text[:100_000]) / 100:
        raise InputError(name, "binary", "it is not text")
