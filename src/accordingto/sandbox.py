"""The reading process: files of others' making are parsed in a child that may hang, crash or fill its memory at no one else's cost."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from accordingto.deadline import Deadline
from accordingto.errors import InputError
from accordingto.reader.blob import Blob, Portion, blob_of_bytes, blob_of_file, blob_of_portion
from accordingto.reader.item import Item, article_as_json, article_from_json, items_of
from accordingto.schema import Article, Problem

DEADLINE = 60.0  # seconds for one article; real pages take a hundredth, a PDF of a thousand pages half of it
MEMORY = 4_000_000_000  # bytes of address space of the child; a workbook of 200 MB needs half
MESSAGE = 40_000_000  # bytes of an article as JSON: MAX_BYTES, escaped
RENEW = 500  # files that a child reads: what parsers leave in its memory shall not count against a later file; a start takes a third of a second
ALIVE = 1_000  # items that are passed over between signs of life


Source = Path | tuple[str, bytes] | Portion  # a file, a name with the bytes, a stretch of a file


class Sandbox:
    """A child process that reads files; started when first needed, and again after each death."""

    def __init__(self, *, deadline: float = DEADLINE, memory: int = MEMORY) -> None:
        self.deadline, self.memory = deadline, memory
        self._child: Any = None
        self._pipe: Connection | None = None
        self._served = 0

    def outcomes(self, source: Source, text_column: str | None = None, start: int = 0, stop: int | None = None) -> Iterator[Article | Problem]:
        """Yield what each would-be article of a file came to, in order; of some of them alone, from `start` on and before `stop`."""
        name = str(source) if isinstance(source, Path) else source.name if isinstance(source, Portion) else source[0]
        while start >= 0:
            begun: tuple[int, str] | None = None
            self._send((source, text_column, start, stop))
            start = -1
            while True:
                message, cause = self._receive()
                if message is None:
                    yield _problem_of_death(name, begun[1] if begun else "", cause)
                    if begun is not None:  # the one that it died of is told; the next is tried
                        start = begun[0] + 1
                    break
                kind, value = message
                if kind == "begin":
                    begun = value[0], value[1]
                elif kind == "article":
                    begun = None
                    yield article_from_json(value)
                elif kind == "problem":
                    begun = None
                    yield Problem(**value)
                elif kind == "end":
                    break

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.join()
            self._child = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def _send(self, task: Any) -> None:
        self._served += 1
        if self._child is None or self._served > RENEW or not self._child.is_alive():
            self.close()
            self._served = 1
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._child = context.Process(target=_serve, args=(theirs, self.memory), name="accordingto-reader", daemon=True)
            start_undisturbed(self._child)
            theirs.close()
        assert self._pipe is not None
        self._pipe.send(task)

    def _receive(self) -> tuple[tuple[str, Any] | None, str]:
        """Return the child's next message, or None and why there is none; then the child is ended."""
        assert self._pipe is not None
        deadline = Deadline(self._child.pid, self.deadline)
        try:
            while not deadline.has_passed:
                if self._pipe.poll(min(1.0, self.deadline)):
                    return json.loads(self._pipe.recv_bytes(MESSAGE)), ""
            cause = "timeout"
        except (EOFError, OSError, ValueError):
            self._child.join(1)
            cause = "oom" if self._child.exitcode == OUT_OF_MEMORY else "crashed"
        self.close()
        return None, cause


OUT_OF_MEMORY = 77  # the exit code of a child that says so itself


def _problem_of_death(name: str, locator: str, cause: str) -> Problem:
    """Return what is said of the article, or of the rest of a file, that a child died of."""
    why = {"timeout": "it took too long to read", "crashed": "its reader crashed", "oom": "its reader ran out of memory"}[cause]
    place = f"{name}, {locator}" if locator else name
    return Problem(name, cause, str(InputError(place, cause, why)), locator)


def _serve(pipe: Connection, memory: int) -> None:
    """Read what is asked for until the parent is gone. What goes back is JSON: nothing of a file's making is ever unpickled."""
    leave_signals_to_parent()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what libraries print of broken files, panics included, is no one's business
    leave_with_parent()
    limit_memory(memory)
    while True:
        try:
            source, text_column, start, stop = pipe.recv()
        except EOFError:
            return
        blob = blob_of_file(source) if isinstance(source, Path) else blob_of_portion(source) if isinstance(source, Portion) else blob_of_bytes(*source)
        for message in _messages(blob, text_column, start, stop):
            pipe.send_bytes(json.dumps(message).encode("ascii"))


def _messages(blob: Blob, text_column: str | None, start: int, stop: int | None) -> Iterator[tuple[str, Any]]:
    """Yield a beginning and an outcome for each item from `start` on and before `stop`, then the end."""
    count = start
    items = items_of(blob, text_column)
    try:
        for number, item in enumerate(items):
            count = number + 1
            if number == stop:
                break
            if number < start:
                if number % ALIVE == 0:
                    yield "alive", number
                continue
            yield "begin", (number, item.locator)
            yield _outcome(blob.name, item)
        if not count:
            raise InputError(blob.name, "nothing_to_read", "it holds no articles")
    except InputError as error:
        yield "problem", vars(Problem(blob.name, error.code, str(error)))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # a library's, of a file that it cannot make sense of
        yield "problem", vars(Problem(blob.name, "damaged", str(InputError(blob.name, "damaged", f"it cannot be read ({type(error).__name__}: {error})"))))
    yield "end", None


def _outcome(name: str, item: Item) -> tuple[str, Any]:
    """Return an item's article or its problem."""
    try:
        article = item.read()
        article.text.encode("utf-8")
        return "article", article_as_json(Article(**vars(article) | {"path": name, "locator": item.locator}))
    except InputError as error:
        problem = error
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except UnicodeEncodeError as error:
        problem = InputError(name, "decode_error", f"character {error.start:,} is half of a surrogate pair, which no text holds")
    except Exception as error:  # a library's, of a file that it cannot make sense of
        problem = InputError(name, "damaged", f"it cannot be read ({type(error).__name__}: {error})")
    return "problem", vars(Problem(name, problem.code, str(problem), item.locator))


def start_undisturbed(process: Any) -> None:
    """Start a process while signals are held back: one in the middle of a start would leave a half-made child, which prints its own error."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        process.start()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        process.start()  # which inherits that they are held back
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_signals_to_parent() -> None:
    """Ignore Ctrl-C, which a terminal sends to children too, in a process that `start_undisturbed` started."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def limit_memory(size: int) -> None:
    """Bound the memory that this process may take; without effect where the system knows no such bounds."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def leave_with_parent() -> None:
    """End this process when its parent ends, however it ends; a child that hangs would live on for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
