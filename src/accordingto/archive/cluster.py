"""The engine of Ray: lanes as actors of a Ray Data pipeline, on this machine or on the nodes of a cluster."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from accordingto.archive.lane import Lane
from accordingto.archive.shard import Setup
from accordingto.errors import IncompleteError, OutputError, RunError

OBJECT_STORE = 200_000_000  # bytes, of a Ray that we start: jobs and answers alone pass through it, and Ray's default takes 30 % of the memory
SECONDS = 10.0  # that a cluster may take to answer
RETRIES = 20  # times that a shard is taken up again when its actor or node dies; an article that kills what reads it never kills an actor


class RayEngine:
    """Lanes as actors. Without an address a Ray of our own is started, which listens on this machine alone and leaves with us."""

    def __init__(self, setup: Setup, workers: int, address: str | None) -> None:
        self._setup, self._ray = setup, _ray(setup.out, alone=address is None)
        self._started = not self._ray.is_initialized()
        if self._started:
            _connect(self._ray, setup.out, address, workers)
        self._workers = _actors(self._ray, setup.out, workers)

    def run(self, jobs: Sequence[str]) -> Generator[str]:
        """Yield the answers; raises IncompleteError, RunError."""
        import pyarrow
        import ray.data

        if not jobs:
            return
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = 0  # none is ever dropped; what a shard fails of stands in its answer
        context.wait_for_min_actors_s = 600
        blocks = [pyarrow.table({"job": pyarrow.array([job], pyarrow.string())}) for job in jobs]
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*removed in Ray 2.64")  # the two limits below have no other name yet; pyproject.toml pins the release
        answers = ray.data.from_arrow(blocks).map_batches(
            Actor, fn_constructor_args=(self._setup,), batch_size=1, batch_format="pyarrow", num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=min(self._workers, len(jobs)), max_tasks_in_flight_per_actor=1),  # a shard takes minutes: none shall wait behind another
            max_restarts=RETRIES, max_task_retries=RETRIES,  # Ray's own are without end
        )  # fmt: skip
        try:
            for row in answers.iter_rows():
                yield row["answer"]
        except ray.exceptions.RayError as error:
            raise IncompleteError(self._setup.out, f"Ray says {_last_line(error)}") from error

    def close(self) -> None:
        """Leave the cluster; a Ray of our own ends."""
        if self._started:
            with suppress(Exception):
                self._ray.shutdown()


def _ray(out: str, *, alone: bool) -> Any:
    """Return the package, told to keep to itself; raises OutputError where it is missing."""
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_DISABLE_IMPORT_WARNING": "1", "RAY_DATA_DISABLE_PROGRESS_BARS": "1", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    if alone:  # what it starts shall listen on this machine alone, and to us alone; on Linux Ray listens to all the world but for the first of these
        os.environ.setdefault("RAY_worker_niceness", "0")  # as the pool's; Ray's own is 15, which a busy machine gives next to nothing
        os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise OutputError(out, f"the package {error.name!r} is missing", "pip install 'accordingto[ray]'") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def _connect(ray: Any, out: str, address: str | None, workers: int) -> None:
    """Join a cluster, or start a Ray on this machine; raises RunError."""
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        with _hushed():
            if address:
                _knock(address)
                ray.init(address=address, **common)
            else:  # one core more than the actors take: Ray Data waits for ever where actors hold all (ray-project/ray #44687)
                ray.init(address="local", num_cpus=workers + 1, num_gpus=0, include_dashboard=False, object_store_memory=OBJECT_STORE, **common)
    except Exception as error:  # RuntimeError of other versions, ConnectionError, ValueError, and what else Ray raises
        raise RunError(out, f"Ray{f' at {address}' if address else ''} cannot be used ({_last_line(error)})", "start it there with the same versions of Ray and Python, or leave --address out for one on this machine") from error
    finally:
        for sign, handler in before.items():  # Ray sets its own
            signal.signal(sign, handler)


def _knock(address: str) -> None:
    """Raise OSError where nobody listens; Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()


@contextmanager
def _hushed() -> Iterator[None]:
    """Hold back what Ray's compiled parts print to the standard error while they start; what is wrong comes as an exception."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _actors(ray: Any, out: str, workers: int) -> int:
    """Return how many actors work: as many as wanted, or on a cluster one a core but one; raises RunError where there are not so many cores."""
    cores = int(ray.cluster_resources().get("CPU", 0))
    if workers > cores:
        raise RunError(out, f"{workers} workers were asked for and the cluster has {cores} cores", f"give --workers {cores} or fewer, or 0")
    return workers or max(1, cores - 1)


def _last_line(error: BaseException) -> str:
    """Return what an error of Ray says, without the stack that it brings."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:500].rstrip(".")


class Actor:
    """A lane in an actor of Ray."""

    def __init__(self, setup: Setup) -> None:
        import __main__

        __main__.__file__ = None  # type: ignore[assignment]  # else every process of the lane would begin with Ray's own worker script
        self._lane = Lane(setup)

    def __call__(self, batch: Any) -> Any:
        """Return the answers to a batch of jobs."""
        import pyarrow

        return pyarrow.table({"answer": pyarrow.array([self._lane.do(job) for job in batch["job"].to_pylist()], pyarrow.string())})
