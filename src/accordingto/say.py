"""What commands say to a person: lines that never control the terminal, and numbers with their nouns."""

from __future__ import annotations

import typer


def say(message: str, *, err: bool = True) -> None:
    """Print a line to the standard error, or to the standard output where it is what was asked for."""
    typer.echo("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message), err=err)


def many(number: int, word: str, words: str = "") -> str:
    """Return a number with its noun: 1 row, 2 rows; words: where an s does not make it several (1 cell is, 2 cells are)."""
    return f"{number:,} {word if number == 1 else words or f'{word}s'}"
