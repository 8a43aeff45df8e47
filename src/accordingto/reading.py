"""What a worker does: texts in, their claims as JSON lines out. The article's id and title are put in later, when the tables are written.

So claims of a run depend on the text alone, and a title that only the metadata know is no furniture there: the same text may have two titles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from accordingto.claim import claims_from_doc
from accordingto.pool import Failure
from accordingto.schema import Article
from accordingto.table import json_of_claim


def make_read(model: Path | None, guideline: str, near_duplicates: bool) -> Callable[[Sequence[tuple[str, str]]], list[tuple[str, Any]]]:
    """Return the function that reads a batch of (digest, text); gives (digest, (claims, their number, MinHash) or Failure)."""
    from accordingto.pipeline import load, model_name, read_docs  # brings spaCy, which the review of a run need not wait for

    nlp = load(model, threads=1, guideline=guideline)
    name = model_name(nlp)

    def read(texts: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
        out: list[tuple[str, Any]] = []

        def on_error(article: Article, error: Exception) -> None:
            if isinstance(error, MemoryError):
                raise error  # the worker leaves, and takes no more with it than this batch, which is halved
            out.append((article.article_id, Failure("failed", f"{type(error).__name__}: {error}")))

        with nlp.memory_zone():  # words that are new to spaCy are forgotten with the batch
            for article, doc in read_docs([Article(digest, text) for digest, text in texts], nlp, on_error):
                try:
                    claims = claims_from_doc(article, doc, model=name)
                    lines = b"".join(json_of_claim(claim) + b"\n" for claim in claims)
                    out.append((article.article_id, (lines, len(claims), _signature(article.text) if near_duplicates else b"")))
                except Exception as error:
                    on_error(article, error)
        return out

    return read


def _signature(text: str) -> bytes:
    from accordingto.duplicate import signature_of

    return signature_of(text)
