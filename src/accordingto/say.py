"""What commands say to a person: lines on the standard error."""

from __future__ import annotations

import typer


def say(message: str) -> None:
    """Print a line to the standard error; what a file name may hold never controls the terminal."""
    typer.echo("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message), err=True)
