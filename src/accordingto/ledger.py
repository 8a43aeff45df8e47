"""The ledger of a run: what was read, what became of it, and what is still to do, in one SQLite file that survives a kill at any moment.

files   a file that was read to its end, with its digest
items   what each file holds: an article (whose text stands in `texts`) or a problem
texts   each text once, by its digest, with its claims when the model has read it
originals   pages of the web of which something could not be read, as they came: they may be gone tomorrow
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from accordingto.errors import IncompleteError, RunError
from accordingto.schema import Article, Problem, WebPage

FILE, HOLDER = "ledger.sqlite", ".holder"
FETCHED = "fetched"  # a page's, in the place of a file's digest: it may be another page tomorrow
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, items INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (path TEXT, number INTEGER, locator TEXT, text TEXT, article TEXT, code TEXT, message TEXT, PRIMARY KEY (path, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_of_text ON items (text);
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, sha256 TEXT UNIQUE, text BLOB, state TEXT, claims BLOB, count INTEGER, signature BLOB, code TEXT, message TEXT);
CREATE TABLE IF NOT EXISTS originals (path TEXT PRIMARY KEY, found_at TEXT NOT NULL, ending TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS texts_to_do ON texts (id) WHERE state = 'pending';
"""


@dataclass(frozen=True)
class Entry:
    """An item of a run with what became of it: an article with its claims, or a problem."""

    path: str
    number: int
    locator: str
    article: Article | None  # without its text; None for a problem
    text: str  # digest
    count: int  # claims
    code: str | None
    message: str | None
    stage: str  # `read` or `model`: where a problem arose


