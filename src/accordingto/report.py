"""The report: tables of claims as one HTML page that needs no network, in which every number leads to the claims that it counts.

A number is a link to a heading (`#l7`) that the style sheet shows only while it is the page's target, and with it
only the claims of the class `l7`: filters without a script. The words of a table are untrusted: Jinja2 escapes each,
`reviewed.py` has taken out what controls, `link` lets only web addresses become links, and the page's
Content-Security-Policy refuses every script, and every style but its own.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from accordingto.chart import shorten
from accordingto.errors import OutputError
from accordingto.link import link
from accordingto.reviewed import Covered, ReviewedClaim, read_reviewed
from accordingto.say import many
from accordingto.schema import JOINT
from accordingto.section import Count, Lists, Section, TableRow, sections_of
from accordingto.table import replacing

ENDINGS = (".html", ".htm")
FULL, LISTED = 20_000, 100_000  # claims up to which each has its context, a page of 15 MB; beyond which they are counted but not listed, a page of 30 MB
PIPELINES = 10  # that are named; all others share one number
CHARS = {"name": 60, "claim": 2_000, "short": 300, "context": 3_000}  # that are shown; a cut is marked


@dataclass(frozen=True)
class ListedClaim:
    """A claim in the list at the end of the page."""

    number: int
    claim: ReviewedClaim
    lists: str  # the classes of the lists that hold it
    parent: int | None  # the number of the claim that it stands in, where that is listed


@dataclass(frozen=True)
class ListedArticle:
    """An article in the list at the end of the page."""

    lists: str
    claims: tuple[ListedClaim, ...]


def write_report(tables: Sequence[Path], output: Path | str) -> Covered:
    """Write the page of all claims of some tables, and return what it covers. Raises TableError, OutputError.

    The same tables give the same bytes. The claims are held in memory.
    """
    output = Path(output)
    if output.suffix.lower() not in ENDINGS:
        raise OutputError(output, f"{output.suffix!r} is no ending of a page", f"choose a name that ends in {ENDINGS[0]}")
    for package in ("jinja2", "matplotlib"):
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise OutputError(output, f"the package {package} is missing", "pip install 'accordingto[report]'") from error
    covered = read_reviewed(tables)
    lists = Lists(len(covered.claims))
    facts = facts_of(covered, lists)
    sections = sections_of(covered.claims, lists)
    with replacing(output) as file:
        for part in page_of(covered, facts, sections, lists):
            file.write(part.encode("utf-8"))
    return covered


def facts_of(covered: Covered, lists: Lists) -> list[TableRow]:
    """Return what a reader must know before the numbers: what they cover, who made them, what was left out."""
    claims = covered.claims
    articles = len({claim.article for claim in claims})
    tables = ", ".join(f"{name} ({many(rows, 'row')})" for name, rows in covered.tables)
    nested = lists.count("Nested claims", [i for i, c in enumerate(claims) if c.parent_id])
    facts = [
        TableRow("Covers", (lists.count("All claims", range(len(claims))), f" of {many(articles, 'article')}, from {many(len(covered.tables), 'table')}: {tables}")),
        TableRow("Published", (_dates(claims),)),
        TableRow("Made by", _with_commas(_pipelines(claims, lists))),
        TableRow("Nested", (nested, " inside of what another claim attributes; counted like the others and marked ↳")),
    ]
    confidences = [c.confidence for c in claims if c.confidence is not None]
    if confidences:
        facts.append(TableRow("Confidence", (f"{sum(confidences) / len(confidences):.2f} on average: of a hundred claims, about so many are right before a person has reviewed them",)))
    return facts + _review_facts(covered, lists)


def _pipelines(claims: Sequence[ReviewedClaim], lists: Lists) -> list[tuple[str, Count]]:
    """Return the pipelines that made the claims, each with its number."""
    models: dict[str, list[int]] = defaultdict(list)
    for i, claim in enumerate(claims):
        models[claim.model or "(pipeline not named)"].append(i)
    named = sorted(models.items(), key=lambda item: (-len(item[1]), item[0]))
    others = sorted(i for _, members in named[PIPELINES:] for i in members)
    rows = named[:PIPELINES] + ([(f"({many(len(named) - PIPELINES, 'other pipeline')})", others)] if others else [])
    return [(shorten(name, CHARS["name"]), lists.count(f"Made by: {name}", members)) for name, members in rows]


def _review_facts(covered: Covered, lists: Lists) -> list[TableRow]:
    """Return what reviewers decided, and what of it could not be taken."""
    by_decision: dict[str, list[int]] = {"accepted": [], "unsure": [], "": []}
    for i, claim in enumerate(covered.claims):
        by_decision[claim.decision].append(i)
    reviewed = covered.rejected or by_decision["accepted"] or by_decision["unsure"]
    counts = _with_commas([(name or "not reviewed", lists.count((name or "not reviewed").capitalize(), members)) for name, members in by_decision.items()]) if reviewed else ()
    facts = [TableRow("Review", (*counts, f"; {many(covered.rejected, 'rejected claim')} left out of every number") if reviewed else ("no claim is marked as reviewed",))]
    corrected = [i for i, claim in enumerate(covered.claims) if claim.corrected]
    if corrected:
        facts.append(TableRow("Corrected", (lists.count("Corrected claims", corrected), " shown and counted with the reviewer’s speaker, stance or wording")))
    if covered.other_decisions:
        words = ", ".join(f"“{shorten(word, CHARS['name'])}”" for word, _ in covered.other_decisions.most_common(3))
        facts.append(TableRow("Unknown decisions", (f"{many(covered.other_decisions.total(), 'row')} with {words}, which is none of accept, reject and unsure; taken as not reviewed",)))
    if covered.repeated:
        facts.append(TableRow("Repeated", (f"{many(covered.repeated, 'row')} of a claim that an earlier row has already; each claim is counted once, as last reviewed",)))
    return facts


def _with_commas(pairs: Sequence[tuple[str, Count]]) -> tuple[Count | str, ...]:
    return tuple(cell for place, (words, count) in enumerate(pairs) for cell in (f"{', ' if place else ''}{words}: ", count))


def _dates(claims: Sequence[ReviewedClaim]) -> str:
    """Return from when to when the articles were published, by those that have a date that begins like 2026-11-18."""
    published = dict.fromkeys((claim.article, claim.published.strip()) for claim in claims)
    days = sorted(day for _, text in published if (day := _day(text)))
    missing = len({article for article, text in published if not _day(text)})
    without = f"{many(missing, 'article')} without a date" if missing else ""
    if not days:
        return without
    return " to ".join(dict.fromkeys((days[0], days[-1]))) + (f"; {without}" if without else "")


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""


def page_of(covered: Covered, facts: Sequence[TableRow], sections: Sequence[Section], lists: Lists) -> Iterator[str]:
    """Yield the page in parts, so that it is never whole in memory."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"shorten": shorten, "link": link, "marked": marked_context}
    style = _resource("report.css") + _rules(len(lists.counts))
    listed = Counter(number for of_claim in lists.of_claim[:LISTED] for number in of_claim)
    values = {
        "style": Markup(style),  # noqa: S704  (ours, with numbers alone)
        "style_hash": base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii"),
        "facts": facts,
        "sections": sections,
        "lists": [(count, listed[count.list]) for count in lists.counts if count.number],
        "articles": _articles(covered.claims[:LISTED], lists),
        "claims": len(covered.claims),
        "full": len(covered.claims) <= FULL,
        "limits": {"full": FULL, "listed": LISTED},
        "chars": CHARS,
    }
    template = environment.from_string(_resource("report.html.jinja"))
    stream = template.stream(values)
    stream.enable_buffering(1_000)  # of the template's parts, some of a few characters
    yield from stream


