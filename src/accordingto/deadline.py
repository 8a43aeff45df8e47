"""Deadlines of processes, which tell one that hangs from one that a busy machine does not let run."""

from __future__ import annotations

import os
import time
from pathlib import Path

STARVED = 20  # times the deadline that a process which wants to run is waited for


class Deadline:
    """When a process counts as hung: some seconds after it was given work, unless it wants to run and was given less than so much of a core.

    Where the system does not tell, seconds on the clock decide.
    """

    def __init__(self, pid: int, seconds: float) -> None:
        self.pid, self.seconds = pid, seconds
        self._start, self._used = time.monotonic(), _usage(pid)[1]

    @property
    def has_passed(self) -> bool:
        """Whether the process counts as hung now."""
        waited = time.monotonic() - self._start
        if waited < self.seconds:
            return False
        wants_to_run, used = _usage(self.pid)
        return not wants_to_run or used - self._used >= self.seconds or waited >= STARVED * self.seconds


def _usage(pid: int) -> tuple[bool, float]:
    """Return whether any thread of a process wants to run or waits for the disk, and the seconds of a core that it has used; from Linux's /proc."""
    try:
        threads = [(task / "stat").read_text().rsplit(")", 1)[1].split() for task in Path(f"/proc/{pid}/task").iterdir()]
        whole = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return False, 0.0
    return any(fields[0] in "RD" for fields in threads), (int(whole[11]) + int(whole[12])) / os.sysconf("SC_CLK_TCK")
