"""Judged articles for the tests of the exports: some by hand, and a strategy that draws the worst."""

import hashlib

from hypothesis import strategies as st

from accordingto.claim import claim_id
from accordingto.export.judged import VERDICTS, JudgedArticle, JudgedClaim
from accordingto.label import LABELS
from accordingto.schema import JOINT, Attribution, Claim, SpanText

TEXT = "“We stay,” Asif 😀 said.\nHe warned\tof war, reportedly.\r\nShe — Zoë — says he said it rained."
NASTY = "abc Zé́ß“”😀👩‍🚒\u0301\u0308\u200d\ufeffא中 .,\n\r\t\x0b\x85\u2028"


def article(text=TEXT, claims=(), **facts) -> JudgedArticle:
    known = {"article_id": "a", "title": "T", "publisher": "", "published": "2025-01-02", "url": "https://news.example/a", "language": "en", "authors": ["A. B."], "src": {"beat": "x"}}
    origin = {"path": "a.txt", "locator": "", "text_sha256": hashlib.sha256(text.encode()).hexdigest(), "duplicate_of": "", "near_duplicate_of": "", "status": "extracted", "claims": len(claims)}
    return JudgedArticle(known | origin | facts, text, tuple(claims))


def judged(source, cue, content, verdict="accepted", text=TEXT, parent=None, **changes) -> JudgedClaim:
    """Return a claim; the parts are spans, or words that stand in the text."""
    parts = {name: _spans(part, text) for name, part in (("source", source), ("cue", cue), ("content", content))}
    digest = hashlib.sha256(text.encode()).digest()
    empty = dict.fromkeys(("speaker", "speaker_role", "source_kind", "stance", "negated", "certainty", "attitude", "attitude_target", "framing", "attribution_type", "speaker_confidence", "stance_confidence"))
    facts = {"claim_id": claim_id(digest, Attribution(parts["source"], parts["cue"], parts["content"], None, 0.0)), "article_id": "a", "quotation": "direct", "claim": "we stay", "context": "", "confidence": 0.5}
    own = {key: changes.pop(key) for key in ("reviewers", "at", "note", "machine") if key in changes}
    spans = {name: SpanText(JOINT.join(text[s:e] for s, e in places), places) for name, places in parts.items()}
    meta = {"title": "T", "publisher": "", "published": "2025-01-02", "url": "", "why": "said", "model": "m 1", "parent_id": parent}
    return JudgedClaim(Claim(**(empty | facts | spans | meta | changes)), verdict, **({"reviewers": ("Ann",), "at": "2025-01-03T00:00:00.000000+00:00"} | own))


def _spans(part, text):
    if isinstance(part, str):
        return ((text.index(part), text.index(part) + len(part)),) if part else ()
    return tuple(part)


@st.composite
def spans_in(draw, length: int, least: int):
    edges = draw(st.lists(st.integers(0, length), min_size=2 * least, max_size=6, unique=True))
    edges = sorted(edges[: len(edges) // 2 * 2])
    return tuple(zip(edges[::2], edges[1::2]))


@st.composite
def articles(draw, most: int = 3):
    """Draw articles with different texts and ids, each claim once, of every verdict."""
    word = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    out = {}
    for number in range(draw(st.integers(1, most))):
        text = draw(st.text(st.one_of(st.sampled_from(NASTY), st.characters(exclude_categories=["Cs"])), min_size=2, max_size=60))
        claims = {}
        for _ in range(draw(st.integers(0, 4))):
            labels = {name: draw(st.none() | st.sampled_from(values)) for name, values in LABELS.items()} | {name: draw(st.none() | word) for name in ("speaker", "speaker_role", "attitude_target")}
            parent = draw(st.none() | st.sampled_from(sorted(claims))) if claims else None
            made = judged(draw(spans_in(len(text), 0)), draw(spans_in(len(text), 1)), draw(spans_in(len(text), 1)), draw(st.sampled_from(VERDICTS)), text, parent, note=draw(word), **labels)
            claims[made.claim.claim_id] = made
        name = draw(st.sampled_from([f"{number}", f"../{number}", f"A {number}\t", f"a_{number}"]))
        out[text] = article(text, claims.values(), article_id=name, title=draw(word), url=draw(st.sampled_from(["", "https://x.y/é?a=1", "not an address", "javascript:alert(1)"])))
    return list(out.values())
