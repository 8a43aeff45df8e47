"""Options: the values and the arguments that several commands take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """Formats of a table."""

    csv = "csv"
    xlsx = "xlsx"
    jsonl = "jsonl"
    parquet = "parquet"


class ExportFormat(StrEnum):
    """Formats of an export."""

    csv = "csv"
    xlsx = "xlsx"
    gold = "gold"
    brat = "brat"
    webannotation = "webannotation"
    docbin = "docbin"
    labelstudio = "labelstudio"
    jsonl = "jsonl"


class EngineName(StrEnum):
    """What reads an archive."""

    pool = "pool"
    ray = "ray"


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


ARTICLES_HELP = """Files (text, HTML, MHTML, PDF, DOCX, RSS, CSV, TSV, XLSX, JSON, Parquet, WARC, .gz, .zip), folders, patterns such as
'news/*.txt', or - for the standard input."""
EngineOption = Annotated[EngineName | None, typer.Option(help="Read by shards into an archive (docs/archives.md): by processes of this machine, or by Ray, also on many.")]
AddressOption = Annotated[str | None, typer.Option(help="With --engine ray: the cluster, HOST:PORT or auto. [default: a Ray of its own on this machine]")]
ShardArticlesOption = Annotated[int | None, typer.Option(min=1, help="With --engine: articles that are read into one file. [default: 2000]")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a table in which a reviewer has written something.")]
OUTPUT_HELP = """A table, by its ending .csv, .xlsx, .jsonl or .parquet; - for the standard output; or a folder, which keeps articles,
claims and quarantine, and goes on where it was stopped."""
EXPORT_HELP = """csv, xlsx: the table of all claims, undecided and rejected ones too, with their decisions and corrections. gold: what `evaluate` and
`train --reviewed` read. The others are for other programs; jsonl holds all that is known."""
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that read side by side; each takes half a gigabyte. 0 takes every core.")]
WorkerMemoryOption = Annotated[int, typer.Option(min=1_000, help="Megabytes of address space that a worker may take.")]
