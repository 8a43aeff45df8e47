"""Web Annotation: claims as W3C annotations in JSON-LD: the content is the target, source and cue are bodies, labels are tags.

https://www.w3.org/TR/annotation-model/. Places are given twice: by quotation, which survives on the page itself, and by
position in the text that was read, whose digest stands beside it. Offsets count code points, as the standard has them.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accordingto.export.judged import JudgedArticle, JudgedClaim
from accordingto.export.mark import Mark, check_marks, marks_of
from accordingto.label import LABELS
from accordingto.schema import CharSpan
from accordingto.table import replacing

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
AROUND = 32  # characters of prefix and suffix: enough to find a quotation again, as Hypothesis keeps them
PURPOSES = {"source": "identifying", "cue": "highlighting"}  # of the bodies that are spans
_IRI = re.compile(r"https?://[^\s<>\"{}|\\^`\x00-\x20]+")
_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "accordingto")


def write_webannotation(articles: Sequence[JudgedArticle], path: Path, *, unreviewed: bool) -> int:
    """Write claims as one AnnotationCollection, a line each, and return their number; a rejected one is an annotation that assesses.

    Raises OutputError where the file, read again, does not hold what was given.
    """
    told = [(a, a.told(unreviewed=unreviewed)) for a in articles]
    total = sum(len(claims) for _, claims in told)
    own = _urn(repr([(a.facts["text_sha256"], [c.claim.claim_id for c in claims]) for a, claims in told]))
    head = {"@context": CONTEXT, "id": own, "type": "AnnotationCollection", "label": "Claims that accordingto found and people reviewed", "total": total}
    page = {"id": f"{own}#page", "type": "AnnotationPage", "partOf": own, "startIndex": 0}
    with replacing(path) as file:
        file.write(f'{_json(head)[:-1]}, "first": {_json(page)[:-1]}, "items": ['.encode())
        for number, annotation in enumerate(annotation_of(a, c) for a, claims in told for c in claims):
            file.write((",\n" if number else "\n").encode() + _json(annotation).encode("utf-8"))
        file.write(b"\n]}}\n")
        file.flush()
        file.seek(0)
        check_marks(path, (m for a, claims in told for m in marks_of(a, claims, a.facts["text_sha256"], with_text=False)), _marks_in(json.load(file)))
    return total


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _urn(name: str) -> str:
    """Return an IRI that is the same for the same name, and means nothing else."""
    return f"urn:uuid:{uuid.uuid5(_NAMES, name)}"


def annotation_of(article: JudgedArticle, claim: JudgedClaim) -> dict[str, Any]:
    """Return a claim as an annotation, without the context."""
    out: dict[str, Any] = {"id": _urn(claim.claim.claim_id), "type": "Annotation", "motivation": "assessing" if claim.verdict == "rejected" else "describing"}
    if claim.at:
        out["created"] = claim.at
    if any(claim.reviewers):
        out["creator"] = [{"type": "Person", "name": name} for name in claim.reviewers if name]
    out["generator"] = {"type": "Software", "name": claim.claim.model or "accordingto"}
    out["body"] = list(_bodies(article, claim))
    out["target"] = [_place(article, span) for span in claim.claim.content.spans]
    return out


def _bodies(article: JudgedArticle, claim: JudgedClaim) -> Iterator[dict[str, Any]]:
    """Yield what is said of the content: the claim as schema.org has it, its source and cue, the labels, the verdict and the note."""
    facts = {"type": "schema:Claim", "schema:identifier": claim.claim.claim_id, "schema:text": claim.claim.claim}
    author = {"schema:author": {"schema:name": claim.claim.speaker} | ({"schema:jobTitle": claim.claim.speaker_role} if claim.claim.speaker_role else {})} if claim.claim.speaker else {}
    published = {"schema:datePublished": claim.claim.published} if claim.claim.published else {}
    yield facts | author | published
    for part, purpose in PURPOSES.items():
        for span in getattr(claim.claim, part).spans:
            yield _place(article, span) | {"purpose": purpose}
    for field in (*LABELS, "attitude_target"):
        value = getattr(claim.claim, field)
        if value is not None:
            yield {"type": "TextualBody", "purpose": "tagging", "value": f"{field}: {str(value).lower() if isinstance(value, bool) else value}"}
    yield {"type": "TextualBody", "purpose": "assessing", "value": claim.verdict}
    if claim.note:
        yield {"type": "TextualBody", "purpose": "commenting", "value": claim.note}


def _place(article: JudgedArticle, span: CharSpan) -> dict[str, Any]:
    """Return a span of an article as a specific resource."""
    start, end = span
    text = article.text
    quote = {"type": "TextQuoteSelector", "exact": text[start:end], "prefix": text[max(0, start - AROUND) : start], "suffix": text[end : end + AROUND]}
    source = {"id": iri_of(article), "type": "Text", "format": "text/plain", "schema:sha256": article.facts["text_sha256"]}
    return {"type": "SpecificResource", "source": source, "selector": [quote, {"type": "TextPositionSelector", "start": start, "end": end}]}


def iri_of(article: JudgedArticle) -> str:
    """Return what an article goes by: its address, or a name made from its text where it has none that may stand in JSON-LD."""
    url = str(article.facts.get("url") or "")
    return url if _IRI.fullmatch(url) else _urn(f"text {article.facts['text_sha256']}")


def _marks_in(collection: dict[str, Any]) -> Iterator[Mark]:
    """Yield the marks of a collection as they are read back; raises KeyError where one lacks what it must have."""
    for annotation in collection["first"]["items"]:
        places = {part: [b for b in annotation["body"] if b["type"] == "SpecificResource" and b["purpose"] == purpose] for part, purpose in PURPOSES.items()}
        for part, found in (places | {"content": annotation["target"]}).items():
            if found:
                spans = tuple((p["selector"][1]["start"], p["selector"][1]["end"]) for p in found)
                yield Mark(found[0]["source"]["schema:sha256"], part, spans, tuple(p["selector"][0]["exact"] for p in found))
