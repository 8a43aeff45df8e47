"""A run's folder: every input in, all tables out, and a ledger in between that makes a killed run go on where it stopped.

The reading thread fills the ledger from the files; the workers empty its list of texts; the folder's files are written from
it at the end, in an order of their own. So the same inputs give the same bytes, whatever the order, the workers and the kills.
"""

from __future__ import annotations

import hashlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from accordingto import __version__
from accordingto.article import STDIN, find_inputs
from accordingto.errors import IncompleteError, ModelError, OutputError, RunError
from accordingto.intake import Event, read_inputs
from accordingto.ledger import FILE, Ledger
from accordingto.output import Summary, write_outputs
from accordingto.pool import BATCH, Failure, Pool, WorkersDieError
from accordingto.reader.page import web_address
from accordingto.reading import make_read
from accordingto.run import Wanted, check_unreviewed
from accordingto.shipped import model_folder

RUN_FILE = "run.json"
FILTERED = ("unsupported_language",)  # refused on purpose, and not worth a retry
EVENTS = 256  # read items that wait to be put in the ledger
STOP_SECONDS = 5.0  # that a run which stops waits for its reading thread; a file that takes longer to read is left
COMMIT_SECONDS = 0.5  # a kill costs so much work at most; each commit waits for the disk
Progress = Callable[[int, int], None]  # texts read, texts known so far


@dataclass(frozen=True)
class RunOptions:
    """What decides a run's bytes; a run is not resumed with others."""

    formats: tuple[str, ...] = ("csv", "jsonl")
    guideline: str = "steady"
    wanted: Wanted = field(default_factory=Wanted)  # which claims go into the tables
    near_duplicates: bool = True
    text_column: str | None = None


def options_as_json(options: RunOptions) -> dict[str, Any]:
    """Return options as they are kept in the ledger and in `run.json`."""
    facts = asdict(options)
    wanted = facts.pop("wanted")
    labels = {name: sorted(values) for name, values in wanted["labels"].items() if values}
    return facts | wanted | {"labels": labels, "formats": list(options.formats)}


def options_from_json(facts: dict[str, Any]) -> RunOptions:
    """Return the options that `options_as_json` wrote."""
    own = dict(facts)
    labels = {name: frozenset(values) for name, values in own.pop("labels").items()}
    wanted = Wanted(own.pop("min_confidence"), own.pop("nested"), labels)
    return RunOptions(**own | {"formats": tuple(own["formats"])}, wanted=wanted)


def extract_run(names: Sequence[str], folder: Path, options: RunOptions, *, urls: Sequence[str] = (), model: Path | None, workers: int, memory: int, progress: Progress, overwrite: bool = False) -> Summary:
    """Read the articles behind `names` into a run's folder, or go on with it, and return the counts.

    overwrite: replace tables in which a reviewer wrote something. Raises OutputError where one did, RunError where the folder holds another run, IncompleteError where it can go on later.
    """
    for name in names:
        if name == STDIN or (Path(name).exists() and not (Path(name).is_file() or Path(name).is_dir())):
            raise RunError(folder, f"{'the standard input' if name == STDIN else repr(name)} cannot be read again after a stop", "write its text to a file, or the claims to a table")
    if not overwrite:
        _check_unreviewed(folder, options)
    ledger = open_run(folder, options, model)
    try:
        return _work(ledger, names, urls, options, model, workers, memory, progress)
    finally:
        ledger.close()


def _check_unreviewed(folder: Path, options: RunOptions) -> None:
    for format in options.formats:
        check_unreviewed(folder / f"claims.{format}")


