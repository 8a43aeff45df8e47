"""A run: inputs in, one table out, and an account of what became of each input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice, takewhile
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from accordingto.article import find_inputs, read_articles
from accordingto.errors import InputError, OutputError, TableError
from accordingto.pool import Failure
from accordingto.reader.item import carries_columns
from accordingto.reading import Outcome, read_in_order
from accordingto.roster import RosterRow, roster_of
from accordingto.row import read_rows
from accordingto.schema import Claim, Problem, RunCounts
from accordingto.table import REVIEW_COLUMNS, check_roster, claim_from_json, json_of_claim, write_roster, write_table, writer_of
from accordingto.workbook import About

REVIEWED = (".csv", ".xlsx")  # endings of tables that a person can have written into
Progress = Callable[[int, int], None]  # articles done, articles in all


@dataclass(frozen=True)
class Wanted:
    """Which claims go into the table; an empty set of labels wants them all."""

    min_confidence: float = 0.0
    nested: bool = True
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by field: stance, attribution_type, framing

    def __call__(self, claim: Claim) -> bool:
        """Return whether a claim is wanted."""
        return claim.confidence >= self.min_confidence and (self.nested or claim.parent_id is None) and all(not values or getattr(claim, name) in values for name, values in self.labels.items())


def extract_table(
    names: Iterable[str], output: str, *, format: str | None, model: Path | None, guideline: str | None, workers: int, memory: int, wanted: Wanted, progress: Progress, speakers: Path | None = None,
    text_column: str | None = None, urls: Sequence[str] = (), overwrite: bool = False,
) -> RunCounts:  # fmt: skip
    """Write the claims of all articles behind `names` to a table, and their speakers to another where one is named; return the counts.

    What cannot be read is in the counts' problems and stops nothing; where nothing could be read, an old table stays as it was.
    overwrite: replace a table in which a reviewer wrote something. Raises ModelError, OutputError.
    """
    if output != "-":
        writer_of(Path(output), format)  # refuse a wrong ending before the model has worked for an hour
        if not overwrite:
            check_unreviewed(Path(output))
    if speakers is not None:
        check_roster(speakers)
    inputs = find_inputs(names)
    counts = RunCounts(problems=list(inputs.problems), left_out=inputs.left_out)
    if inputs.paths or urls:
        articles = read_articles(inputs.paths, counts.problems, text_column=text_column, urls=urls)
        places: dict[str, str] = {}
        rosters: list[RosterRow] = []
        outcomes = read_in_order(articles, model=model, guideline=guideline, workers=workers, memory=memory)
        kept = (_kept(claims, wanted, rosters if speakers is not None else None) for claims in _claims(outcomes, counts, places, len(inputs.paths) + len(urls), progress))
        rows: Iterator[Claim] = (claim for claims in kept for claim in claims)
        with TemporaryFile() as spool:
            rows, src = _carry_columns(rows, spool) if any(carries_columns(str(p)) for p in (*inputs.paths, *urls)) else (rows, set())
            first = list(islice(rows, 1))  # where there is none, all was read
            if counts.articles or output == "-":
                counts.claims = write_table(chain(first, rows), output, format, sorted(src), _about(counts, places, output))
        if speakers is not None and counts.articles:
            write_roster(rosters, speakers)
    return counts


def check_unreviewed(table: Path) -> None:
    """Raise OutputError where a table, or a workbook that goes on from it, holds what a reviewer wrote, which a new one would lose."""
    further = (table.with_name(f"{table.stem}-{number}{table.suffix}") for number in count(2))
    for path in (table, *takewhile(Path.is_file, further)):
        if path.suffix.lower() in REVIEWED and path.is_file() and _is_reviewed(path):
            raise OutputError(path, "a reviewer has written into the table that stands there", "give another name, or --overwrite to lose what was written")


def _is_reviewed(path: Path) -> bool:
    try:
        return any(row[name].strip() for row in read_rows(path) for name in REVIEW_COLUMNS)
    except TableError:  # no table of claims, or a damaged one, which nobody can have reviewed
        return False


def _carry_columns(claims: Iterable[Claim], spool: IO[bytes]) -> tuple[Iterator[Claim], set[str]]:
    """Return claims and the columns that their inputs carry, which a table must know before its first row."""
    src: set[str] = set()
    for claim in claims:
        src |= claim.src.keys()
        spool.write(json_of_claim(claim) + b"\n")
    spool.seek(0)
    return map(claim_from_json, spool), src


def _kept(claims: Sequence[Claim], wanted: Wanted, rosters: list[RosterRow] | None) -> list[Claim]:
    """Return the wanted claims of an article, and add their speakers to the rosters."""
    kept = [claim for claim in claims if wanted(claim)]
    if rosters is not None:
        rosters += roster_of(kept)
    return kept


def _about(counts: RunCounts, places: Mapping[str, str], output: str) -> About:
    """Return what a workbook says of its making."""
    return About({}, lambda: [(" ".join(filter(None, (p.path, p.locator))), p.message) for p in counts.problems], places, Path(output).parent)


def _claims(outcomes: Iterable[Outcome], counts: RunCounts, places: dict[str, str], total: int, progress: Progress) -> Iterator[list[Claim]]:
    """Yield the claims of each article, count them and note its file; an article that could not be read becomes a problem."""
    for article, found in outcomes:
        if isinstance(found, Failure):
            counts.problems.append(Problem(article.path, found.code, str(InputError(article.path, found.code, found.why)), article.locator))
        else:
            counts.articles += 1
            if article.path and not article.locator and Path(article.path).is_file():
                places[article.article_id] = article.path
            counts.without_claims += not found
            yield found
        progress(counts.articles + len(counts.problems), total)
