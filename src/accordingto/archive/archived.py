"""An archive, from inputs to `_SUCCESS.json`: planned once, read by shards, resumed by the same command.

Nothing is kept but files that appear whole: the manifest, then for each shard its Parquet file and after it its row of the ledger.
So whatever dies, and whenever, what is missing is told by what is there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from accordingto.archive.engine import Engine, Here
from accordingto.archive.facts import ArchiveOptions, facts_of, pipeline_of
from accordingto.archive.manifest import CLAIMS, LEDGER, MANIFEST, SUCCESS, Piece, digest_of_json, piece_from_json, read_facts, read_shards, shards_of, stem_of, write_manifest
from accordingto.archive.nested import row_schema
from accordingto.archive.shard import Setup
from accordingto.archive.storage import Place, check_name, find_files, is_remote, local_path
from accordingto.article import STDIN
from accordingto.errors import AccordingToError, IncompleteError, OutputError, RunError
from accordingto.folder import Progress, check_same
from accordingto.output import Summary

PLANNED_HERE, PLANNED_BYTES = 1_000, 500_000_000  # inputs, and their bytes, that this process plans itself: some ten seconds


def extract_archive(names: Sequence[str], out: str, options: ArchiveOptions, *, model: Path | None, memory: int, engine: Callable[[Setup], Engine], progress: Progress) -> Summary:
    """Read the articles behind `names` into an archive, or go on with it, and return the counts.

    engine: gives the workers. Raises RunError where the folder holds something else, IncompleteError where the same command can go on.
    """
    for name in (*names, out):
        check_name(name)
        if name == STDIN:
            raise RunError(out, "the standard input cannot be read again after a stop", "write its text to a file")
    row_schema()  # pyarrow is there
    place = Place(out if is_remote(out) else str(local_path(out).absolute()))
    try:
        inputs, found = find_files(names)
        sizes = {path: size for path, size in found.items() if not _is_below(path, place.root)}  # what the archive itself holds is no input
        facts = facts_of(options, model, _digest_of_inputs(sizes | {problem.path: -1 for problem in inputs.problems}))
        setup = _setup(place, options, model, memory, facts)
        known = _known_facts(place, out)
        if known is not None:
            _check_same(out, known, facts)
        hands = engine(setup)
        try:
            if known is None:
                problems = [Piece(p.path, "problem", code=p.code, message=p.message) for p in inputs.problems]
                much = len(sizes) > PLANNED_HERE or sum(sizes.values()) > PLANNED_BYTES  # else starting the workers for it takes longer, Ray's above all
                pieces = _planned(sorted(sizes), hands if much else Here(setup), out) + problems
                write_manifest(place, facts, list(shards_of(sorted(pieces, key=lambda p: p.path), options.shard_articles)))
                _check_same(out, read_facts(place), facts)  # another command may have begun beside this one
            rows = _read_all(place, setup, hands, progress)
        finally:
            hands.close()
        return replace(finish(place, facts, rows), left_out=inputs.left_out)
    except OSError as error:
        raise IncompleteError(out, getattr(error, "strerror", None) or str(error)) from error
    except OutputError as error:
        if isinstance(error.__cause__, OSError):
            raise IncompleteError(out, str(error).rstrip(".")) from error
        raise


def _is_below(path: str, root: str) -> bool:
    """Return whether a file lies in a folder, on the same storage."""
    return (path if is_remote(path) else str(local_path(path).absolute())).startswith(f"{root.rstrip('/')}/")


def _setup(place: Place, options: ArchiveOptions, model: Path | None, memory: int, facts: dict[str, Any]) -> Setup:
    return Setup(place.root, str(model.resolve()) if model else None, options.guideline, options.wanted, options.text_column, options.shard_articles, memory, str(Path.cwd()), pipeline_of(facts), facts)


def _digest_of_inputs(sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return what tells one set of inputs from another without reading them: names and sizes."""
    return {"files": len(sizes), "sha256": digest_of_json(sorted(sizes.items()))}


def _known_facts(place: Place, out: str) -> dict[str, Any] | None:
    """Return the facts of the archive that is there, None where there is none; raises RunError."""
    try:
        if place.has(MANIFEST):
            return read_facts(place)
    except (ValueError, StopIteration) as error:
        raise RunError(out, "its manifest is damaged", "remove the folder and run again") from error
    if place.sizes():
        raise RunError(out, "the folder holds other files", "choose a new one")
    return None


