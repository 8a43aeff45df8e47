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


class Stance(StrEnum):
    """What a source does with its content."""

    assert_ = "assert"
    confirm = "confirm"
    deny = "deny"
    accuse = "accuse"
    support = "support"
    warn = "warn"
    demand = "demand"
    commit = "commit"
    ask = "ask"
    other = "other"


class AttributionType(StrEnum):
    """How a source holds its content."""

    communication = "communication"
    belief = "belief"
    knowledge = "knowledge"
    intention = "intention"


class Framing(StrEnum):
    """How an article presents what a source says."""

    endorses = "endorses"
    neutral = "neutral"
    distances = "distances"
    disputes = "disputes"


ModelOption = Annotated[Path | None, typer.Option(help="Folder of another trained pipeline.")]
GuidelineOption = Annotated[Guideline | None, typer.Option(help="What counts as an attribution: the habit of LABELS.md (steady), or that of PolNeAR's annotators. [default: steady]")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="Threads that read side by side; 0 takes every core.")]


@app.command()
def extract(
    articles: Annotated[list[str], typer.Argument(help="Files (.txt, .md), folders, patterns such as 'news/*.txt', or - for the standard input.")],
    output: Annotated[str, typer.Option("--output", "-o", help="The table; its ending names the format: .csv, .xlsx, .jsonl, .parquet. - writes to the standard output.")] = "claims.csv",
    format: Annotated[Format | None, typer.Option(help="The table's format, where the ending does not say it.")] = None,
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave out claims of less confidence.")] = 0.0,
    nested: Annotated[bool, typer.Option(help="Keep claims that stand inside the content of others.")] = True,
    stance: Annotated[list[Stance] | None, typer.Option(help="Keep claims of this stance; may be given several times.")] = None,
    attribution_type: Annotated[list[AttributionType] | None, typer.Option(help="Keep claims of this type; may be given several times.")] = None,
    framing: Annotated[list[Framing] | None, typer.Option(help="Keep claims that the article frames so; may be given several times.")] = None,
    speakers: Annotated[Path | None, typer.Option(help="Write the speakers of each article to this table too (.csv).")] = None,
    guideline: GuidelineOption = None,
    threads: ThreadsOption = 0,
    model: ModelOption = None,
) -> None:
    """Write the claims of ARTICLES to a table, one row a claim."""
    from accordingto.run import Wanted, extract_table

    labels = {"stance": stance, "attribution_type": attribution_type, "framing": framing}
    wanted = Wanted(min_confidence, nested, {name: frozenset(v.value for v in values or ()) for name, values in labels.items()})
    with _progress() as progress:
        counts = extract_table(articles, output, format=format, model=model, guideline=guideline, threads=threads or os.cpu_count() or 1, wanted=wanted, progress=progress, speakers=speakers)
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


@app.command()
def report(
    tables: Annotated[list[Path], typer.Argument(help="Tables of claims, reviewed or not: .csv, .xlsx, .jsonl, .parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, .html.")] = Path("report.html"),
) -> None:
    """Write one page of charts about the claims in TABLES; each number leads to the claims that it counts."""
    from accordingto.report import write_report

    covered = write_report(tables, output)
    _say(f"{len(covered.claims)} claims from {len(covered.tables)} tables, {covered.rejected} rejected ones and {covered.repeated} repeated rows left out -> {output}")


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
