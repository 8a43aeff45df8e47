"""Intake: what each file and each page of a run holds, told step by step by a thread, so that the workers never wait for a slow file.

A page of the web of which something could not be read is told with its bytes: the ledger keeps them, and what is kept is read, not fetched again.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from accordingto.article import fetch_pages, file_outcomes, page_outcomes
from accordingto.errors import InputError
from accordingto.ledger import FETCHED, Ledger
from accordingto.sandbox import Sandbox
from accordingto.schema import Article, Problem, WebPage


@dataclass(frozen=True)
class Event:
    """A step of the reading thread: `item` is None at an input's end."""

    path: str
    number: int
    item: Article | Problem | None
    sha256: str  # of an article's text; at the end of the file
    original: WebPage | None = None  # at the end: what is to be kept


Put = Callable[[Event], None]
Events = queue.Queue[Event | Exception | None]


def read_inputs(paths: Iterable[str], urls: Iterable[str], ledger: Ledger, text_column: str | None, events: Events, stop: threading.Event) -> None:
    """Read the files and pages that are not done, and put what they hold into the queue, then None; runs in a thread."""

    def put(event: Event | Exception | None) -> None:
        while not stop.is_set():
            try:
                events.put(event, timeout=0.2)
                return
            except queue.Full:
                continue

    sandbox = Sandbox()
    try:
        for path in paths:
            sha256 = _digest(path)
            if stop.is_set():
                return
            if not (sha256 and ledger.is_done(path, sha256)):
                _read_file(path, sha256, sandbox, text_column, put)
        for url, page in _pages([u for u in urls if not ledger.is_done(u, FETCHED)], ledger):
            if stop.is_set():
                return
            _read_page(url, page, sandbox, put)
        put(None)
    except Exception as error:  # an error of ours: the run stops and says so
        put(error)
    finally:
        sandbox.close()


def _read_file(path: str, sha256: str, sandbox: Sandbox, text_column: str | None, put: Put) -> None:
    """Put the items of one file into the queue, then its end."""
    number, before = 0, _state(path)
    for number, outcome in enumerate(file_outcomes(Path(path), sandbox, text_column), 1):
        put(Event(path, number - 1, outcome, _digest_of_text(outcome)))
    if _state(path) != before:
        changed = InputError(path, "changed", "it changed while it was read")
        put(Event(path, number, Problem(path, "changed", str(changed)), ""))
        number, sha256 = number + 1, ""
    put(Event(path, number, None, sha256))


def _pages(urls: list[str], ledger: Ledger) -> Iterator[tuple[str, WebPage | Problem]]:
    """Yield each page: as the ledger kept it, else from the web."""
    wanted = []
    for url in urls:
        page = ledger.original(url)
        if page is None:
            wanted.append(url)
        else:
            yield url, page
    yield from zip(wanted, fetch_pages(wanted), strict=True)


def _read_page(url: str, page: WebPage | Problem, sandbox: Sandbox, put: Put) -> None:
    """Put what a page of the web holds into the queue, then its end; one that was read is not fetched again when the run goes on."""
    number, problems = 0, 0
    for number, outcome in enumerate([page] if isinstance(page, Problem) else page_outcomes(page, sandbox), 1):
        put(Event(url, number - 1, outcome, _digest_of_text(outcome)))
        problems += isinstance(outcome, Problem)
    put(Event(url, number, None, FETCHED, page if problems and isinstance(page, WebPage) else None))


def _digest_of_text(outcome: Article | Problem) -> str:
    return hashlib.sha256(outcome.text.encode("utf-8")).hexdigest() if isinstance(outcome, Article) else ""


def _state(path: str) -> tuple[int, int] | None:
    """Return what shows that a file was written to."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _digest(path: str) -> str:
    """Return the SHA-256 of a file; empty where it cannot be read, which reading it will explain."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
