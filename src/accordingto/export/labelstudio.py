"""Label Studio: a task an article, with the labelling configuration that belongs to it.

What reviewers settled is an annotation, what nobody has is a prediction. https://labelstud.io/guide/task_format and
https://labelstud.io/guide/predictions. Offsets count code points, as Label Studio has stored them since version 1.5.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from accordingto.export.judged import OPEN, JudgedArticle, JudgedClaim, parents_among
from accordingto.export.mark import PARTS, Mark, check_marks, marks_of, whole_text
from accordingto.label import LABELS
from accordingto.schema import CharSpan
from accordingto.table import replacing

RELATIONS = {"source": "says", "content": "is said", "parent": "stands inside"}  # from the part to the cue; from a claim's cue to that of the claim around it
TEXTS = ("speaker", "speaker_role", "attitude_target")


def write_labelstudio(articles: Sequence[JudgedArticle], path: Path, *, unreviewed: bool) -> int:
    """Write tasks, and their configuration beside them as .xml; return the number of claims.

    Raises OutputError where the file, read again, does not hold what was given.
    """
    tasks = [task_of(a, unreviewed=unreviewed) for a in articles]
    with replacing(path) as file:
        file.write(b"[" + b",\n".join(json.dumps(task, ensure_ascii=False).encode("utf-8") for task in tasks) + b"]\n")
        file.flush()
        file.seek(0)
        check_marks(path, (m for a in articles for m in marks_of(a, _in_order(a, unreviewed), a.article_id)), _marks_in(json.load(file)))
    with replacing(path.with_suffix(".xml")) as file:
        file.write(configuration().encode("utf-8"))
    return sum(len(a.held(unreviewed=unreviewed)) for a in articles)


def _in_order(article: JudgedArticle, unreviewed: bool) -> list[JudgedClaim]:
    """Return the claims as they stand in a task: the settled ones first."""
    return sorted(article.held(unreviewed=unreviewed), key=lambda c: c.verdict in OPEN)


def task_of(article: JudgedArticle, *, unreviewed: bool) -> dict[str, Any]:
    """Return an article as a task."""
    claims = _in_order(article, unreviewed)
    parents = [None if parent is None else claims[parent] for parent in parents_among(claims)]
    results = [(c, list(_results(article.text, c, parent))) for c, parent in zip(claims, parents, strict=True)]
    settled = [r for c, found in results if c.verdict not in OPEN for r in found]
    known = {name: article.facts.get(name) or "" for name in ("article_id", "title", "publisher", "published", "url")}
    task: dict[str, Any] = {"data": {"text": article.text} | known, "meta": {"text_sha256": article.facts["text_sha256"]}}
    task["annotations"] = [{"result": settled, "was_cancelled": False, "ground_truth": article.settled}] if settled else []
    task["predictions"] = list(_predictions(results))
    return task


def _predictions(results: Sequence[tuple[JudgedClaim, list[dict[str, Any]]]]) -> Iterator[dict[str, Any]]:
    """Yield what nobody has settled, a prediction for each model; its score is that of the claim that is least sure."""
    for model in dict.fromkeys(c.claim.model for c, _ in results if c.verdict in OPEN):
        own = [(c, found) for c, found in results if c.verdict in OPEN and c.claim.model == model]
        yield {"model_version": model, "score": min(c.claim.confidence for c, _ in own), "result": [r for _, found in own for r in found]}


def _results(text: str, claim: JudgedClaim, parent: JudgedClaim | None) -> Iterator[dict[str, Any]]:
    """Yield a claim's regions, what is chosen and written for the cue's first one, and the relations between them."""
    regions = {part: [(_region_id(claim, part, i), span) for i, span in enumerate(getattr(claim.claim, part).spans)] for part in PARTS}
    for part, places in regions.items():
        for name, span in places:
            yield {"id": name, "from_name": "label", "to_name": "text", "type": "labels", "value": _value(text, span) | {"labels": [part.capitalize()]}}
    if not regions["cue"]:
        return
    cue, place = regions["cue"][0]
    yield from _facts(text, claim, cue, place)
    for part in ("source", "content"):
        yield from (_relation(name, cue, RELATIONS[part]) for name, _ in regions[part])
    yield from (_relation(name, cue, "goes on") for name, _ in regions["cue"][1:])
    if parent is not None:
        yield _relation(cue, _region_id(parent, "cue", 0), RELATIONS["parent"])


def _region_id(claim: JudgedClaim, part: str, number: int) -> str:
    return f"{claim.claim.claim_id}_{part}_{number}"


def _value(text: str, span: CharSpan) -> dict[str, Any]:
    return {"start": span[0], "end": span[1], "text": text[span[0] : span[1]]}


def _facts(text: str, claim: JudgedClaim, region: str, span: CharSpan) -> Iterator[dict[str, Any]]:
    """Yield the labels of a claim as choices, and its speaker, role and target as texts, all for its cue."""
    for field in LABELS:
        value = getattr(claim.claim, field)
        if value is not None:
            yield {"id": region, "from_name": field, "to_name": "text", "type": "choices", "value": _value(text, span) | {"choices": [str(value).lower()]}}
    for field in TEXTS:
        value = getattr(claim.claim, field)
        if value:
            yield {"id": region, "from_name": field, "to_name": "text", "type": "textarea", "value": _value(text, span) | {"text": [value]}}


def _relation(start: str, end: str, label: str) -> dict[str, Any]:
    return {"type": "relation", "from_id": start, "to_id": end, "direction": "right", "labels": [label]}


def configuration() -> str:
    """Return the labelling configuration; spaces are kept as they are, or the offsets would be others."""
    relations = "".join(f"    <Relation value={quoteattr(value)}/>\n" for value in (*RELATIONS.values(), "goes on"))
    labels = "".join(f"    <Label value={quoteattr(part.capitalize())}/>\n" for part in PARTS)
    of_cue = 'toName="text" perRegion="true" whenTagName="label" whenLabelValue="Cue"'
    choices = "".join(_choices(field, of_cue) for field in LABELS)
    texts = "".join(f"  <Header value={quoteattr(field)}/>\n  <TextArea name={quoteattr(field)} {of_cue} maxSubmissions=\"1\"/>\n" for field in TEXTS)
    text = '  <Text name="text" value="$text" granularity="symbol"/>\n'
    style = "  <Style>.htx-text { white-space: pre-wrap; }</Style>\n"
    return f'<View>\n{style}  <Relations>\n{relations}  </Relations>\n  <Labels name="label" toName="text">\n{labels}  </Labels>\n{text}{choices}{texts}</View>\n'


def _choices(field: str, of_cue: str) -> str:
    values = "".join(f"    <Choice value={quoteattr(str(value).lower())}/>\n" for value in LABELS[field])
    return f"  <Header value={quoteattr(field)}/>\n  <Choices name={quoteattr(field)} {of_cue} choice=\"single\">\n{values}  </Choices>\n"


def _marks_in(tasks: Sequence[dict[str, Any]]) -> Iterator[Mark]:
    """Yield the marks of tasks as they are read back; a region's id tells its claim and part."""
    for task in tasks:
        yield whole_text(task["data"]["article_id"], task["data"]["text"])
        found: dict[str, list[dict[str, Any]]] = {}
        for result in (r for made in (*task["annotations"], *task["predictions"]) for r in made["result"]):
            if result["type"] == "labels":
                found.setdefault(result["id"].rpartition("_")[0], []).append(result)
        for regions in found.values():
            spans = tuple((r["value"]["start"], r["value"]["end"]) for r in regions)
            texts = tuple(task["data"]["text"][s:e] for s, e in spans)
            same = all(r["value"]["text"] == covered for r, covered in zip(regions, texts, strict=True))
            yield Mark(task["data"]["article_id"], regions[0]["value"]["labels"][0].lower(), spans, texts if same else (*texts, "another text"))
