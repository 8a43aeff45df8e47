"""DocBin: articles as spaCy's binary file of Docs, with spans keyed `source`, `cue` and `content`; it loads without running code.

Its spans consist of whole tokens: one that begins or ends elsewhere (inside a token, at the space between two) is fitted to the
tokens that it touches, counted, and kept as it was in the group's attributes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from accordingto.export.judged import JudgedArticle, JudgedClaim, parents_among
from accordingto.export.mark import PARTS, Mark, check_marks, marks_of, whole_text
from accordingto.schema import MAX_CHARS, CharSpan
from accordingto.table import flatten_claim, replacing

DOCS = 2_000  # a file: very large DocBins fail to load (sense2vec issue 102)
REJECTED = "rejected"  # the spans' key of the cues that a reviewer said are none


def write_docbin(articles: Sequence[JudgedArticle], path: Path, *, unreviewed: bool) -> tuple[int, int]:
    """Write articles, DOCS to a file, and return the number of claims, and that of the spans that had to be fitted to tokens.

    The second file of `x.spacy` is `x-2.spacy`; spaCy reads a folder of them. Raises OutputError where a file, read again,
    does not hold what was given.
    """
    nlp = spacy.blank("en")
    nlp.max_length = MAX_CHARS
    claims = moved = 0
    for part in range(0, max(1, len(articles)), DOCS):
        some = articles[part : part + DOCS]
        number = part // DOCS + 1
        target = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        claims, moved = claims + sum(len(a.held(unreviewed=unreviewed)) for a in some), moved + _write_file(some, target, nlp, unreviewed)
    return claims, moved


def _write_file(articles: Sequence[JudgedArticle], path: Path, nlp: Language, unreviewed: bool) -> int:
    expected: list[Mark] = []
    moved = 0
    bin = DocBin(store_user_data=False)  # all of ours is in the groups’ attributes
    for article in articles:
        doc = doc_of(article, nlp, unreviewed=unreviewed)
        bin.add(doc)
        fitted = list(marks_of(article, article.held(unreviewed=unreviewed), article.article_id, partial(_whole_tokens, doc)))
        expected += fitted
        moved += sum(a != b for given, f in zip(marks_of(article, article.held(unreviewed=unreviewed), article.article_id), fitted, strict=True) for a, b in zip(given.spans, f.spans, strict=True))
    with replacing(path) as file:
        file.write(bin.to_bytes())
        file.flush()
        file.seek(0)
        check_marks(path, expected, _marks_in(file.read(), nlp))
    return moved


def _whole_tokens(doc: Doc, text: str, spans: Sequence[CharSpan]) -> tuple[CharSpan, ...]:
    return tuple((found.start_char, found.end_char) for found in (_span(doc, s, e) for s, e in spans))


def _span(doc: Doc, start: int, end: int, **facts: Any) -> Span:
    span = doc.char_span(start, end, alignment_mode="expand", **facts)
    assert span is not None  # the spans lie in the text
    return span


def doc_of(article: JudgedArticle, nlp: Language, *, unreviewed: bool) -> Doc:
    """Return an article as a Doc: spans of each part by their claim's id, the labels in the attributes of the group `cue`."""
    doc = nlp.make_doc(article.text)
    held = article.held(unreviewed=unreviewed)
    facts = {"article_id": article.article_id, "claims": {c.claim.claim_id: _facts(c, parent, held) for c, parent in zip(held, parents_among(held), strict=True)}}
    for part in PARTS:
        spans = [_span(doc, s, e, label=part, span_id=c.claim.claim_id) for c in held for s, e in getattr(c.claim, part).spans]
        doc.spans[part] = SpanGroup(doc, name=part, spans=spans, attrs=facts if part == "cue" else {})
    rejected = [_span(doc, s, e, label=REJECTED, span_id=c.claim.claim_id) for c in article.claims if c.verdict == "rejected" for s, e in c.claim.cue.spans]
    doc.spans[REJECTED] = SpanGroup(doc, name=REJECTED, spans=rejected)
    return doc


def _facts(claim: JudgedClaim, parent: int | None, held: Sequence[JudgedClaim]) -> dict[str, Any]:
    """Return what is known of a claim beside its spans: its columns, the exact places among them, and its verdict."""
    row = json.loads(json.dumps({name: value for name, value in flatten_claim(claim.claim).items() if value not in ("", None)}))
    return row | {"parent_id": None if parent is None else held[parent].claim.claim_id, "verdict": claim.verdict, "reviewers": list(claim.reviewers), "note": claim.note}


def _marks_in(data: bytes, nlp: Language) -> Iterator[Mark]:
    """Yield the marks of a file as they are read back, claim by claim."""
    for doc in DocBin().from_bytes(data).get_docs(nlp.vocab):
        facts = doc.spans["cue"].attrs
        yield whole_text(facts["article_id"], doc.text)
        for claim_id in facts["claims"]:
            for part in PARTS:
                spans = [span for span in doc.spans[part] if span.id_ == claim_id]
                if spans:
                    yield Mark(facts["article_id"], part, tuple((s.start_char, s.end_char) for s in spans), tuple(s.text for s in spans))
