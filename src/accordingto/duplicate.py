"""Near-duplicates: the same wire story in ten papers, told by MinHash (Broder 1997) over runs of words, with the library datasketch."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import numpy as np

WORDS = 5  # of a run; shorter ones are shared by articles that only treat of the same thing
PERMUTATIONS = 128  # the estimate's standard error is 0.04
SAME = 0.5  # share of runs in common, by estimate: of PolNeAR's articles four pairs are above it, all the same story; all other pairs are below 0.12
BANDS = 32  # of 4 hashes each: two articles that share 0.5 meet in some band with a chance of 0.87, at 0.6 of 0.99


def signature_of(text: str) -> bytes:
    """Return the MinHash of a text: 128 hashes of 4 bytes."""
    from datasketch import MinHash

    words = re.findall(r"\w+", text.lower())
    runs = {" ".join(words[i : i + WORDS]) for i in range(max(1, len(words) - WORDS + 1))}
    minhash = MinHash(num_perm=PERMUTATIONS, seed=1)
    minhash.update_batch([run.encode("utf-8") for run in sorted(runs)])
    return np.asarray(minhash.hashvalues, np.uint32).tobytes()


def similarity(one: bytes, other: bytes) -> float:
    """Return the estimated share of runs that two texts have in common (Jaccard)."""
    return float(np.mean(np.frombuffer(one, np.uint32) == np.frombuffer(other, np.uint32)))


class NearDuplicates:
    """The first articles of their kind so far, in a table on the disk; each new one is compared with those that share a band."""

    def __init__(self, scratch: sqlite3.Connection, signature: Callable[[str], bytes]) -> None:
        self._db, self._signature = scratch, signature
        scratch.execute("CREATE TABLE bands (band BLOB, text TEXT, article TEXT, PRIMARY KEY (band, text)) WITHOUT ROWID")
        scratch.execute("BEGIN")

    def original_of(self, text: str, article_id: str) -> str:
        """Return the id of the earlier article that this one repeats for the most part; empty where there is none."""
        signature = self._signature(text)
        if not signature:
            return ""
        bands = [bytes([i]) + band.tobytes() for i, band in enumerate(np.array_split(np.frombuffer(signature, np.uint32), BANDS))]
        marks = ",".join("?" * len(bands))
        found = self._db.execute(f"SELECT DISTINCT text, article FROM bands WHERE band IN ({marks})", bands).fetchall()  # noqa: S608  (question marks)
        best = max(((similarity(signature, self._signature(other)), name) for other, name in sorted(found)), default=(0.0, ""))
        if best[0] >= SAME:
            return best[1]
        self._db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?, ?)", [(band, text, article_id) for band in bands])
        return ""