def retry_run(folder: Path, *, workers: int, memory: int, progress: Progress, overwrite: bool = False) -> Summary:
    """Read a run's quarantine again, as the run was made, and return the counts."""
    ledger = _existing(folder)
    try:
        facts = ledger.facts()
        options = options_from_json(facts["options"])
        model = Path(facts["model_folder"]) if facts["model_folder"] else None
        check_same(folder, facts, _facts(options, model))
        if not overwrite:
            _check_unreviewed(folder, options)
        paths = ledger.problem_paths(FILTERED)
        _check_place(folder, facts.get("named_from", ""), paths)
        ledger.forget_problems(paths)
        urls = [p for p in paths if web_address(p)]
        return _work(ledger, [p for p in paths if p not in urls], urls, options, model, workers, memory, progress)
    finally:
        ledger.close()


def _check_place(folder: Path, named_from: str, paths: Sequence[str]) -> None:
    """Refuse to look for files from another place than they were named from; raises RunError."""
    here = str(Path.cwd())
    if named_from not in ("", here) and any(not web_address(p) and not Path(p).is_absolute() for p in paths):
        raise RunError(folder, f"its inputs were named from {named_from!r}, and this is {here!r}", "give the command there")


def open_run(folder: Path, options: RunOptions, model: Path | None) -> Ledger:
    """Return the ledger of a new run, or of one that was made with the same model and options; raises RunError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(folder, (error.strerror or str(error)).lower(), "choose another place") from error
    if not (folder / FILE).exists() and any(folder.iterdir()):
        raise RunError(folder, "the folder holds other files", "choose a new one")
    facts = _facts(options, model)
    ledger = Ledger(folder)
    try:
        known = ledger.facts()
        if known:
            check_same(folder, known, facts)
        else:
            ledger.set_facts(facts)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _existing(folder: Path) -> Ledger:
    """Return the ledger of a run that is there; raises RunError."""
    if not (folder / FILE).is_file():
        raise RunError(folder, "there is no run in it", "name a folder that `accordingto extract -o FOLDER` made")
    ledger = Ledger(folder)
    if not ledger.facts():
        ledger.close()
        raise RunError(folder, "its ledger is empty", "remove the folder and run again")
    return ledger


def _facts(options: RunOptions, model: Path | None) -> dict[str, Any]:
    """Return what a run is made with."""
    if options.near_duplicates:
        try:
            import datasketch  # noqa: F401
        except ImportError as error:
            raise OutputError("near-duplicates", "the package datasketch is missing", "pip install 'accordingto[runs]', or add --no-near-duplicates") from error
    return {"version": __version__, "model": digest_of_model(model), "model_folder": str(model.resolve()) if model else "", "options": options_as_json(options), "named_from": str(Path.cwd())}


def digest_of_model(model: Path | None) -> str:
    """Return the SHA-256 over the names and contents of a pipeline's files; raises ModelError."""
    folder = model or model_folder()
    if not (folder / "meta.json").is_file():
        raise ModelError(folder, "there is no meta.json in it")
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def check_same(folder: Path, known: dict[str, Any], facts: dict[str, Any]) -> None:
    """Refuse to go on with another version, model or options; raises RunError, naming each difference."""
    differences = [f"{name} was {known[name][:16]} and is {facts[name][:16]}" for name in ("version", "model") if known[name] != facts[name]]
    differences += [f"it was made with {_flags(name, known['options'].get(name))}, and this is {_flags(name, value)}" for name, value in facts["options"].items() if known["options"].get(name) != value]
    if differences:
        raise RunError(folder, "; ".join(differences), "give the options that it was made with, or choose a new folder")


def _flags(name: str, value: Any) -> str:
    """Return an option as one gives it on the command line."""
    if isinstance(value, dict):
        return " ".join(_flags(each, words) for each, words in value.items()) or "no --stance, --attribution-type or --framing"
    flag = f"--{name.removesuffix('s') if isinstance(value, list) else name.replace('_', '-')}"
    if isinstance(value, bool):
        return flag if value else f"--no-{flag[2:]}"
    if isinstance(value, list):
        return " ".join(f"{flag} {word}" for word in value)
    return f"no {flag}" if value is None else f"{flag} {value}"


