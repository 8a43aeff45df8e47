"""Reviewed tables: a run's claims as CSV or XLSX with what was decided about them, as `extract` writes claims and `import` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from accordingto.errors import OutputError
from accordingto.review.decision import ClaimState
from accordingto.review.rows import reviewed_rows
from accordingto.review.runs import ReviewRun
from accordingto.review.sheet import same
from accordingto.row import READERS
from accordingto.schema import Claim
from accordingto.table import COLUMNS, flatten_claim, further_files, write_table
from accordingto.workbook import About


def write_reviewed(run: ReviewRun, states: Mapping[str, ClaimState], path: Path, format: str) -> int:
    """Write all claims of a run with their decisions, and return their number.

    Raises OutputError where the table, read again, does not hold what was given; the place is then as it was.
    """
    src = sorted({name for article_id in run.articles.with_claims for name in run.articles[article_id]["src"]})
    about = About({"digest of the model": str(run.facts["model"]), "options": json.dumps(run.facts["options"], sort_keys=True)}, folder=path.parent)
    try:
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            count = write_table(reviewed_rows(run, states), Path(folder) / path.name, format, src, about)
            places = [path, *further_files(path, format, count)]
            written = [Path(folder) / place.name for place in places]
            check_rows(path, reviewed_rows(run, states), written, format)
            for made, place in zip(written, places, strict=True):
                made.replace(place)
    except OSError as error:
        raise OutputError(path, (error.strerror or str(error)).lower(), "check that the folder exists and may be written to") from error
    return count


def check_rows(path: Path, expected: Iterable[Claim], written: Iterable[Path], format: str) -> None:
    """Raise OutputError where a table does not hold these claims, each cell, in their order."""
    found = (row for made in written for _, row in READERS[f".{format}"](made))
    for number, (claim, row) in enumerate(zip_longest(expected, found), 1):
        own = flatten_claim(claim) if claim else {}
        wrong = [name for name in COLUMNS if claim is None or row is None or not same(name, row.get(name, ""), "" if own[name] is None else str(own[name]))]
        if wrong:
            raise OutputError(path, f"read again, its claim {number} has another {wrong[0]}", "report this with the run: it is an error of the program")
