"""Engines: what hands jobs to lanes. This one to processes of this machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Protocol

from accordingto.archive.lane import Lane
from accordingto.archive.shard import Setup
from accordingto.errors import IncompleteError
from accordingto.pool import Failure, Pool, WorkersDieError

UNLIMITED = -1  # RLIM_INFINITY: a lane's own processes set their limits, and none may be above their parent's
NO_DEADLINE = float("inf")  # of a shard: its articles have theirs


class Engine(Protocol):
    """What runs jobs: JSON in, JSON out, in any order, each at least once."""

    def run(self, jobs: Sequence[str]) -> Generator[str]:
        """Yield the answers."""

    def close(self) -> None:
        """End what was started."""


class Here:
    """One lane in this process."""

    def __init__(self, setup: Setup) -> None:
        self._lane = Lane(setup)

    def run(self, jobs: Sequence[str]) -> Generator[str]:
        """Yield the answers in order."""
        try:
            yield from map(self._lane.do, jobs)
        finally:
            self.close()

    def close(self) -> None:
        """End its processes."""
        self._lane.close()


class PoolEngine:
    """Lanes in processes of this machine."""

    def __init__(self, setup: Setup, workers: int) -> None:
        self._setup = setup
        self._pool = Pool(workers, make_lane, (setup,), memory=UNLIMITED, base_seconds=NO_DEADLINE)

    def run(self, jobs: Sequence[str]) -> Generator[str]:
        """Yield the answers; raises IncompleteError where lanes die again and again."""
        left = iter(jobs)
        done, pool = 0, self._pool
        try:
            while done < len(jobs):
                while pool.room > 0 and (job := next(left, None)) is not None:
                    pool.submit([(job, job)])
                for _, answer in pool.collect(0.05):
                    if isinstance(answer, Failure):
                        raise IncompleteError(self._setup.out, f"the process that read a shard died again and again ({answer.why})")
                    done += 1
                    yield answer
        except WorkersDieError as error:
            raise IncompleteError(self._setup.out, f"no worker starts ({error})") from error

    def close(self) -> None:
        """End the lanes, and with them their processes."""
        self._pool.close()


def make_lane(setup: Setup) -> Callable[[Iterable[tuple[str, str]]], list[tuple[str, Any]]]:
    """Return the function that does jobs, for a pool."""
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]  # a lane has processes of its own, which leave with it
    lane = Lane(setup)
    return lambda jobs: [(key, lane.do(job)) for key, job in jobs]
