"""A run: inputs in, one table out, and an account of what became of each input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from spacy.language import Language

from accordingto.article import find_inputs, read_articles
from accordingto.claim import claims_from_doc
from accordingto.errors import InputError
from accordingto.pipeline import load, model_name, read_docs
from accordingto.reader.item import carries_columns
from accordingto.schema import Article, Claim, Problem, RunCounts
from accordingto.table import claim_from_json, json_of_claim, write_table, writer_of

Progress = Callable[[int, int], None]  # articles done, articles in all


def extract_table(
    names: Iterable[str], output: str, *, format: str | None, model: Path | None, guideline: str | None, threads: int, min_confidence: float, nested: bool, progress: Progress,
    text_column: str | None = None, urls: Sequence[str] = (),
) -> RunCounts:  # fmt: skip
    """Write the claims of all articles behind `names` to a table and return the counts.

    What cannot be read is in the counts' problems and stops nothing. Raises ModelError, OutputError.
    """
    if output != "-":
        writer_of(Path(output), format)  # refuse a wrong ending before the model has worked for an hour
    inputs = find_inputs(names)
    counts = RunCounts(problems=list(inputs.problems), left_out=inputs.left_out)
    nlp = load(model, threads=threads, guideline=guideline) if inputs.paths or urls else None
    if nlp is not None:
        articles = read_articles(inputs.paths, counts.problems, text_column=text_column, urls=urls)
        claims = _claims(articles, nlp, counts, len(inputs.paths) + len(urls), progress)
        wanted: Iterator[Claim] = (c for c in claims if c.confidence >= min_confidence and (nested or c.parent_id is None))
        with TemporaryFile() as spool:
            wanted, src = _carry_columns(wanted, spool) if any(carries_columns(str(p)) for p in (*inputs.paths, *urls)) else (wanted, set())
            counts.claims = write_table(wanted, output, format, sorted(src))
    return counts


def _carry_columns(claims: Iterable[Claim], spool: IO[bytes]) -> tuple[Iterator[Claim], set[str]]:
    """Return claims and the columns that their inputs carry, which a table must know before its first row."""
    src: set[str] = set()
    for claim in claims:
        src |= claim.src.keys()
        spool.write(json_of_claim(claim) + b"\n")
    spool.seek(0)
    return map(claim_from_json, spool), src


def _claims(articles: Iterable[Article], nlp: Language, counts: RunCounts, total: int, progress: Progress) -> Iterator[Claim]:
    """Yield the claims of articles and count them; an article that the pipeline fails on becomes a problem."""
    name = model_name(nlp)

    def on_error(article: Article, error: Exception) -> None:
        counts.problems.append(Problem(article.path, "failed", str(InputError(article.path, "failed", f"{type(error).__name__}: {error}"))))

    for article, doc in read_docs(articles, nlp, on_error):
        claims = claims_from_doc(article, doc, model=name)
        counts.articles += 1
        counts.without_claims += not claims
        yield from claims
        progress(counts.articles + len(counts.problems), total)