def _work(ledger: Ledger, names: Sequence[str], urls: Sequence[str], options: RunOptions, model: Path | None, workers: int, memory: int, progress: Progress) -> Summary:
    """Read what is to be read, write the folder's files and return the counts; raises IncompleteError."""
    try:
        (ledger.folder / RUN_FILE).unlink(missing_ok=True)  # it is there only when all else is
        left_out = _read_all(ledger, names, urls, options, model, workers, memory, progress)
        return replace(write_outputs(ledger, options.formats, options.wanted, near_duplicates=options.near_duplicates, filtered=FILTERED), left_out=left_out)
    except (OSError, sqlite3.Error) as error:  # a full disk, mostly; SQLite has undone what it could not write
        raise IncompleteError(ledger.folder, getattr(error, "strerror", None) or str(error)) from error
    except OutputError as error:
        if isinstance(error.__cause__, OSError):  # the same, of a table
            raise IncompleteError(ledger.folder, str(error).rstrip(".")) from error
        raise


def _read_all(ledger: Ledger, names: Sequence[str], urls: Sequence[str], options: RunOptions, model: Path | None, workers: int, memory: int, progress: Progress) -> int:
    """Bring every input and every text of a run to its end; return how many files of other kinds the folders hold."""
    inputs = find_inputs(names)
    for problem in inputs.problems:
        ledger.start_file(problem.path)
        ledger.add_item(problem.path, 0, problem)
    events: queue.Queue[Event | Exception | None] = queue.Queue(EVENTS)
    stop = threading.Event()
    reader = threading.Thread(target=read_inputs, args=(sorted(map(str, inputs.paths)), sorted(set(urls)), ledger, options.text_column, events, stop), daemon=True)
    pool = Pool(workers, make_read, (model, options.guideline, options.near_duplicates), memory=memory)
    reader.start()
    try:
        _pump(ledger, pool, events, progress)
        for name in set(names) - {problem.path for problem in inputs.problems} - set(map(str, inputs.paths)):
            ledger.start_file(name)  # a folder or a pattern that held nothing once, and whose files have now been read
    except WorkersDieError as error:
        raise IncompleteError(ledger.folder, f"no worker lives long enough to read a text ({error}); see --worker-memory") from error
    finally:
        stop.set()
        reader.join(STOP_SECONDS)  # it may be starting a reading process, which would print its own error if we were gone in the middle of that
        pool.close()
        ledger.commit()
    return inputs.left_out


def _pump(ledger: Ledger, pool: Pool, events: queue.Queue[Event | Exception | None], progress: Progress) -> None:
    """Move items into the ledger, texts to the workers and claims into the ledger until there are no more."""
    reading, after, done, committed = True, 0, 0, time.monotonic()
    while True:
        reading = reading and _take_events(ledger, events)
        while pool.room > 0 and (texts := ledger.pending(after, BATCH)) and (len(texts) == BATCH or not reading):
            after = texts[-1][0]
            pool.submit([(sha256, text) for _, sha256, text in texts])
        for sha256, result in pool.collect(0.05):
            done += 1
            if isinstance(result, Failure):
                ledger.set_failed(sha256, result.code, result.why)
            else:
                ledger.set_claims(sha256, *result)
        if time.monotonic() - committed > COMMIT_SECONDS:
            ledger.commit()
            committed = time.monotonic()
            progress(done, done + ledger.count_pending())
        if not reading and pool.idle and not ledger.pending(after, 1):
            return


def _take_events(ledger: Ledger, events: queue.Queue[Event | Exception | None]) -> bool:
    """Put what the reading thread found into the ledger, so much at most that the workers do not wait; return whether more may come."""
    try:
        for _ in range(EVENTS):
            event = events.get_nowait()
            if event is None:
                return False
            if isinstance(event, Exception):
                raise event
            if event.number == 0:
                ledger.start_file(event.path)
            if event.item is None:
                ledger.end_file(event.path, event.sha256, event.number, event.original)
            else:
                ledger.add_item(event.path, event.number, event.item, event.sha256)
    except queue.Empty:
        pass
    return True
