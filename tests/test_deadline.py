import os
import subprocess
import sys
import time

import pytest

from accordingto.deadline import Deadline


def waited(code, seconds, *, nice=0):
    """Return how long a process that runs some code is waited for."""
    process = subprocess.Popen([sys.executable, "-c", f"import os; os.nice({nice}); print(flush=True)\n{code}"], stdout=subprocess.PIPE)
    process.stdout.readline()
    start, deadline = time.monotonic(), Deadline(process.pid, seconds)
    while not deadline.has_passed:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    return time.monotonic() - start


def test_process_that_sleeps_is_hung_when_its_time_is_over():
    assert 0.5 <= waited("import time; time.sleep(99)", 0.5) < 5


def test_process_that_computes_is_hung_when_it_has_used_its_time():
    assert waited("while True: pass", 0.5) >= 0.5


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="Linux tells")  # noqa: PTH112
def test_process_that_is_not_let_run_is_waited_for():
    """A stopped process uses nothing; one that wants to run and gets a twentieth of a core is not hung after a second."""
    crowd = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        assert waited("while True: pass", 0.4, nice=19) > 0.8
    finally:
        for process in crowd:
            process.kill()
            process.wait()


def test_process_that_is_gone_has_no_time():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    deadline = Deadline(process.pid, 0.1)
    time.sleep(0.2)
    assert deadline.has_passed
