"""The command line. Each command declares its options, calls one function of the library, and reports what it gives back."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from accordingto.errors import AccordingToError, TrainingError

EXIT_FATAL, EXIT_SOME_FAILED, EXIT_INTERRUPTED = 1, 3, 130

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Who said what: attributed statements of news articles as a table of claims.")


class Format(StrEnum):
    """Formats of a table."""

    csv = "csv"
    xlsx = "xlsx"
    jsonl = "jsonl"
    parquet = "parquet"


class Guideline(StrEnum):
    """Habits of marking that the model learned."""

    steady = "steady"
    polnear = "polnear"


ModelOption = Annotated[Path | None, typer.Option(help="Folder of another trained pipeline.")]
GuidelineOption = Annotated[Guideline | None, typer.Option(help="What counts as an attribution: the habit of LABELS.md (steady), or that of PolNeAR's annotators. [default: steady]")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="Threads that read side by side; 0 takes every core.")]


@app.command()
def extract(
    articles: Annotated[list[str], typer.Argument(help="Files (text, HTML, MHTML, PDF, DOCX, RSS, CSV, TSV, XLSX, JSON, Parquet, WARC, .gz, .zip), folders, patterns such as 'news/*.txt', or - for the standard input.")],
    output: Annotated[str, typer.Option("--output", "-o", help="The table; its ending names the format: .csv, .xlsx, .jsonl, .parquet. - writes to the standard output.")] = "claims.csv",
    format: Annotated[Format | None, typer.Option(help="The table's format, where the ending does not say it.")] = None,
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave out claims of less confidence.")] = 0.0,
    nested: Annotated[bool, typer.Option(help="Keep claims that stand inside the content of others.")] = True,
    text_column: Annotated[str | None, typer.Option(help="The column of tables that holds the articles, where it is not clear.")] = None,
    guideline: GuidelineOption = None,
    threads: ThreadsOption = 0,
    model: ModelOption = None,
) -> None:
    """Write the claims of ARTICLES to a table, one row a claim."""
    from accordingto.run import extract_table

    with _progress() as progress:
        counts = extract_table(articles, output, format=format, model=model, guideline=guideline, threads=threads or os.cpu_count() or 1, min_confidence=min_confidence, nested=nested, progress=progress, text_column=text_column)
    for problem in counts.problems:
        _say(problem.message)
    left_out = f", {counts.left_out} other files in the folders left out" if counts.left_out else ""
    _say(f"{counts.claims} claims from {counts.articles} articles ({counts.without_claims} without claims), {len(counts.problems)} inputs not read{left_out} -> {output}")
    if counts.problems:
        raise typer.Exit(EXIT_SOME_FAILED if counts.articles else EXIT_FATAL)


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
    data: Annotated[Path, typer.Argument(help="The folder of the corpora (README, Training).")],
    work: Annotated[Path, typer.Option(help="Where checkpoints are kept; a killed training goes on from there.")] = Path("work"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the trained pipeline is written.")] = Path("models/accordingto_en"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Rounds over the corpora; the shipped model's number by default.")] = None,
    threads: ThreadsOption = 0,
) -> None:
    """Train the pipeline again from the corpora in DATA: weights, calibration, figures and model card."""
    try:
        from accordingto.training.build import train_pipeline
    except ImportError as error:
        raise TrainingError(f"the package {error.name!r} is missing", "pip install 'accordingto[train]'") from error
    train_pipeline(data, work=work, output=output, epochs=epochs, threads=threads or os.cpu_count() or 1, say=_say)


def _say(message: str) -> None:
    """Print a line to the standard error; what a file name may hold never controls the terminal."""
    typer.echo("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message), err=True)


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


def main() -> None:
    """Run the command line; errors for the user become one line and an exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end, which removes the half-written table
    try:
        app()
    except AccordingToError as error:
        _say(f"accordingto: {error}")
        sys.exit(EXIT_FATAL)
    except KeyboardInterrupt:
        _say("accordingto: stopped; nothing was written.")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FATAL)
