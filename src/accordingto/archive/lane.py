"""Lanes: workers of an archive, in whatever process an engine starts them: a job in, what came of it out, both as JSON."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accordingto.archive.facts import differences
from accordingto.archive.manifest import CLAIMS, LEDGER, Job, read_shard, stem_of
from accordingto.archive.shard import Changed, Hands, Setup, process_shard
from accordingto.archive.storage import Place
from accordingto.errors import AccordingToError, RunError
from accordingto.pool import WorkersDieError

Answer = dict[str, Any]


class Lane:
    """One worker; its processes are started when they are needed."""

    def __init__(self, setup: Setup) -> None:
        self._hands, self._place, self._setup, self._checked = Hands(setup), Place(setup.out), setup, False

    def do(self, job: str) -> str:
        """Do a job; what stops it becomes an answer that says so, with `again` where the same command may go on later."""
        task = json.loads(job)
        try:
            self._check()
            return json.dumps({"pieces": [asdict(p) for p in self._hands.plan(task["plan"])]} if "plan" in task else self._read(Job(**task)))
        except (OSError, Changed, MemoryError) as error:
            answer = {"error": str(error) or type(error).__name__, "again": True}
        except WorkersDieError as error:
            answer = {"error": f"no worker lives long enough to read a text ({error}); see --worker-memory", "again": True}
        except AccordingToError as error:
            answer = {"error": str(error), "again": isinstance(error.__cause__, OSError)}  # a full disk, mostly
        self._hands.close()  # texts of the shard that failed may be under way in them
        self._hands = Hands(self._setup)
        return json.dumps(answer)

    def _check(self) -> None:
        """Refuse to work with other versions than the command that planned; raises RunError."""
        if not self._checked:
            found = differences(self._setup.facts, Path(self._setup.model) if self._setup.model else None)
            if found:
                raise RunError(self._setup.out, f"a worker on {platform.node()} differs: {'; '.join(found)}", "install the same on every machine")
            self._checked = True

    def _read(self, job: Job) -> Answer:
        """Read a shard, write its file and then its row of the ledger, which is the answer."""
        shard = read_shard(self._place, job)
        data, counts = process_shard(shard, self._hands)
        return write_shard(self._place, stem_of(shard, self._setup.pipeline), shard.number, data, counts)

    def close(self) -> None:
        """End the processes."""
        self._hands.close()


def write_shard(place: Place, stem: str, number: int, data: bytes, counts: dict[str, Any]) -> Answer:
    """Write a shard's file and then its row of the ledger, which makes it count; return the row."""
    row = {"shard": number, "file": f"claims-{stem}.parquet", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "counts": counts}
    place.write(f"{CLAIMS}/{row['file']}", data)
    place.write(f"{LEDGER}/{stem}.json", json.dumps(row, sort_keys=True).encode("ascii") + b"\n")
    return row
