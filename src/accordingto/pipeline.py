"""The pipeline, whole: this file is the table of contents of the package, and the only one that knows the order.

article.py     inputs            → Article
encoder.py     Doc               → its words' vectors and first scores
sentence.py                      → sentences
attribution.py                   → source, cue, content, parent, confidence
stance.py                        → stance and the other labels, why, what the attitude aims at
speaker.py                       → speaker, role, kind, and the names of what attitudes aim at
clearing.py                      → what is no part of the article, whose attributions go again
claim.py       Article and Doc   → Claim, one a row
table.py       claims            → CSV, XLSX, JSONL, Parquet, DataFrame
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from accordingto import attribution, clearing, encoder, sentence, speaker, stance  # noqa: F401  (their factories)
from accordingto.article import article_from_text
from accordingto.claim import claims_from_doc
from accordingto.document import set_title
from accordingto.errors import ModelError
from accordingto.schema import MAX_CHARS, Article, Claim
from accordingto.shipped import model_folder

COMPONENTS = {name: f"accordingto_{name}" for name in ("encoder", "sentences", "attributions", "stances", "speakers", "furniture")}
BATCH = 16  # Docs that are encoded together; two batches are under way at once


def blank() -> Language:
    """Return the pipeline without weights, as it is before training."""
    nlp = spacy.blank("en")
    nlp.max_length = MAX_CHARS
    for name, factory in COMPONENTS.items():
        nlp.add_pipe(factory, name=name)
    return nlp


def load(path: Path | str | None = None, *, threads: int = 1, guideline: str | None = None) -> Language:
    """Return the trained pipeline; raises ModelError where it is missing or damaged.

    threads: windows that are encoded side by side. guideline: `steady` or `polnear` (encoder.py); None keeps the model's.
    """
    folder = Path(path) if path is not None else model_folder()
    if not (folder / "meta.json").is_file():
        raise ModelError(folder, "there is no meta.json in it")
    overrides = {"threads": threads} | ({"guideline": guideline} if guideline else {})
    try:
        nlp = spacy.load(folder, config={"components": {"encoder": overrides}})
    except ModelError:
        raise
    except Exception as error:  # spaCy, confection and srsly raise many kinds for a damaged folder
        raise ModelError(folder, f"spaCy says {str(error).splitlines()[0]}") from error
    nlp.max_length = MAX_CHARS  # which is spaCy's own default; saved pipelines do not keep it
    return nlp


def model_name(nlp: Language) -> str:
    """Return name and version of a pipeline, as the claims carry it: `en_accordingto 0.1.0`."""
    return f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"


def doc_of(article: Article, nlp: Language) -> Doc:
    """Return an article as a Doc that `nlp` has still to read, with the title, which the text may repeat."""
    return set_title(nlp.make_doc(article.text), article.title)


def read_docs(articles: Iterable[Article], nlp: Language) -> Iterator[tuple[Article, Doc | Exception]]:
    """Yield each article with its Doc, in order; an article that the pipeline fails on comes with the error, and the others go on."""
    stream = iter(articles)
    under_way: deque[Article] = deque()
    broken: list[Exception] = []  # what the articles' own iterator raised: not the pipeline's failure

    def docs() -> Iterator[Doc]:
        while True:
            try:
                article = next(stream)
            except StopIteration:
                return
            except Exception as error:
                broken.append(error)
                return
            under_way.append(article)
            yield doc_of(article, nlp)

    while True:
        try:
            for doc in nlp.pipe(docs(), batch_size=BATCH):
                yield under_way.popleft(), doc
            break
        except Exception:  # one of those under way: read alone, it shows itself
            while under_way:
                article = under_way.popleft()
                try:
                    doc = nlp(doc_of(article, nlp))
                except Exception as error:
                    yield article, error
                else:
                    yield article, doc
    if broken:
        raise broken[0]


def extract(articles: Iterable[Article | str], nlp: Language | None = None) -> Iterator[Claim]:
    """Yield the claims of articles, in the order of the input, then of the text. Plain strings are articles without metadata."""
    nlp = nlp or load()
    wanted = (article_from_text(a) if isinstance(a, str) else a for a in articles)
    for article, doc in read_docs(wanted, nlp):
        if isinstance(doc, Exception):
            raise doc
        yield from claims_from_doc(article, doc, model=model_name(nlp))