def _rules(lists: int) -> str:
    """Return the style sheet's rules of the lists: when one is the target, its claims and their articles are shown."""
    return "".join(f"#l{n}:target~#claims .l{n}{{display:block}}" for n in range(lists))


def _articles(claims: Sequence[ReviewedClaim], lists: Lists) -> Iterator[ListedArticle]:
    numbers = {(claim.article, claim.claim_id): number for number, claim in enumerate(claims)}
    start = 0
    for end in range(1, len(claims) + 1):
        if end == len(claims) or claims[end].article != claims[start].article:
            rows = (ListedClaim(i, claims[i], _classes(lists.of_claim[i]), numbers.get((claims[i].article, claims[i].parent_id))) for i in range(start, end))
            yield ListedArticle(_classes(sorted({n for i in range(start, end) for n in lists.of_claim[i]})), tuple(rows))
            start = end


def _classes(lists: Sequence[int]) -> str:
    return " ".join(f"l{n}" for n in lists)


def marked_context(claim: ReviewedClaim) -> list[tuple[str, str]]:
    """Return the context in pieces, each with the part that it is: source, cue, content or nothing; empty where the parts are not found in it.

    The spans count from the article's start, the context's place is not in the table: it is where all parts fit.
    """
    pieces = sorted(piece for name, text, spans in claim.parts for piece in _pieces(name, text, spans))
    if not pieces or len(claim.context) > CHARS["context"]:
        return []
    start, _, _, first = pieces[0]
    at = claim.context.find(first)
    while at >= 0:
        if all(claim.context[s - start + at : e - start + at] == text for s, e, _, text in pieces):
            return _cut([(s - start + at, e - start + at, name) for s, e, name, _ in pieces], claim.context)
        at = claim.context.find(first, at + 1)
    return []


def _pieces(name: str, text: str, spans: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield start, end, name and text of the fragments of a part; the text of all but the end of a damaged one."""
    at = 0
    for span in spans.split(";") if spans else ():
        numbers = span.split()
        if len(numbers) != 2 or not all(n.isascii() and n.isdigit() for n in numbers):
            return
        start, end = map(int, numbers)
        yield start, end, name, text[at : at + end - start]
        at += end - start + len(JOINT)


def _cut(spans: Sequence[tuple[int, int, str]], text: str) -> list[tuple[str, str]]:
    parts, at = [], 0
    for start, end, name in spans:
        if start >= at:  # parts do not overlap, unless a table was edited
            parts += [("", text[at:start]), (name, text[start:end])]
            at = end
    return [(name, part) for name, part in [*parts, ("", text[at:])] if part]


def _resource(name: str) -> str:
    return files("accordingto").joinpath(name).read_text(encoding="utf-8")