class Ledger:
    """The ledger of one run, held by one process at a time that writes; many may read one that nobody writes."""

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        """Open the ledger of a run's folder, or make one; raises RunError where another process holds it, IncompleteError where the disk is full.

        shared: only read, beside others that do.
        """
        self.folder, self._shared = folder, shared
        self._lock = threading.RLock()  # the reading thread asks which files are done
        self._db = sqlite3.connect(folder / FILE, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            if shared:
                self._db.execute("PRAGMA query_only = ON")
                self._db.execute("SELECT 1 FROM facts LIMIT 1")
                return
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # the system's own lock: gone with the process, however it ends
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("BEGIN EXCLUSIVE")
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error):
                raise RunError(folder, f"another process works on it ({_holder(folder)})", "wait until it is done") from error
            raise IncompleteError(folder, f"its ledger cannot be written to ({error})") from error
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise RunError(folder, f"its ledger is damaged ({error})", "remove the folder and run again") from error
        (folder / HOLDER).write_text(f"process {os.getpid()}", encoding="utf-8")

    def close(self) -> None:
        """Let the ledger go."""
        if not self._shared:
            (self.folder / HOLDER).unlink(missing_ok=True)
        self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def begin(self) -> None:
        """Begin a transaction unless one is open."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN")

    def commit(self) -> None:
        """Make what was written last."""
        with self._lock:
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def facts(self) -> dict[str, Any]:
        """Return what the run was made with; empty for a new run."""
        return {key: json.loads(value) for key, value in self._rows("SELECT key, value FROM facts")}

    def set_facts(self, facts: Mapping[str, Any]) -> None:
        """Keep what the run is made with."""
        with self._lock:
            self._db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", [(k, json.dumps(v)) for k, v in facts.items()])

    def is_done(self, path: str, sha256: str) -> bool:
        """Return whether a file was read to its end and has not changed since."""
        return bool(self._rows("SELECT 1 FROM files WHERE path = ? AND sha256 = ?", path, sha256))

    def start_file(self, path: str) -> None:
        """Forget what is known of a file: it is read from its beginning."""
        with self._lock:
            self.begin()
            self._db.execute("DELETE FROM items WHERE path = ?", (path,))
            self._db.execute("DELETE FROM files WHERE path = ?", (path,))

    def add_item(self, path: str, number: int, outcome: Article | Problem, sha256: str = "") -> None:
        """Keep an item; sha256: of its text. A text that is new is to be read by the model."""
        with self._lock:
            self.begin()
            if isinstance(outcome, Problem):
                self._db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, NULL, NULL, ?, ?)", (path, number, outcome.locator, outcome.code, outcome.message))
                return
            facts = {k: v for k, v in vars(outcome).items() if k not in ("text", "path", "locator")} | {"src": dict(outcome.src)}
            self._db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, NULL, NULL)", (path, number, outcome.locator, sha256, json.dumps(facts, sort_keys=True)))
            packed = zlib.compress(outcome.text.encode("utf-8"), 1)
            self._db.execute("INSERT OR IGNORE INTO texts (sha256, text, state) VALUES (?, ?, 'pending')", (sha256, packed))

    def end_file(self, path: str, sha256: str, items: int, original: WebPage | None = None) -> None:
        """Keep that a file or page was read to its end, and the page where something in it could not be read."""
        with self._lock:
            self.begin()
            self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (path, sha256, items))
            self._db.execute("DELETE FROM originals WHERE path = ?", (path,))
            if original is not None:
                self._db.execute("INSERT INTO originals VALUES (?, ?, ?, ?)", (path, original.found_at, original.ending, zlib.compress(original.data, 1)))

    def original(self, path: str) -> WebPage | None:
        """Return a page of the web that was kept."""
        rows = self._rows("SELECT found_at, ending, data FROM originals WHERE path = ?", path)
        return WebPage(path, rows[0][0], rows[0][1], zlib.decompress(rows[0][2])) if rows else None

    def originals(self) -> list[str]:
        """Return which pages of the web were kept, in the order of their addresses."""
        return [path for (path,) in self._rows("SELECT path FROM originals ORDER BY path")]

    def pending(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        """Return id, digest and text of texts that the model has to read, with ids above `after`."""
        rows = self._rows("SELECT id, sha256, text FROM texts WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?", after, limit)
        return [(number, sha256, zlib.decompress(text).decode("utf-8")) for number, sha256, text in rows]

    def set_claims(self, sha256: str, claims: bytes, count: int, signature: bytes) -> None:
        """Keep the claims of a text, as JSON lines, and its MinHash."""
        with self._lock:
            self.begin()
            self._db.execute("UPDATE texts SET state = 'read', claims = ?, count = ?, signature = ?, code = NULL, message = NULL WHERE sha256 = ?", (zlib.compress(claims, 1), count, signature, sha256))

    def set_failed(self, sha256: str, code: str, message: str) -> None:
        """Keep that the model could not read a text."""
        with self._lock:
            self.begin()
            self._db.execute("UPDATE texts SET state = 'failed', code = ?, message = ? WHERE sha256 = ?", (code, message, sha256))

    def problem_paths(self, kept: Sequence[str]) -> list[str]:
        """Return the files and pages with problems whose codes are not in `kept`."""
        marks = ",".join("?" * len(kept))
        return [p for (p,) in self._rows(f"SELECT DISTINCT path FROM items WHERE code IS NOT NULL AND code NOT IN ({marks}) ORDER BY path", *kept)]  # noqa: S608  (question marks)

    def forget_problems(self, paths: Iterable[str]) -> None:
        """Take up the quarantine again: failed texts become pending, and files and pages are to be read."""
        with self._lock:
            self.begin()
            self._db.execute("UPDATE texts SET state = 'pending' WHERE state = 'failed'")
            self._db.executemany("DELETE FROM files WHERE path = ?", [(p,) for p in paths])
            self.commit()

    def entries(self) -> Iterator[Entry]:
        """Yield all items by path and number, whatever the order in which they came."""
        query = "SELECT i.path, i.number, i.locator, i.text, i.article, i.code, i.message, t.count, t.code, t.message FROM items i LEFT JOIN texts t ON t.sha256 = i.text ORDER BY i.path, i.number"
        for path, number, locator, text, article, code, message, count, text_code, text_message in self._db.execute(query):
            facts = json.loads(article) if article else None
            known = Article(text="", path=path, locator=locator, **facts | {"authors": tuple(facts["authors"])}) if facts else None
            yield Entry(path, number, locator, known, text or "", count or 0, code or text_code, message or text_message, "read" if code else "model")

    def text(self, sha256: str) -> str:
        """Return a text by its digest."""
        ((packed,),) = self._rows("SELECT text FROM texts WHERE sha256 = ?", sha256)
        return zlib.decompress(packed).decode("utf-8")

    def claims(self, sha256: str) -> list[bytes]:
        """Return the claims of a text as JSON lines."""
        ((packed,),) = self._rows("SELECT claims FROM texts WHERE sha256 = ?", sha256)
        return zlib.decompress(packed).splitlines() if packed else []

    def signature(self, sha256: str) -> bytes:
        """Return the MinHash of a text; empty where none was made."""
        ((signature,),) = self._rows("SELECT signature FROM texts WHERE sha256 = ?", sha256)
        return signature or b""

    def count_pending(self) -> int:
        """Return how many texts the model has still to read."""
        return int(self._rows("SELECT COUNT(*) FROM texts WHERE state = 'pending'")[0][0])

    def damage(self) -> str | None:
        """Return what SQLite finds wrong with the ledger, None where it is whole."""
        answer = str(self._rows("PRAGMA integrity_check")[0][0])
        return None if answer == "ok" else answer

    def file_digest(self, path: str) -> str | None:
        """Return the digest of a file that was read; None for pages of the web, and for what could not be opened or changed meanwhile."""
        rows = self._rows("SELECT sha256 FROM files WHERE path = ? AND sha256 NOT IN ('', ?)", path, FETCHED)
        return rows[0][0] if rows else None

    def scratch(self) -> sqlite3.Connection:
        """Return an empty database on the disk that is gone when it is closed; for tables that would fill the memory."""
        return sqlite3.connect("", isolation_level=None)

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()


def _holder(folder: Path) -> str:
    """Return who holds a ledger."""
    try:
        return (folder / HOLDER).read_text(encoding="utf-8")
    except OSError:
        return "which one is not known"
