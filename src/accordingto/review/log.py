"""The log of decisions: one SQLite file in a run's folder that only grows, and that a kill at any moment leaves whole."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from accordingto.errors import RunError
from accordingto.review.decision import Decision, check_decision, check_logged

LOG_FILE = "decisions.sqlite"
IMPORT = "i_"  # what the batches of imports begin with: `undo` passes them over, they are taken back by a command of their own
LOG_VERSION = 1
WAIT_SECONDS = 10  # for another process that writes; one decision takes it milliseconds
CHUNK = 5_000  # rows that are read together
NAMES = tuple(f.name for f in fields(Decision))
_COLUMNS = ", ".join(NAMES)
_TABLES = (
    f"CREATE TABLE decisions (number INTEGER PRIMARY KEY, {', '.join(f'{name} TEXT NOT NULL' for name in NAMES)})",
    "CREATE UNIQUE INDEX by_id ON decisions (decision_id)",
    *(f"CREATE INDEX by_{name} ON decisions ({name})" for name in ("claim_id", "reviewer", "batch", "at")),
    *(f"CREATE TRIGGER no_{what} BEFORE {what} ON decisions BEGIN SELECT RAISE(ABORT, 'the log of decisions only grows'); END" for what in ("UPDATE", "DELETE")),
    "CREATE TRIGGER no_replacing BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE decision_id = NEW.decision_id OR number = NEW.number) BEGIN SELECT RAISE(IGNORE); END",
    f"PRAGMA user_version = {LOG_VERSION}",
)


class DecisionLog:
    """The decisions about a run's claims. Several processes and threads may hold it at once; each call is one transaction."""

    def __init__(self, folder: Path, *, create: bool = True, name: str | None = None) -> None:
        """Open the log of a run's folder; raises RunError where there is none and none is to be made, or where it cannot be used.

        name: of a log that lies elsewhere under another name.
        """
        self.path, self._folder, self._lock = folder / (name or LOG_FILE), folder, threading.RLock()
        if not create and not self.path.is_file():
            raise RunError(folder, "nobody has decided anything in it", "review it first, or import a reviewed table")
        with self._errors():
            self._db = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            with self._errors():
                if not create and not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'decisions'"):  # asked before anything is written: it may be another program's file
                    raise RunError(self.path, "there is no log of decisions in it", "name a run's folder, or its decisions.sqlite")
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # a decision that was answered survives a loss of power
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in _TABLES:
                self._db.execute(statement)
        self._db.execute("COMMIT")
        if version not in (0, LOG_VERSION):
            raise RunError(self._folder, f"its decisions are of version {version}, this program writes {LOG_VERSION}", "use the program that wrote them, or a newer one")

    def close(self) -> None:
        """Let the log go."""
        self._db.close()

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def append(self, decisions: Sequence[Decision]) -> int:
        """Write decisions as they are, all or none; those whose id is there are skipped. Return the number written; raises DecisionError.

        For decisions made elsewhere. What is decided now goes through `decide`, which gives ids and times.
        """
        for decision in decisions:
            check_logged(decision)
        with self._writing():
            return self._insert(decisions)

    def decide(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Write decisions that are made now, all or none, and return them with their ids and times.

        Each stands behind all that are there, also where the clock was set back. Raises DecisionError.
        """
        for decision in decisions:
            check_decision(decision)
        with self._writing():
            return self._decide(decisions)

    def read(self, after: int = 0) -> Iterator[tuple[int, Decision]]:
        """Yield the decisions behind a row number, with their own, in the order of the log."""
        while rows := self._rows(f"SELECT number, {_COLUMNS} FROM decisions WHERE number > ? ORDER BY number LIMIT {CHUNK}", after):  # noqa: S608  (names of ours)
            for number, *values in rows:
                yield number, Decision(*values)
            after = rows[-1][0]

    def of_claim(self, claim_id: str) -> list[Decision]:
        """Return the decisions about a claim, and the undos and redos of their batches: what its fold needs."""
        query = f"SELECT {_COLUMNS} FROM decisions WHERE claim_id = ?1 OR (claim_id = '' AND undoes IN (SELECT batch FROM decisions WHERE claim_id = ?1)) ORDER BY number"  # noqa: S608
        return [Decision(*values) for values in self._rows(query, claim_id)]

    def undo(self, reviewer: str, decision_id: str = "") -> str | None:
        """Take a reviewer's last batch back, and return it; None where there is none. Imports are passed over.

        decision_id: of the undo itself, where the caller has one for it.
        """
        return self._step(reviewer, "undo", decision_id)

    def redo(self, reviewer: str, decision_id: str = "") -> str | None:
        """Do a reviewer's batch again that was taken back last, unless something was decided since; return it, None where there is none."""
        return self._step(reviewer, "redo", decision_id)

    def undo_batch(self, batch: str, reviewer: str = "", kind: str = "undo") -> bool:
        """Take a batch back, or do it again (`redo`); return False where that is so already, or where there is no such batch."""
        with self._writing():
            undone = self._undone(batch)
            if undone is None or undone == (kind == "undo"):
                return False
            self._decide([Decision("", "", "", reviewer, kind, "", "", "", "", new_batch(), batch)])
            return True

    def last_batch(self, prefix: str) -> str | None:
        """Return the batch of a kind that was decided last and is not taken back; None where there is none."""
        batches = self._rows("SELECT batch FROM decisions WHERE batch >= ?1 AND substr(batch, 1, length(?1)) = ?1 GROUP BY batch ORDER BY MAX(at) DESC", prefix)
        return next((batch for (batch,) in batches if not self._undone(batch)), None)

    def _undone(self, batch: str) -> bool | None:
        """Return whether a batch is taken back, None where there is none."""
        if not self._rows("SELECT 1 FROM decisions WHERE batch = ? LIMIT 1", batch):
            return None
        last = self._rows("SELECT kind FROM decisions WHERE claim_id = '' AND undoes = ? ORDER BY at DESC, decision_id DESC LIMIT 1", batch)
        return bool(last) and last[0][0] == "undo"

    def _step(self, reviewer: str, kind: str, decision_id: str) -> str | None:
        with self._writing():
            done, undone = self._stacks(reviewer)
            stack = done if kind == "undo" else undone
            if not stack:
                return None
            self._decide([Decision(decision_id, "", "", reviewer, kind, "", "", "", "", new_batch(), stack[-1])])
            return stack[-1]

    def _stacks(self, reviewer: str) -> tuple[list[str], list[str]]:
        """Return a reviewer's batches that hold, and those that can be done again, the last one last in each."""
        done: list[str] = []
        undone: list[str] = []
        for kind, batch, undoes in self._rows("SELECT kind, batch, undoes FROM decisions WHERE reviewer = ? ORDER BY at, decision_id", reviewer):
            if kind == "undo" and undoes in done:
                done.remove(undoes)
                undone.append(undoes)
            elif kind == "redo" and undoes in undone:
                undone.remove(undoes)
                done.append(undoes)
            elif kind not in ("undo", "redo") and not batch.startswith(IMPORT) and (not done or done[-1] != batch):
                done.append(batch)
                undone.clear()
        return done, undone

    def _decide(self, decisions: Sequence[Decision]) -> list[Decision]:
        last = self._rows("SELECT MAX(at) FROM decisions")[0][0]
        now = datetime.now(UTC)
        start = max(now, datetime.fromisoformat(last) + timedelta(microseconds=1)) if last else now
        made = [replace(d, decision_id=d.decision_id or f"d_{secrets.token_hex(10)}", at=(start + timedelta(microseconds=i)).isoformat(timespec="microseconds")) for i, d in enumerate(decisions)]
        self._insert(made)
        return made

    def _insert(self, decisions: Sequence[Decision]) -> int:
        before = self._db.total_changes
        marks = ", ".join("?" * len(NAMES))
        self._db.executemany(f"INSERT INTO decisions ({_COLUMNS}) VALUES ({marks}) ON CONFLICT (decision_id) DO NOTHING", map(astuple, decisions))  # noqa: S608  (question marks)
        return self._db.total_changes - before

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the log alone for one transaction."""
        with self._lock, self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk ends it already
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock, self._errors():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say what SQLite says in our way."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise RunError(self._folder, f"its decisions cannot be read or written ({error})", "see that the folder may be written to, that the disk has room, and that no other program holds decisions.sqlite") from error
        except sqlite3.DatabaseError as error:
            raise RunError(self._folder, f"its decisions are damaged ({error})", "restore decisions.sqlite from a copy") from error


def new_batch() -> str:
    """Return a name for decisions that are made as one."""
    return f"b_{secrets.token_hex(10)}"
