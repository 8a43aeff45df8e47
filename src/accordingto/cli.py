"""The command line. Each command declares its options, calls one function of the library, and reports what it gives back."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordingto.errors import AccordingToError, IncompleteError, TrainingError
from accordingto.option import (
    ARTICLES_HELP,
    EXPORT_HELP,
    OUTPUT_HELP,
    AddressOption,
    AttributionType,
    EngineName,
    EngineOption,
    ExportFormat,
    Format,
    Framing,
    GuidelineOption,
    ModelOption,
    OverwriteOption,
    ShardArticlesOption,
    Stance,
    ThreadsOption,
    WorkerMemoryOption,
    WorkersOption,
)
from accordingto.outcome import EXIT_FATAL, EXIT_INCOMPLETE, EXIT_INTERRUPTED, tell_run, tell_table
from accordingto.review.command import COMMANDS
from accordingto.say import many
from accordingto.say import say as _say

if TYPE_CHECKING:
    from accordingto.run import Wanted

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Who said what: attributed statements of news articles as a table of claims.")


def _show_version(wanted: bool) -> None:
    if wanted:
        from accordingto import __version__

        typer.echo(f"accordingto {__version__}")
        raise typer.Exit


@app.callback()
def _whole(version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")] = False) -> None:
    """Who said what: attributed statements of news articles as a table of claims."""


@app.command()
def extract(
    articles: Annotated[list[str] | None, typer.Argument(help=ARTICLES_HELP)] = None,
    output: Annotated[str, typer.Option("--output", "-o", help=OUTPUT_HELP)] = "claims.csv",
    format: Annotated[list[Format] | None, typer.Option(help="The table's format, where the ending does not say it; of a folder's tables, several times. [default for a folder: csv and jsonl]")] = None,
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave out claims of less confidence.")] = 0.0,
    nested: Annotated[bool, typer.Option(help="Keep claims that stand inside the content of others.")] = True,
    url: Annotated[list[str] | None, typer.Option(help="A page to fetch; may be given several times. Nothing else ever opens a connection.")] = None,
    text_column: Annotated[str | None, typer.Option(help="The column of tables that holds the articles, where it is not clear.")] = None,
    stance: Annotated[list[Stance] | None, typer.Option(help="Keep claims of this stance; may be given several times.")] = None,
    attribution_type: Annotated[list[AttributionType] | None, typer.Option(help="Keep claims of this type; may be given several times.")] = None,
    framing: Annotated[list[Framing] | None, typer.Option(help="Keep claims that the article frames so; may be given several times.")] = None,
    speakers: Annotated[Path | None, typer.Option(help="Write the speakers of each article to this table too (.csv).")] = None,
    guideline: GuidelineOption = None,
    workers: WorkersOption = 0,
    worker_memory: WorkerMemoryOption = 6_000,
    overwrite: OverwriteOption = False,
    near_duplicates: Annotated[bool, typer.Option(help="Into a folder: mark articles that repeat an earlier one for the most part.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
    model: ModelOption = None,
    engine: EngineOption = None,
    address: AddressOption = None,
    shard_articles: ShardArticlesOption = None,
) -> None:
    """Write the claims of ARTICLES to a table, one row a claim, or into a folder with all that belongs to them."""
    from accordingto.run import Wanted, extract_table

    articles, urls = articles or [], url or []
    if not articles and not urls:
        raise typer.BadParameter("Missing argument: name files or folders, or pages with --url", param_hint="ARTICLES")
    labels = {"stance": stance, "attribution_type": attribution_type, "framing": framing}
    wanted = Wanted(min_confidence, nested, {name: frozenset(v.value for v in values or ()) for name, values in labels.items()})
    if engine is not None:
        _extract_archive(articles, output, wanted, engine, address, shard_articles or 2_000, {"guideline": guideline, "text_column": text_column, "model": model, "workers": workers, "memory": worker_memory, "as_json": as_json},
                         {"url": urls, "format": format, "speakers": speakers, "overwrite": overwrite})  # fmt: skip
        return
    if address or shard_articles:
        raise typer.BadParameter("it is for archives; give --engine", param_hint="--address" if address else "--shard-articles")
    if output != "-" and (Path(output).is_dir() or not Path(output).suffix or output.endswith("/")):
        from accordingto.folder import RunOptions, extract_run

        if speakers is not None:
            raise typer.BadParameter("the speakers are written beside a table; name a table with -o", param_hint="--speakers")
        formats = tuple(sorted({f.value for f in format or (Format.csv, Format.jsonl)}))
        options = RunOptions(formats, guideline.value if guideline else "steady", wanted, near_duplicates, text_column)
        with _progress() as progress:
            summary = extract_run(articles, Path(output), options, urls=urls, model=model, workers=_cores(workers), memory=worker_memory * 1_000_000, progress=progress, overwrite=overwrite)
        tell_run(summary, output, as_json)
        return
    if len(format or ()) > 1:
        raise typer.BadParameter("a table has one format; name a folder for several", param_hint="--format")
    with _progress() as progress:
        counts = extract_table(
            articles, output, format=format[0] if format else None, model=model, guideline=guideline, workers=_cores(workers), memory=worker_memory * 1_000_000, wanted=wanted, progress=progress,
            speakers=speakers, text_column=text_column, urls=urls, overwrite=overwrite,
        )  # fmt: skip
    tell_table(counts, output, as_json)


def _extract_archive(articles: list[str], output: str, wanted: Wanted, engine: EngineName, address: str | None, shard_articles: int, given: dict[str, Any], others: dict[str, Any]) -> None:
    """Write the claims of articles by shards into an archive."""
    from accordingto.archive.archived import extract_archive
    from accordingto.archive.command import check_archive, engine_of
    from accordingto.archive.facts import ArchiveOptions

    check_archive(output, engine, address, others)
    options = ArchiveOptions(given["guideline"].value if given["guideline"] else "steady", wanted, given["text_column"], shard_articles)
    with _progress() as progress:
        summary = extract_archive(articles, output, options, model=given["model"], memory=given["memory"] * 1_000_000, engine=engine_of(engine, address, given["workers"]), progress=progress)
    tell_run(summary, output, given["as_json"], archive=True)


@app.command()
def verify(
    run: Annotated[str, typer.Argument(help="The folder of a run or of an archive.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a RUN: that every input is accounted for, every file as it was written, every offset true of its text."""
    from accordingto.archive.checked import is_archive, verify_archive
    from accordingto.verify import verify_run

    faults = verify_archive(run) if is_archive(run) else verify_run(Path(run))
    if as_json:
        typer.echo(json.dumps({"faults": faults}))
    for fault in faults:
        _say(fault)
    _say(f"{many(len(faults), 'fault')} in {run}" if faults else f"all holds in {run}")
    if faults:
        raise typer.Exit(EXIT_INCOMPLETE)


