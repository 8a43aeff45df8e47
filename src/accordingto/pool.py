"""A pool of reading processes: a worker that dies, hangs or fills its memory costs one text, found by halving, and never the run.

spaCy's own `n_process` waits for ever when a worker is killed (tried with 3.8.18), and its error handlers drop texts unseen.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from accordingto.deadline import Deadline
from accordingto.errors import AccordingToError
from accordingto.sandbox import OUT_OF_MEMORY, leave_signals_to_parent, leave_with_parent, limit_memory, start_undisturbed

BATCH = 16  # texts that go to a worker at once
START_SECONDS = 60.0  # to load the model; it takes three
BASE_SECONDS, CHARS_PER_SECOND = 60.0, 500.0  # a core reads 14,000 characters a second
ATTEMPTS = 2  # a text is given up after as many deaths alone
BAD_STARTS = 3  # workers that die before they are ready: then the model or the machine is at fault, not a text

Text = tuple[str, Any]  # key, and a text or what holds one
Read = Callable[[Sequence[Text]], list[tuple[str, Any]]]


@dataclass(frozen=True)
class Failure:
    """Why the workers could not read a text; `code` is a reason code."""

    code: str
    why: str


@dataclass
class _Batch:
    texts: list[Text]
    deaths: int = 0


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    deadline: Deadline
    batch: _Batch | None = None
    ready: bool = False
    served: int = 0


class Pool:
    """Processes that read texts. `make_read` is called in each with `args` and returns the function that reads a batch.

    memory: bytes of addresses that one may take; size: of what holds a text in characters, by which it gets its time.
    """

    def __init__(self, workers: int, make_read: Callable[..., Read], args: tuple[Any, ...], *, memory: int, base_seconds: float = BASE_SECONDS, renew_after: int = 20_000, size: Callable[[Any], int] = len) -> None:
        self._size = size
        self._make, self._args, self._memory, self._base, self._renew = make_read, args, memory, base_seconds, renew_after
        self._workers: list[_Worker | None] = [None] * workers
        self._waiting: deque[_Batch] = deque()
        self._bad_starts = 0

    @property
    def room(self) -> int:
        """How many batches more can be taken so that no worker waits."""
        busy = sum(w is not None and w.batch is not None for w in self._workers)
        return len(self._workers) + 1 - busy - len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether there is nothing left to do."""
        return not self._waiting and all(w is None or w.batch is None for w in self._workers)

    def submit(self, texts: Sequence[Text]) -> None:
        """Take a batch."""
        self._waiting.append(_Batch(list(texts)))

    def collect(self, seconds: float) -> Iterator[tuple[str, Any]]:
        """Yield what was read, as (key, result or Failure), waiting so long at most for something to happen."""
        self._hand_out()
        busy = [w for w in self._workers if w is not None]
        if busy:
            wait([w.pipe for w in busy] + [w.process.sentinel for w in busy], seconds)
        else:
            time.sleep(seconds)
        for place, worker in enumerate(self._workers):
            if worker is not None:
                yield from self._look_at(place, worker)
        self._hand_out()

    def close(self) -> None:
        """End all workers at once."""
        for worker in self._workers:
            if worker is not None:
                worker.process.kill()
        for worker in self._workers:
            if worker is not None:
                worker.process.join()
                worker.pipe.close()
        self._workers = [None] * len(self._workers)

    def _hand_out(self) -> None:
        """Give waiting batches to workers that have none; a worker is started when there is something for it."""
        starting = sum(w is not None and not w.ready for w in self._workers)
        for place, worker in enumerate(self._workers):
            if not self._waiting:
                return
            if worker is None:
                if starting < len(self._waiting):
                    self._workers[place] = self._start()
                    starting += 1
            elif worker.ready and worker.batch is None:
                batch = self._waiting.popleft()
                worker.batch = batch
                worker.deadline = Deadline(worker.process.pid, self._base + sum(self._size(text) for _, text in batch.texts) / CHARS_PER_SECOND)
                with suppress(OSError):  # it has just died, which `_look_at` finds
                    worker.pipe.send(batch.texts)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._make, self._args, self._memory), name="accordingto-worker", daemon=True)
        start_undisturbed(process)
        theirs.close()
        assert process.pid is not None
        return _Worker(process, ours, Deadline(process.pid, START_SECONDS))

    def _look_at(self, place: int, worker: _Worker) -> Iterator[tuple[str, Any]]:
        """Yield what a worker has sent; replace it when it is dead or hangs."""
        try:
            if worker.pipe.poll():
                message = worker.pipe.recv()
                if isinstance(message, BaseException):
                    raise message  # the model cannot be loaded: no other worker could
                if worker.batch is not None:
                    yield from message
                    worker.served += len(worker.batch.texts)
                worker.batch, worker.ready = None, True
                self._bad_starts = 0
                if worker.served >= self._renew:
                    self._end(place, worker)
                return
            alive = worker.process.is_alive()
        except (EOFError, OSError):
            alive = False
        if alive and ((worker.ready and worker.batch is None) or not worker.deadline.has_passed):
            return
        self._end(place, worker)
        yield from self._after_death(worker, _cause(worker.process.exitcode, hung=alive))

    def _end(self, place: int, worker: _Worker) -> None:
        worker.process.join(0.5)  # a dying one shall leave its exit code
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        self._workers[place] = None

    def _after_death(self, worker: _Worker, failure: Failure) -> Iterator[tuple[str, Any]]:
        """Put the halves of a dead worker's batch back; a text that was alone is given up after some attempts."""
        batch = worker.batch
        if batch is None:
            self._bad_starts += 1
            if self._bad_starts >= BAD_STARTS:
                raise WorkersDieError(failure.why)
        elif len(batch.texts) > 1:
            half = len(batch.texts) // 2
            self._waiting.extendleft([_Batch(batch.texts[half:]), _Batch(batch.texts[:half])])
        elif batch.deaths + 1 < ATTEMPTS:
            self._waiting.appendleft(_Batch(batch.texts, batch.deaths + 1))
        else:
            yield batch.texts[0][0], failure


class WorkersDieError(Exception):
    """No worker lives long enough to be given a text."""


def _cause(exitcode: int | None, *, hung: bool) -> Failure:
    """Return what a worker died of."""
    if hung:
        return Failure("timeout", "reading it took too long")
    if exitcode == OUT_OF_MEMORY:
        return Failure("oom", "reading it filled the memory")
    name = signal.Signals(-exitcode).name if exitcode is not None and exitcode < 0 else f"exit code {exitcode}"
    return Failure("crashed", f"the process that read it died ({name})")


def _serve(pipe: Connection, make_read: Callable[..., Read], args: tuple[Any, ...], memory: int) -> None:
    """Read batches until the parent is gone."""
    leave_signals_to_parent()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a dying library prints is told by the reason code
    leave_with_parent()
    limit_memory(memory)
    try:
        read = make_read(*args)
    except AccordingToError as error:
        pipe.send(error)
        return
    except Exception as error:  # a library's, which may not survive the way
        pipe.send(WorkersDieError(f"{type(error).__name__}: {error}"))
        return
    pipe.send("ready")
    while True:
        try:
            texts = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(read(texts))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
