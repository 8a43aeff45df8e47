"""What commands say to a person: lines that never control the terminal, whatever a file or a reviewer is called."""

from __future__ import annotations

import typer


def say(message: str, *, err: bool = True) -> None:
    """Print a line to the standard error, or to the standard output where it is what was asked for."""
    typer.echo("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message), err=err)
