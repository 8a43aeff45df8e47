"""Where the shipped pipeline lies; in a room of its own, for who needs it without spaCy."""

from __future__ import annotations

from pathlib import Path


def model_folder() -> Path:
    """Return where the trained pipeline lies: inside the installed package, else in the repository."""
    installed = Path(__file__).parent / "model"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "models" / "accordingto_en"
