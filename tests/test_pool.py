"""The pool, with workers that hang, crash and fill their memory on purpose: real processes, real deaths."""

import ctypes
import os
import pickle
import signal
import time

import pytest

from accordingto.errors import InputError, ModelError
from accordingto.pool import Failure, Pool, WorkersDieError


def make_upper():
    def read(texts):
        for _, text in texts:
            misbehave(text)
        return [(key, text.upper()) for key, text in texts]

    return read


def misbehave(text):
    if text == "hang":
        time.sleep(99)
    elif text == "exit":
        os._exit(3)
    elif text == "segfault":
        ctypes.string_at(0)
    elif text == "memory":
        bytearray(10**12)


def make_nothing():
    os._exit(9)


def make_error():
    raise ValueError("no model")


def drain(pool, seconds=60):
    out, deadline = {}, time.monotonic() + seconds
    while not pool.idle:
        assert time.monotonic() < deadline
        for key, result in pool.collect(0.05):
            assert key not in out, "told twice"
            out[key] = result
    return out


@pytest.mark.parametrize("workers", [1, 3])
def test_every_text_comes_back_once(workers):
    pool = Pool(workers, make_upper, (), memory=4_000_000_000)
    for start in range(0, 100, 7):
        pool.submit([(str(i), f"text {i}") for i in range(start, min(100, start + 7))])
    assert drain(pool) == {str(i): f"TEXT {i}" for i in range(100)}
    pool.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize(("how", "code"), [("hang", "timeout"), ("exit", "crashed"), ("segfault", "crashed"), ("memory", "oom")])
def test_one_bad_text_costs_itself_alone(how, code):
    pool = Pool(2, make_upper, (), memory=4_000_000_000, base_seconds=1)
    pool.submit([(str(i), how if i == 5 else "good") for i in range(8)])
    pool.submit([("more", "good")])
    out = drain(pool)
    assert {key for key, result in out.items() if isinstance(result, Failure)} == {"5"}
    assert out["5"].code == code
    assert len(out) == 9
    pool.close()


def test_killed_worker_loses_nothing():
    pool = Pool(2, make_upper, (), memory=4_000_000_000)
    for i in range(30):
        pool.submit([(f"{i}-{j}", "x") for j in range(4)])
    out = {}
    killed = 0
    deadline = time.monotonic() + 60
    while not pool.idle:
        assert time.monotonic() < deadline
        if killed < 3 and len(out) > 20 * killed:
            worker = next((w for w in pool._workers if w is not None), None)
            if worker:
                os.kill(worker.process.pid, signal.SIGKILL)
                killed += 1
        for key, result in pool.collect(0.05):
            assert key not in out
            out[key] = result
    assert (len(out), set(out.values()), killed) == (120, {"X"}, 3)
    pool.close()


def test_workers_are_renewed_after_their_share():
    pool = Pool(1, make_upper, (), memory=4_000_000_000, renew_after=2)
    seen = set()
    for i in range(3):
        pool.submit([(f"{i}a", "x"), (f"{i}b", "x")])
        while not pool.idle:
            seen |= {w.process.pid for w in pool._workers if w is not None}
            list(pool.collect(0.05))
    assert len(seen) == 3
    pool.close()


def test_workers_that_never_start_end_the_pool():
    pool = Pool(1, make_nothing, (), memory=4_000_000_000)
    pool.submit([("a", "x")])
    with pytest.raises(WorkersDieError, match="exit code 9"):
        drain(pool)
    pool.close()


def test_error_of_loading_is_the_callers():
    pool = Pool(1, make_error, (), memory=4_000_000_000)
    pool.submit([("a", "x")])
    with pytest.raises(WorkersDieError, match="ValueError: no model"):
        drain(pool)
    pool.close()


def make_model_error():
    raise ModelError("folder", "it is damaged")


def test_error_of_ours_comes_back_as_it_was():
    pool = Pool(1, make_model_error, (), memory=4_000_000_000)
    pool.submit([("a", "x")])
    with pytest.raises(ModelError, match="'folder' cannot be loaded: it is damaged"):
        drain(pool)
    pool.close()


def test_errors_survive_the_way_between_processes():
    error = pickle.loads(pickle.dumps(InputError("a.txt", "empty", "it holds no text")))
    assert (str(error), error.code, error.path) == ("'a.txt' was not read: it holds no text; remove it from the inputs.", "empty", "a.txt")
