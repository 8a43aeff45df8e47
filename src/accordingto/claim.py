"""Claims: the attributions of a Doc as rows for a reader."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from accordingto.furniture import NO_SPEAKERS
from accordingto.quotation import quotation_of, quoted_spans
from accordingto.schema import JOINT, WRITER, Article, Attribution, CharSpan, Claim, SpanText

if TYPE_CHECKING:
    from spacy.tokens import Doc

_OUTER_MARKS = re.compile(r"^[\s“„«\"‘'`]+|[\s”»\"’'`]+$")
_THAT = re.compile(r"^that\s+", re.IGNORECASE)
_EDGE = re.compile(r"^[\s,;:–—-]+|[\s,;:–—-]+$")


def claims_from_doc(article: Article, doc: Doc, *, model: str) -> list[Claim]:
    """Return the claims of an article, by the first character of their cues.

    Fields that no component of the pipeline fills are None; `why` then is the cue.
    """
    from accordingto.document import attributions_of  # brings spaCy, which the review needs not wait for

    attributions = attributions_of(doc)
    digest = hashlib.sha256(article.text.encode("utf-8")).digest()
    ids = [claim_id(digest, a) for a in attributions]
    quoted = quoted_spans(article.text)
    return [_claim(article, doc, a, ids, quoted, model, i) for i, a in sorted(enumerate(attributions), key=lambda pair: pair[1].cue)]


def claim_id(text_digest: bytes, attribution: Attribution) -> str:
    """Return an id that is the same for the same article text and the same spans, and begins with a letter."""
    spans = repr([attribution.source, attribution.cue, attribution.content]).encode("ascii")
    return "c_" + base64.b32encode(hashlib.sha256(text_digest + spans).digest()).decode("ascii")[:20].lower()


def _claim(article: Article, doc: Doc, attribution: Attribution, ids: Sequence[str], quoted: Sequence[CharSpan], model: str, number: int) -> Claim:
    text = article.text
    cue = _span_text(text, attribution.cue)
    return Claim(
        claim_id=ids[number],
        article_id=article.article_id,
        title=article.title,
        publisher=article.publisher,
        published=article.published,
        url=article.url,
        authors="; ".join(article.authors),
        language=article.language,
        speaker=named_speaker(attribution.speaker, attribution.source_kind, article.authors),
        speaker_role=attribution.speaker_role,
        source_kind=attribution.source_kind,
        stance=attribution.stance,
        negated=attribution.negated,
        certainty=attribution.certainty,
        attitude=attribution.attitude,
        attitude_target=attribution.attitude_target,
        framing=attribution.framing,
        attribution_type=attribution.attribution_type,
        quotation=quotation_of(attribution.content, quoted, text),
        claim=readable(text, attribution.content),
        source=_span_text(text, attribution.source),
        cue=cue,
        content=_span_text(text, attribution.content),
        context=_context(text, doc, attribution),
        parent_id=None if attribution.parent is None else ids[attribution.parent],
        confidence=attribution.confidence,
        speaker_confidence=attribution.speaker_confidence,
        stance_confidence=attribution.stance_confidence,
        why=_span_text(text, attribution.why).text or cue.text,
        model=model,
        src=article.src,
    )


def named_speaker(speaker: str | None, kind: str | None, authors: Sequence[str]) -> str | None:
    """Return a speaker by name where it is the article's writer, whom the text does not name and its metadata do."""
    people = [name for name in authors if not NO_SPEAKERS.fullmatch(name.strip())]
    return " and ".join(people) if people and (speaker, kind) == (WRITER, "author") else speaker


def _span_text(text: str, spans: Sequence[CharSpan]) -> SpanText:
    return SpanText(JOINT.join(text[s:e] for s, e in spans), tuple(spans))


def readable(text: str, spans: Iterable[CharSpan]) -> str:
    """Return content as a statement: without an introducing *that* and without the outer quotation marks, on one line.

    “We won,” … “and we will stay.”  ->  We won … and we will stay.
    """
    parts = [_without_outer_marks(" ".join(text[s:e].split())) for s, e in spans]
    return JOINT.join(part for part in parts if part)


def _without_outer_marks(part: str) -> str:
    """Return a fragment without *that* and without quotation marks around the whole of it; those of a quotation inside stay."""
    part = _THAT.sub("", _EDGE.sub("", part))
    spans = quoted_spans(part)
    if spans == [(0, len(part))]:  # whole, or opened here and closed in a later fragment
        part = _OUTER_MARKS.sub("", part)
    elif (part[-1:] in ("”", "»") and not any(e == len(part) for _, e in spans)) or (spans and spans[-1] == (len(part) - 1, len(part))):  # opened in an earlier fragment
        part = part[:-1]
    return _EDGE.sub("", part)


def _context(text: str, doc: Doc, attribution: Attribution) -> str:
    """Return the sentences from the first to the last that hold a part of the attribution, verbatim."""
    spans = [*attribution.source, *attribution.cue, *attribution.content]
    first, last = min(s for s, _ in spans), max(e for _, e in spans)
    whole = doc.char_span(first, last, alignment_mode="expand")
    assert whole is not None
    start, end = whole[0].sent.start_char, whole[-1].sent.end_char
    return text[start:end].strip()
