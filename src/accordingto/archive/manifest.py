"""The manifest: what an archive is made of and with, fixed once; a line of facts, then a line a shard."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accordingto.archive.storage import Place

MANIFEST = "manifest.jsonl"
CLAIMS, LEDGER, SUCCESS = "claims", "ledger", "_SUCCESS.json"
DIGITS = 12  # of the digests in names: two of a billion shards share one with a chance of 1 in 500


@dataclass(frozen=True)
class Piece:
    """A stretch of an input: which bytes it takes, and which of the would-be articles in them.

    how: `whole` (the items from `first` on, `count` of them or all), `lines` (JSON lines of a stretch of bytes), `packed` (the same of a
    stretch of what is gzipped), `records` (of a WARC), `rows` (of Parquet), `problem` (nothing can be read).
    """

    path: str
    how: str
    sha256: str = ""  # over the bytes of the extents
    extents: tuple[tuple[int, int], ...] = ()  # bytes of the file
    stretch: tuple[int, int] = (0, 0)  # of `lines`, `packed` and `records`: bytes, unpacked
    first: int = 0  # items, lines or rows before it
    count: int | None = None
    items: int = 1  # would-be articles, as far as the planning could tell
    code: str = ""  # of a problem
    message: str = ""


@dataclass(frozen=True)
class Shard:
    """Pieces that are read together, into one file."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def items(self) -> int:
        """How many would-be articles the planning saw."""
        return sum(piece.items for piece in self.pieces)

    @property
    def digest(self) -> str:
        """What its name takes from its input."""
        return digest_of_json([asdict(piece) for piece in self.pieces])[:DIGITS]


@dataclass(frozen=True)
class Job:
    """A shard that is to be read, by its line in the manifest: so that a job is short whatever the shard holds."""

    number: int
    start: int
    end: int


def digest_of_json(value: Any) -> str:
    """Return the SHA-256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()


def stem_of(shard: Shard, pipeline: str) -> str:
    """Return the name of a shard's files without their ending: a function of what goes in, so that a repetition gives the same file."""
    return f"{shard.number:05}-{shard.digest}-{pipeline[:DIGITS]}"


def shards_of(pieces: Iterable[Piece], articles: int) -> Iterator[Shard]:
    """Yield pieces, in their order, as shards of so many articles at most; a piece alone may have more."""
    number, held, count = 0, list[Piece](), 0
    for piece in pieces:
        if held and count + piece.items > articles:
            yield Shard(number, tuple(held))
            number, held, count = number + 1, [], 0
        held.append(piece)
        count += piece.items
    if held:
        yield Shard(number, tuple(held))


def write_manifest(place: Place, facts: dict[str, Any], shards: Sequence[Shard]) -> None:
    """Write the manifest."""
    lines = [facts, *({"shard": s.number, "items": s.items, "pieces": [asdict(p) for p in s.pieces]} for s in shards)]
    place.write(MANIFEST, b"".join(json.dumps(line, sort_keys=True).encode("ascii") + b"\n" for line in lines))


def read_facts(place: Place) -> dict[str, Any]:
    """Return the facts of a manifest; raises OSError, ValueError."""
    return next(_lines(place))[2]


def read_shards(place: Place) -> Iterator[tuple[Job, Shard]]:
    """Yield the shards of a manifest; raises OSError, ValueError."""
    lines = _lines(place)
    next(lines)
    for start, end, line in lines:
        yield Job(line["shard"], start, end), _shard(line)


def read_shard(place: Place, job: Job) -> Shard:
    """Return one shard; raises OSError, ValueError."""
    return _shard(json.loads(place.read(MANIFEST, job.start, job.end)))


def _lines(place: Place) -> Iterator[tuple[int, int, dict[str, Any]]]:
    start = 0
    for line in place.read(MANIFEST).splitlines(keepends=True):
        yield start, start + len(line), json.loads(line)
        start += len(line)


def _shard(line: dict[str, Any]) -> Shard:
    return Shard(line["shard"], tuple(piece_from_json(p) for p in line["pieces"]))


def piece_from_json(fields: dict[str, Any]) -> Piece:
    """Return the piece that `asdict` and JSON made."""
    return Piece(**fields | {"extents": tuple((s, e) for s, e in fields["extents"]), "stretch": tuple(fields["stretch"])})