@app.command()
def retry(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    workers: WorkersOption = 0,
    worker_memory: WorkerMemoryOption = 6_000,
    overwrite: OverwriteOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Read again what stands in the quarantine of a RUN."""
    from accordingto.folder import retry_run

    with _progress() as progress:
        summary = retry_run(run, workers=_cores(workers), memory=worker_memory * 1_000_000, progress=progress, overwrite=overwrite)
    tell_run(summary, str(run), as_json)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a run that was reviewed.")],
    format: Annotated[ExportFormat, typer.Option(help=EXPORT_HELP)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file; for brat a new folder.")],
    unreviewed: Annotated[bool, typer.Option(help="Also what the model wrote and nobody has settled (csv and xlsx always hold it).")] = False,
    partial: Annotated[bool, typer.Option(help="gold: also articles of which some claims are not settled.")] = False,
    held_out: Annotated[float, typer.Option(min=0, max=0.9, help="gold: keep this share of the articles in a second file, chosen by their texts.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the account as one JSON object.")] = False,
) -> None:
    """Write what the reviewers of RUN decided: a table of all claims, or what they accepted, corrected and added for other programs and for the training."""
    from accordingto.export.exported import ExportOptions, export_run

    account = export_run(run, format.value, output, ExportOptions(unreviewed, partial, held_out))
    if as_json:
        typer.echo(json.dumps(vars(account)))
    for note in account.notes:
        _say(note)
    _say(f"{many(account.claims, 'claim')} of {many(account.articles, 'article')} -> {output}")


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(help="Gold articles, JSON lines, gzipped or not.")],
    predicted: Annotated[Path | None, typer.Option(help="Claims as JSON lines; without it the model reads the gold's articles now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    floors: Annotated[Path | None, typer.Option(help="A file of pinned scores: exit 1 where a score is below its floor.")] = None,
    guideline: GuidelineOption = None,
    threads: ThreadsOption = 0,
    model: ModelOption = None,
) -> None:
    """Score claims against GOLD, beside what two trained people reach."""
    from accordingto.evaluation import check_floors, evaluate_gold, format_figures

    figures = evaluate_gold(gold, predicted=predicted, model=model, guideline=guideline, threads=threads or os.cpu_count() or 1)
    typer.echo(json.dumps(figures) if as_json else format_figures(figures))
    if floors is not None:
        typer.echo(check_floors(gold, figures, floors), err=True)


@app.command()
def train(
    data: Annotated[Path | None, typer.Argument(help="The folder of the corpora (CONTRIBUTING.md, Training); with --reviewed not needed, but better.")] = None,
    reviewed: Annotated[list[Path] | None, typer.Option(help="A reviewed run's folder, or gold exported from one: go on from the finished model with its corrections. May be given several times.")] = None,
    dev: Annotated[Path | None, typer.Option(help="With --reviewed: further gold to measure on, before and after.")] = None,
    even_if_worse: Annotated[bool, typer.Option("--even-if-worse", help="With --reviewed: write the model although it became worse, or nothing can tell.")] = False,
    work: Annotated[Path, typer.Option(help="Where checkpoints are kept; a killed training goes on from there.")] = Path("work"),
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the trained pipeline is written. [default: models/accordingto_en; with --reviewed a new folder, reviewed_model]")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Rounds over the articles; the shipped model's number by default.")] = None,
    threads: ThreadsOption = 0,
    model: ModelOption = None,
) -> None:
    """Train the pipeline again from the corpora in DATA: weights, calibration, figures and model card. Or let it go on learning with --reviewed."""
    try:
        from accordingto.training.build import train_pipeline
        from accordingto.training.continued import ContinueOptions, continue_training
    except ImportError as error:
        raise TrainingError(f"the package {error.name!r} is missing", "pip install 'accordingto[train]'") from error
    if reviewed:
        options = ContinueOptions(model, data, dev, epochs, _cores(threads), even_if_worse)
        done = continue_training(reviewed, work=work, output=output or Path("reviewed_model"), options=options, say=_say)
        _say(f"learned from {many(done.learned, 'article')} -> {done.output}; use it with --model {done.output}")
    elif data is None:
        raise typer.BadParameter("Missing argument: name the folder of the corpora, or reviewed runs with --reviewed", param_hint="DATA")
    else:
        train_pipeline(data, work=work, output=output or Path("models/accordingto_en"), epochs=epochs, threads=_cores(threads), say=_say)


@app.command()
def report(
    tables: Annotated[list[Path], typer.Argument(help="Tables of claims, reviewed or not: .csv, .xlsx, .jsonl, .parquet; or folders of runs, with what was decided in them, or of archives.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, .html.")] = Path("report.html"),
) -> None:
    """Write one page of charts about the claims in TABLES; each number leads to the claims that it counts."""
    from accordingto.report import write_report

    covered = write_report(tables, output)
    _say(f"{many(len(covered.claims), 'claim')} from {many(len(covered.tables), 'table')}, {many(covered.rejected, 'rejected one')} and {many(covered.repeated, 'repeated row')} left out -> {output}")


for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def _cores(wanted: int) -> int:
    return wanted or os.cpu_count() or 1


@contextmanager
def _progress() -> Iterator:
    """Give a function that moves a bar on a terminal and does nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TextColumn("articles"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _InterruptedError(BaseException):
    """Ctrl-C; not a KeyboardInterrupt, which typer would answer without a word."""


def _interrupt(*_: object) -> None:
    """Stop, and let a second Ctrl-C not disturb the first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _InterruptedError


def main() -> None:
    """Run the command line; errors for the user become one line and an exit code."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads wait in circles for each other: a quarter of the speakers' time; processes do better
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell runs it in the background, which Ctrl-C shall not stop
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end, which removes the half-written table
    try:
        app(prog_name=os.environ.get("ACCORDINGTO_PROGRAM") or None)  # start.py names itself
    except IncompleteError as error:
        _say(f"accordingto: {error}")
        sys.exit(EXIT_INCOMPLETE)
    except AccordingToError as error:
        _say(f"accordingto: {error}")
        sys.exit(EXIT_FATAL)
    except _InterruptedError:
        _say("accordingto: stopped; a table was not written, a folder goes on with the same command.")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FATAL)