def _check_same(out: str, known: dict[str, Any], facts: dict[str, Any]) -> None:
    """Refuse to go on with another version, model, options, libraries or inputs; raises RunError, naming the difference."""
    check_same(Path(out), known, facts)
    for name in sorted(known["libraries"].keys() | facts["libraries"].keys()):
        before, now = known["libraries"].get(name, "not installed"), facts["libraries"].get(name, "not installed")
        if before != now:
            raise RunError(out, f"{name} was {before} and is {now}", "install what it was made with, or choose a new folder")
    if known["inputs"] != facts["inputs"]:
        counts = f"{known['inputs']['files']:,} files and are {facts['inputs']['files']:,}" if known["inputs"]["files"] != facts["inputs"]["files"] else "files of other names or sizes"
        raise RunError(out, f"its inputs were {counts}", "give the inputs that it was made of, or choose a new folder")


def _planned(paths: Sequence[str], engine: Engine, out: str) -> list[Piece]:
    """Return all inputs as pieces; raises IncompleteError."""
    pieces: list[Piece] = []
    with closing(engine.run([json.dumps({"plan": path}) for path in paths])) as answers:
        for answer in answers:
            pieces += [piece_from_json(p) for p in _good(json.loads(answer), out)["pieces"]]
    return sorted(pieces, key=lambda p: (p.path, p.stretch, p.first))


def _good(answer: dict[str, Any], out: str) -> dict[str, Any]:
    """Return an answer that is none of an error; raises what it says otherwise."""
    if "error" not in answer:
        return answer
    if answer["again"]:
        raise IncompleteError(out, answer["error"])
    raise AccordingToError(answer["error"])


def _read_all(place: Place, setup: Setup, engine: Engine, progress: Progress) -> list[dict[str, Any]]:
    """Bring every shard to its end and return the ledger; raises IncompleteError."""
    rows, jobs, total, done = [], list[str](), 0, 0
    kept, files = read_ledger(place), place.sizes(CLAIMS)
    for job, shard in read_shards(place):
        total += shard.items
        row = kept.get(stem_of(shard, setup.pipeline))
        if row is not None and files.get(row["file"]) == row["bytes"]:
            rows.append(row)
            done += shard.items
        else:
            jobs.append(json.dumps(asdict(job)))
    if jobs:
        place.remove(SUCCESS)
    progress(done, total)
    for answer in engine.run(jobs):
        rows.append(_good(json.loads(answer), setup.out))
        done += rows[-1]["counts"]["inputs"]
        progress(min(done, total), total)
    return sorted(rows, key=lambda row: row["shard"])


def read_ledger(place: Place) -> dict[str, dict[str, Any]]:
    """Return the rows of the ledger by their shards' stems; a row that is damaged counts as none."""
    rows = {}
    for name in sorted(place.sizes(LEDGER)):
        try:
            if name.endswith(".json"):
                rows[name.removesuffix(".json")] = json.loads(place.read(f"{LEDGER}/{name}"))
        except ValueError:
            continue
    return rows


def finish(place: Place, facts: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Summary:
    """Write `_SUCCESS.json`, which is there only when all else is, and return the counts."""
    summary = summed(rows)
    shards = list(read_shards(place))
    counts = {name: value for name, value in vars(summary).items() if name not in ("left_out", "duplicates", "near_duplicates")}
    report = {**facts, "counts": counts, "planned": sum(shard.items for _, shard in shards), "shards": len(shards), "bytes": sum(row["bytes"] for row in rows), "ledger_sha256": digest_of_json(list(rows))}
    if len(rows) == len(shards):
        place.write(SUCCESS, json.dumps(report, indent=1, sort_keys=True).encode("ascii") + b"\n")
    return summary


def summed(rows: Iterable[dict[str, Any]]) -> Summary:
    """Return the counts of all shards together."""
    numbers: Counter[str] = Counter()
    refused: dict[str, Counter[str]] = {"filtered": Counter(), "quarantined": Counter()}
    for row in rows:
        numbers.update({name: count for name, count in row["counts"].items() if name not in refused})
        for name, codes in refused.items():
            codes.update(row["counts"][name])
    by_code = {name: dict(sorted(codes.items())) for name, codes in refused.items()}
    return Summary(filtered=by_code["filtered"], quarantined=by_code["quarantined"], **{name: numbers[name] for name in ("inputs", "extracted", "without_claims", "claims")})
