"""The commands of the review, `review`, and of what brings reviews together, `import`, `merge`, `agreement`; as in `cli.py`, each calls one function and reports what it gives back."""

from __future__ import annotations

import json
import threading
import webbrowser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accordingto.errors import RunError
from accordingto.outcome import EXIT_SOME_FAILED
from accordingto.say import many, say

if TYPE_CHECKING:
    from accordingto.review.imported import Imported

NAMED = 20  # of a kind that are printed; --json prints all
RunArgument = Annotated[Path, typer.Argument(help="The folder of a run.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def import_reviewed(
    run: RunArgument,
    tables: Annotated[list[Path] | None, typer.Argument(help="Reviewed tables: .xlsx, .csv, .jsonl, .parquet, as any spreadsheet saved them.")] = None,
    reviewer: Annotated[str, typer.Option(help="Whose decisions those are that name no reviewer.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the last import back instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take the decisions and corrections of reviewed TABLES into a RUN, and say what was taken and what was not."""
    from accordingto.review.imported import import_tables, undo_import

    if undo == bool(tables):
        raise typer.BadParameter("name tables, or give --undo without them", param_hint="TABLES")
    if undo:
        undone = undo_import(run)
        say(f"an import of {many(undone[1], 'decision')} was taken back in {run}" if undone else f"there is no import to take back in {run}")
        if as_json:
            typer.echo(json.dumps({"batch": undone[0] if undone else None, "decisions": undone[1] if undone else 0}))
        return
    done = import_tables(run, tables or [], reviewer)
    if as_json:
        typer.echo(json.dumps(asdict(done) | {"lost": done.lost}))
    _report_import(done, run)
    if done.lost:
        raise typer.Exit(EXIT_SOME_FAILED)


def _report_import(done: Imported, run: Path) -> None:
    from accordingto.review.sheet import allowed

    not_taken = (
        ("unknown: this run has no such claim", done.unknown),
        ("several rows that say different things; none is taken", done.contradicted),
        ("refused: a text of the row is not the claim's, or a word may not stand there", done.refused),
    )
    for what, names in not_taken:
        _name(what, [_placed(name, done.places) for name in sorted(set(names))])
    for column, count in Counter(cell.column for cell in done.mangled).items():
        first = next(cell for cell in done.mangled if cell.column == column)
        words = f"; choose one of {', '.join(allowed(column))}" if allowed(column) else ""
        say(f"{column}: {many(count, 'cell is', 'cells are')} not taken; in row {first.row}, {first.claim_id}, it was {first.was[:60]!r} and is {first.found[:60]!r}{words}")
    _name("written by another model; the verdicts are taken, the labels are not", done.other_version)
    taken = f"{len(done.accepted)} accepted, {len(done.rejected)} rejected, {len(done.unsure)} unsure, {len(done.edited)} edited ({len(done.only_edited)} without a verdict), {len(done.untouched)} untouched"
    say(f"{many(done.rows, 'row')}: {taken}, {len(done.unknown)} unknown, {len(done.duplicated)} duplicated, {len(done.refused)} refused; {many(len(done.mangled), 'cell')} mangled")
    missing = many(done.missing, "claim of the run is", "claims of the run are")
    say(f"{missing} in no row, {done.orphaned} with decisions {'is' if done.orphaned == 1 else 'are'} not in the run; {many(done.written, 'decision is', 'decisions are')} new -> {run}")


def _placed(name: str, places: Mapping[str, Sequence[str]]) -> str:
    """Return a claim with the rows of the sheet that are about it."""
    rows = places.get(name, ())
    return f"{name} (row{'s' if len(rows) > 1 else ''} {', '.join(rows)})" if rows else name


def _name(what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - NAMED} more (--json names all)" if len(names) > NAMED else ""
        say(f"{what}: {', '.join(names[:NAMED])}{more}")


def merge(
    run: RunArgument,
    others: Annotated[list[Path] | None, typer.Argument(help="Other reviewers' runs of the same articles, or their logs (.sqlite, .jsonl).")] = None,
    save: Annotated[Path | None, typer.Option(help="Write all decisions of the run to this file too (.jsonl), to be merged elsewhere.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take the decisions of OTHERS into a RUN, and name what the reviewers disagree about."""
    from accordingto.review.merged import merge_logs

    if not others and save is None:
        raise typer.BadParameter("name other runs or logs, or a file with --save", param_hint="OTHERS")
    merged = merge_logs(run, others or [], save)
    if as_json:
        typer.echo(json.dumps(asdict(merged)))
    for conflict in merged.conflicts[:NAMED]:
        said = (f"{name or '(no name)'} {_facts(facts)}" for name, facts in conflict.said.items())
        say(f"{conflict.claim_id}: {'; '.join(said)}")
    if len(merged.conflicts) > NAMED:
        say(f"and {len(merged.conflicts) - NAMED} more (--json names all)")
    _name("decided, but no claim of this run (kept; another model drew the spans otherwise, or the article is not here)", merged.orphaned)
    say(f"{many(merged.decisions, 'decision')}, {merged.new} of them new, by {many(len(merged.reviewers), 'reviewer')}; {many(len(merged.conflicts), 'conflict')}, {len(merged.orphaned)} orphaned -> {run}")


def _facts(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value or '(empty)'}" for name, value in facts.items() if value or name != "decision")


def agreement(run: RunArgument, as_json: JsonOption = False) -> None:
    """Measure how far the reviewers of a RUN decide alike: Cohen's kappa, Krippendorff's alpha, F1 of spans."""
    from accordingto.review.agreement import lines_of, measure_agreement

    found = measure_agreement(run)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    for line in lines_of(found):
        say(line, err=False)


def review(
    run: RunArgument,
    reviewer: Annotated[str, typer.Option(help="Your name, kept beside each decision; where several review, each takes an own one.")] = "",
    lead: Annotated[bool, typer.Option("--lead", help="Your verdicts settle what reviewers disagree about.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser; its address is printed in any case.")] = True,
    host: Annotated[str, typer.Option(help="The address of this machine to listen at; none that others can reach.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at, for ssh -L; 0 takes a free one.")] = 0,
) -> None:
    """Review the claims of a RUN beside their articles, in a page that only this machine can open."""
    try:
        from accordingto.review.server import serve_review
    except ImportError as error:
        raise RunError(run, f"the package {error.name!r} is missing", "pip install 'accordingto[review]'") from error
    serve_review(run, reviewer=reviewer, lead=lead, host=host, port=port, ready=lambda address: _show(address, browser=browser))
    say("the review is stopped; every decision is saved")


def _show(address: str, *, browser: bool) -> None:
    """Tell the address of the page, and open it."""
    typer.echo(address)
    say("the address is good for one browser, the first that opens it; for another one start accordingto review again, beside this or after it")
    say("every decision is saved as it is made; stop with Ctrl-C")
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()  # a browser of the terminal would hold us up until it ends


COMMANDS: dict[str, Callable[..., None]] = {"review": review, "import": import_reviewed, "merge": merge, "agreement": agreement}
