"""Who said what, and with what stance: attributed statements of news articles as a table of claims.

>>> import accordingto
>>> nlp = accordingto.load()
>>> claims = list(accordingto.extract(["Officials said the road was closed."], nlp))
>>> accordingto.to_frame(claims)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accordingto.pipeline import extract, load
    from accordingto.table import to_frame

__all__ = ["extract", "load", "to_frame"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: spaCy and pandas take seconds that `--help` need not wait."""
    if name in ("extract", "load"):
        from accordingto import pipeline

        return getattr(pipeline, name)
    if name == "to_frame":
        from accordingto.table import to_frame

        return to_frame
    raise AttributeError(f"module 'accordingto' has no attribute {name!r}")
