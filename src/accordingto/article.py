"""Articles from inputs: files, folders, globs and the standard input. What each kind of file holds is told by reader/."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from accordingto.errors import InputError
from accordingto.language import foreign_language
from accordingto.reader.blob import Blob, Portion, blob_of_bytes, blob_of_file
from accordingto.reader.item import KINDS, items_of, kind_of
from accordingto.sandbox import Sandbox
from accordingto.schema import MAX_BYTES, MAX_CHARS, Article, Problem, WebPage

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
                problems.append(_problem(InputError(name, "nothing_to_read", "the folder holds no file of a kind that is read")))
        elif path.exists() or not glob.has_magic(name):
            paths[path] = None  # a missing one is reported when it is read, like every other problem
        else:
            matches = [Path(p) for p in sorted(glob.glob(name, recursive=True)) if Path(p).is_file()]
            paths |= dict.fromkeys(matches)
            if not matches:
                problems.append(_problem(InputError(name, "missing", "no file matches the pattern")))
    return Inputs(tuple(paths), tuple(problems), left_out)


def _files_below(folder: Path) -> tuple[list[Path], int]:
    """Return a folder's files of known kinds in order, and how many others it holds; hidden ones do not count.

    Nor does what a browser saves beside a page: `a_files` beside `a.html`.
    """
    found, others = [], 0
    for where, folders, files in os.walk(folder):
        pages = {Path(f).stem for f in files if f.lower().endswith((".html", ".htm"))}
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f.removesuffix("_files") not in pages)
        for file in sorted(f for f in files if not f.startswith(".")):
            if file.lower().endswith(tuple(KINDS)):
                found.append(Path(where, file))
            else:
                others += 1
    return found, others


def read_articles(paths: Iterable[Path | str], problems: list[Problem], *, text_column: str | None = None, urls: Iterable[str] = ()) -> Iterator[Article]:
    """Yield the articles of files in their order, with ids unique among them; what cannot be read is added to `problems`.

    urls: pages that are fetched from the web, after the files.
    """
    seen: dict[str, int] = {}
    for outcome in read_outcomes(paths, text_column=text_column, urls=urls):
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            yield replace(outcome, article_id=unique_id(outcome.article_id, seen))


def unique_id(wanted: str, seen: dict[str, int]) -> str:
    """Return an id that was not given before, with a number where it was: `x`, `x-2`; `seen` remembers."""
    count = seen[wanted] = seen.get(wanted, 0) + 1
    while count > 1 and f"{wanted}-{count}" in seen:
        count += 1
    if count == 1:
        return wanted
    seen[wanted] = count
    seen[f"{wanted}-{count}"] = 1
    return f"{wanted}-{count}"


def read_outcomes(paths: Iterable[Path | str], *, text_column: str | None = None, urls: Iterable[str] = ()) -> Iterator[Article | Problem]:
    """Yield what each would-be article of the files and pages came to, in order: an English article with an id, or a problem."""
    sandbox = Sandbox()
    try:
        for path in paths:
            yield from file_outcomes(path, sandbox, text_column)
        for page in fetch_pages(urls):
            yield from [page] if isinstance(page, Problem) else page_outcomes(page, sandbox)
    finally:
        sandbox.close()


def file_outcomes(path: Path | str, sandbox: Sandbox, text_column: str | None) -> Iterator[Article | Problem]:
    """Yield what a file holds, as `read_outcomes` does."""
    for outcome in _outcomes(path, sandbox, text_column):
        yield outcome if isinstance(outcome, Problem) else _checked(outcome)


def fetch_pages(urls: Iterable[str]) -> Iterator[WebPage | Problem]:
    """Yield pages of the web; only here is anything fetched, and only what the user names."""
    fetcher = None
    for url in urls:
        from accordingto.fetch import Fetcher  # here: who fetches nothing never loads what can

        fetcher = fetcher or Fetcher()
        try:
            yield fetcher.fetch(url)
        except InputError as error:
            yield _problem(error)


def page_outcomes(page: WebPage, sandbox: Sandbox) -> Iterator[Article | Problem]:
    """Yield what a page of the web holds, as `read_outcomes` does."""
    name = f"page{page.ending}"
    for outcome in sandbox.outcomes((name, page.data)):
        if isinstance(outcome, Problem):
            yield replace(outcome, path=page.url, message=outcome.message.replace(name, page.url))
        else:
            yield _checked(replace(outcome, article_id="", path=page.url, url=outcome.url or page.found_at))


def portion_outcomes(portion: Portion, path: str, sandbox: Sandbox, text_column: str | None, start: int = 0, stop: int | None = None) -> Iterator[Article | Problem]:
    """Yield what a stretch of the file `path` holds, as `read_outcomes` does; of some items alone, from `start` on and before `stop`."""
    for outcome in sandbox.outcomes(portion, text_column, start, stop):
        own = replace(outcome, path=path)
        yield own if isinstance(own, Problem) else _checked(own)


def _outcomes(path: Path | str, sandbox: Sandbox, text_column: str | None) -> Iterator[Article | Problem]:
    """Yield a file's articles and problems. Plain text is decoded here; all else is parsed in the sandbox."""
    try:
        if path == STDIN or kind_of(str(path)) == "text":
            yield read_article(path)
            return
    except InputError as error:
        yield _problem(error)
        return
    yield from sandbox.outcomes(Path(path), text_column)


def _checked(article: Article) -> Article | Problem:
    """Return an article with an id, or why it is not read."""
    place = f"{article.path}, {article.locator}" if article.locator else article.path
    try:
        plain = article_from_text(article.text, name=place)
        language = foreign_language(article.text)
        if language is not None:
            raise InputError(place, "unsupported_language", f"it is written in another language ({language})")
    except InputError as error:
        return Problem(article.path, error.code, str(error), article.locator)
    return replace(article, article_id=_printable(article.article_id) or plain.article_id)


def _printable(name: str) -> str:
    """Return a name without what could steer a terminal, turn the direction of writing or end a line."""
    return "".join(c for c in name if c.isprintable()).strip()


def _problem(error: InputError) -> Problem:
    return Problem(error.path, error.code, str(error))


def read_article(path: Path | str) -> Article:
    """Return the article of one text file or of the standard input; raises InputError."""
    if path == STDIN:
        blob = blob_of_bytes("standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
        return replace(_only_item(blob), article_id="", path=blob.name)
    return replace(_only_item(blob_of_file(Path(path))), path=str(path))


def _only_item(blob: Blob) -> Article:
    return next(items_of(blob)).read()


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
