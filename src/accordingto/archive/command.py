"""The command of archives: what `extract --engine` does with its options."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import typer

from accordingto.option import EngineName

ONLY_TABLES = {  # options of `extract` that say nothing of an archive, with what is wrong
    "url": "an archive is made of files; fetch the pages with -o FOLDER first",
    "format": "an archive is Parquet",
    "speakers": "the speakers are written beside a table; name a table with -o and leave --engine out",
    "overwrite": "nothing in an archive is ever replaced",
}


def check_archive(output: str, engine: EngineName, address: str | None, given: dict[str, Any]) -> None:
    """Refuse options that make no sense together; raises BadParameter."""
    for name, why in ONLY_TABLES.items():
        if given.get(name):
            raise typer.BadParameter(why, param_hint=f"--{name}")
    if output == "-" or Path(output).suffix in (".csv", ".xlsx", ".jsonl", ".parquet"):
        raise typer.BadParameter("an archive is a folder; name one with -o, or leave --engine out for a table", param_hint="--output")
    if address and (address.startswith("ray://") or (address != "auto" and not re.fullmatch(r".+:\d+", address))):
        raise typer.BadParameter("ray:// is not taken, as Ray Data needs the command beside a node; name it as HOST:PORT, or auto", param_hint="--address")
    if address and engine is not EngineName.ray:
        raise typer.BadParameter("a cluster is Ray's; give --engine ray", param_hint="--address")


def engine_of(engine: EngineName, address: str | None, workers: int) -> Any:
    """Return the function that starts the workers."""
    if engine is EngineName.ray:
        from accordingto.archive.cluster import RayEngine

        return lambda setup: RayEngine(setup, workers if address else workers or os.cpu_count() or 1, address)
    from accordingto.archive.engine import PoolEngine

    return lambda setup: PoolEngine(setup, workers or os.cpu_count() or 1)
