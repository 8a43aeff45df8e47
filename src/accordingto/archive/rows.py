"""The way onward from an archive: its claims one by one, as a table has them."""

from __future__ import annotations

from collections.abc import Iterator

from accordingto.archive.facts import pipeline_of
from accordingto.archive.manifest import CLAIMS, read_facts, read_shards, stem_of
from accordingto.archive.nested import claims_of_row, rows_of_parquet
from accordingto.archive.storage import Place
from accordingto.errors import RunError
from accordingto.schema import Claim


def read_claims(folder: str) -> Iterator[Claim]:
    """Yield the claims of an archive in the order of its inputs, a shard in memory at a time; raises RunError where one is missing or damaged."""
    place = Place(folder)
    try:
        pipeline = pipeline_of(read_facts(place))
        for _, shard in read_shards(place):
            for row in rows_of_parquet(place.read(f"{CLAIMS}/claims-{stem_of(shard, pipeline)}.parquet")):
                yield from claims_of_row(row)
    except (OSError, ValueError, StopIteration) as error:
        raise RunError(folder, f"a part of the archive cannot be read ({error})", "give the command that made it again, or see `accordingto verify`") from error
