"""Outcomes: what a command that reads articles says at its end, and the exit code that says it to a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from accordingto.say import many, say

if TYPE_CHECKING:
    from accordingto.output import Summary
    from accordingto.schema import RunCounts

EXIT_FATAL, EXIT_SOME_FAILED, EXIT_INCOMPLETE, EXIT_INTERRUPTED = 1, 3, 4, 130


def tell_table(counts: RunCounts, output: str, as_json: bool) -> None:
    """Print what became of a table's inputs, and leave with the exit code that says so."""
    if as_json and output != "-":
        typer.echo(json.dumps(vars(counts) | {"problems": [vars(problem) for problem in counts.problems]}))
    for problem in counts.problems:
        say(problem.message)
    left_out = f", {many(counts.left_out, 'other file')} in the folders left out" if counts.left_out else ""
    _name_further(Path(output), counts.claims)
    if counts.articles or output == "-":
        say(f"{many(counts.claims, 'claim')} from {many(counts.articles, 'article')} ({counts.without_claims} without claims), {many(len(counts.problems), 'input')} not read{left_out} -> {output}")
    else:
        say(_unwritten(Path(output), len(counts.problems)))
    if counts.problems:
        raise typer.Exit(EXIT_SOME_FAILED if counts.articles else EXIT_FATAL)


def _unwritten(table: Path, problems: int) -> str:
    return f"nothing could be read, {many(problems, 'input')} not read; {table} {'stays as it was' if table.exists() else 'was not written'}"


def _name_further(table: Path, claims: int) -> None:
    """Say which workbooks go on where a sheet was full."""
    from accordingto.table import further_files

    further = [path for path in further_files(table, "xlsx", claims) if path.is_file()]
    if further:
        say(f"a sheet was full: {table} goes on in {', '.join(map(str, further))}")


def tell_run(summary: Summary, output: str, as_json: bool, *, archive: bool = False) -> None:
    """Print what became of a run's inputs, and leave with the exit code that says so."""
    if as_json:
        typer.echo(json.dumps(vars(summary)))
    refused = {**summary.filtered, **summary.quarantined}
    reasons = f" ({', '.join(f'{count} {code}' for code, count in sorted(refused.items()))}; see {'their rows' if archive else 'quarantine.jsonl'})" if refused else ""
    articles = summary.extracted + summary.without_claims
    alike = "" if archive else f"{many(summary.duplicates, 'duplicate')}, {many(summary.near_duplicates, 'near-duplicate')}, "
    _name_further(Path(output) / "claims.xlsx", summary.claims)
    say(f"{many(summary.claims, 'claim')} from {many(articles, 'article')} ({summary.without_claims} without claims), {alike}{sum(refused.values())} of {many(summary.inputs, 'input')} not read{reasons} -> {output}")
    if not summary.adds_up:
        say("accordingto: the counts do not add up; this is an error of the program: report it.")
        raise typer.Exit(EXIT_INCOMPLETE)
    if refused:
        raise typer.Exit(EXIT_SOME_FAILED if articles + summary.duplicates else EXIT_FATAL)
