"""What a worker does: articles in, their claims out.

A table's are read with their titles and come back as claims. A run's texts are read once each, whatever articles hold them: their claims
depend on the text alone and come back as JSON lines, into which the article's id and title are put when the tables are written; a title that
only the metadata know is no furniture there, since the same text may have two titles.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accordingto.claim import claims_from_doc
from accordingto.errors import ModelError
from accordingto.pool import BATCH, Failure, Pool, WorkersDieError
from accordingto.schema import Article, Claim
from accordingto.table import json_of_claim

if TYPE_CHECKING:
    from spacy.language import Language

ALONE = 32  # articles that are read sooner by the threads of this process than processes are started
AHEAD = 16  # batches that were read before one that takes long, and wait for it

Outcome = tuple[Article, list[Claim] | Failure]


def make_read(model: Path | None, guideline: str, near_duplicates: bool) -> Callable[[Sequence[tuple[str, str]]], list[tuple[str, Any]]]:
    """Return the function that reads a batch of (digest, text); gives (digest, (claims, their number, MinHash) or Failure)."""
    read = make_read_articles(model, guideline)

    def read_texts(texts: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
        return [(digest, found if isinstance(found, Failure) else _packed(found, text)) for (digest, text), (_, found) in zip(texts, read([(digest, Article(digest, text)) for digest, text in texts]), strict=True)]

    def _packed(claims: list[Claim], text: str) -> tuple[bytes, int, bytes]:
        return b"".join(json_of_claim(claim) + b"\n" for claim in claims), len(claims), _signature(text) if near_duplicates else b""

    return read_texts


def make_read_articles(model: Path | None, guideline: str | None) -> Callable[[Sequence[tuple[str, Article]]], list[tuple[str, list[Claim] | Failure]]]:
    """Return the function that reads a batch of (key, article); gives (key, claims or Failure), in order."""
    from accordingto.pipeline import load  # brings spaCy, which the review of a run need not wait for

    nlp = load(model, threads=1, guideline=guideline)
    gc.freeze()  # the model stays: to look through it again and again for what is unused takes time

    def read(articles: Sequence[tuple[str, Article]]) -> list[tuple[str, list[Claim] | Failure]]:
        with nlp.memory_zone():  # words that are new to spaCy are forgotten with the batch
            outcomes = [(key, found) for (key, _), (_, found) in zip(articles, _outcomes((article for _, article in articles), nlp), strict=True)]
        if any(isinstance(found, Failure) and found.code == "oom" for _, found in outcomes):
            raise MemoryError  # the worker leaves, and takes no more with it than this batch, which is halved
        return outcomes

    return read


def read_in_order(articles: Iterable[Article], *, model: Path | None, guideline: str | None, workers: int, memory: int) -> Iterator[Outcome]:
    """Yield each article with its claims, or with why it could not be read, in order: by processes where there are many, each of which takes so many bytes of addresses at most.

    Raises ModelError, also where no process lives long enough to read.
    """
    stream = iter(articles)
    first = list(islice(stream, ALONE + 1))
    if workers == 1 or len(first) <= ALONE:
        from accordingto.pipeline import load

        return _outcomes(chain(first, stream), load(model, threads=workers, guideline=guideline)) if first else iter(())
    return _side_by_side(chain(first, stream), Pool(workers, make_read_articles, (model, guideline), memory=memory, size=lambda article: len(article.text)))


def _outcomes(articles: Iterable[Article], nlp: Language) -> Iterator[Outcome]:
    """Yield each article with what this process reads in it, in order."""
    from spacy.tokens import Doc

    from accordingto.pipeline import model_name, read_docs

    name = model_name(nlp)
    found: list[Claim] | Failure
    for article, doc in read_docs(articles, nlp):
        try:
            found = claims_from_doc(article, doc, model=name) if isinstance(doc, Doc) else _failure(doc)
        except Exception as error:
            found = _failure(error)
        yield article, found


def _failure(error: Exception) -> Failure:
    return Failure("oom" if isinstance(error, MemoryError) else "failed", f"{type(error).__name__}: {error}")


def _side_by_side(articles: Iterator[Article], pool: Pool) -> Iterator[Outcome]:
    """Yield each article with what a pool reads in it, in order."""
    waiting: dict[str, Article] = {}  # handed out, in their order
    read: dict[str, list[Claim] | Failure] = {}
    numbered = ((str(number), article) for number, article in enumerate(articles))
    try:
        while True:
            while pool.room > 0 and len(waiting) < AHEAD * BATCH and (batch := list(islice(numbered, BATCH))):
                waiting.update(batch)
                pool.submit(batch)
            if not waiting:
                return
            try:
                read.update(pool.collect(0.05))
            except WorkersDieError as error:
                raise ModelError("the model", f"no worker lives long enough to read with it ({error}); see --worker-memory") from error
            while (key := next(iter(waiting), None)) in read:
                assert key is not None
                yield waiting.pop(key), read.pop(key)
    finally:
        pool.close()


def _signature(text: str) -> bytes:
    from accordingto.duplicate import signature_of

    return signature_of(text)
