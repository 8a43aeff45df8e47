"""Sections of the report: each question about the claims, with its chart and tables, and the claims behind every number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from accordingto import chart
from accordingto.chart import Bar
from accordingto.reviewed import ReviewedClaim
from accordingto.say import many

SPEAKERS, STANCE_SPEAKERS, PAIRS, PUBLISHERS, BARS = 50, 20, 30, 20, 15  # rows of a table, and of a chart; all others share one row more

UNLABELLED, OTHER_WORD = "not labelled", "another word"
LABELS = {  # the words of the labels, in the order in which they are shown, with the colour of each in the charts
    "stance": dict.fromkeys(("assert", "confirm", "deny", "accuse", "support", "warn", "demand", "commit", "ask", "other"), chart.BLUE),
    "kind": {"person": chart.BLUE, "organization": chart.SKY, "document": chart.GREEN, "unnamed": chart.RED, "group": chart.ORANGE, "author": chart.PINK, "none": chart.GREY},
    "framing": {"endorses": chart.BLUE, "neutral": chart.GREY, "distances": chart.ORANGE, "disputes": chart.RED},
    "attribution_type": {"communication": chart.BLUE, "belief": chart.ORANGE, "knowledge": chart.GREEN, "intention": chart.PINK},
    "attitude": {"against": chart.RED, "favor": chart.BLUE, "neutral": chart.GREY},
}
WORDS = {"stance": "stance", "kind": "kind of source", "framing": "framing", "attribution_type": "type of attribution", "attitude": "attitude"}
EXTRA_COLOURS = {OTHER_WORD: "#f0e442", UNLABELLED: chart.PALE}

KINDS_LEAD = "A person, an organization and a document have a name; “unnamed” is one person without a name, “group” is several people (officials, critics), “none” means that no source is stated."
FRAMING_LEAD = "Endorsing words (revealed, pointed out) present a claim as true, distancing ones (claimed, alleged) leave it open, disputing ones (falsely claimed) present it as false."
TYPES_LEAD = "Communication is what was said or written; belief, knowledge and intention are what the article ascribes to somebody’s mind."


@dataclass(frozen=True)
class Count:
    """A number of the page, and the list of the claims behind it."""

    number: int
    list: int
    heading: str  # of the list
    level: int = 0  # 0 to 5: how strongly its cell is coloured
    unit: str = "claim"


@dataclass(frozen=True)
class TableRow:
    """A row of a table of the page: its name, and numbers or words."""

    name: str
    cells: tuple[Count | str, ...]


@dataclass(frozen=True)
class PageTable:
    """A table of the page."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[TableRow, ...]
    open: bool = False  # shown at once, not behind its summary


@dataclass(frozen=True)
class Section:
    """A question, with the chart and the tables that answer it."""

    id: str
    title: str
    lead: str
    svg: str
    legend: tuple[tuple[str, str], ...]
    tables: tuple[PageTable, ...]


Rows = list[tuple[str, list[int]]]  # a name, and the numbers of its claims


class Lists:
    """The lists of claims that the page's numbers lead to."""

    def __init__(self, claims: int) -> None:
        self.counts: list[Count] = []  # by the number of the list
        self.of_claim: list[list[int]] = [[] for _ in range(claims)]
        self._known: dict[tuple[str, tuple[int, ...]], Count] = {}

    def count(self, heading: str, claims: Sequence[int]) -> Count:
        """Return the number of some claims, and make the list of them unless it is there."""
        key = (heading, tuple(claims))
        count = self._known.get(key)
        if count is None:
            count = self._known[key] = Count(len(claims), len(self.counts), heading)
            self.counts.append(count)
            for claim in claims:
                self.of_claim[claim].append(count.list)
        return count


def sections_of(claims: Sequence[ReviewedClaim], lists: Lists) -> list[Section]:
    """Return the questions about some claims in the order of the page; their numbers are put into `lists`."""
    everything = list(range(len(claims)))
    speakers = _by_frequency(claims, everything, _speaker_of)
    publishers = _publishers(claims, everything)
    return [
        _speakers_section(claims, speakers, lists),
        _stance_section(claims, speakers, lists),
        _attitude_section(claims, lists),
        _shares_section(claims, publishers, lists, "kind", "sources", "Named and unnamed sources", _kinds_lead(claims)),
        _shares_section(claims, publishers, lists, "framing", "framing", "How the articles present what is said", FRAMING_LEAD),
        _shares_section(claims, publishers, lists, "attribution_type", "types", "Said, believed, known or intended", TYPES_LEAD),
    ]


def _speakers_section(claims: Sequence[ReviewedClaim], speakers: Rows, lists: Lists) -> Section:
    rows = _most(speakers, SPEAKERS, "speakers")
    counts = [lists.count(f"Speaker: {name}", members) for name, members in rows]
    articles = [len({claims[i].article for i in members}) for _, members in rows]
    nested = [lists.count(f"Speaker: {name} · nested", [i for i in members if claims[i].parent_id]) for name, members in rows]
    kinds = [_kinds_of(claims, members) for _, members in rows]
    table = PageTable(
        "Speakers by number of claims",
        ("speaker", "claims", "of these nested", "articles", "kind of source"),
        tuple(TableRow(name, (count, inner, replace(count, number=number, unit="article"), kind)) for (name, _), count, inner, number, kind in zip(rows, counts, nested, articles, kinds)),
    )
    bars = [Bar(name, count.number, f"#l{count.list}") for (name, _), count in zip(rows, counts)][:BARS]
    named = len({claim.speaker.casefold() for claim in claims if claim.speaker})
    lead = f"{many(named, 'speaker')} in all; a speaker is the source resolved over its article, and the same name in two articles counts as one speaker."
    return Section("speakers", "Who speaks how often", lead, chart.bars_chart("Claims of the most frequent speakers", bars), (), (table,))


def _stance_section(claims: Sequence[ReviewedClaim], speakers: Rows, lists: Lists) -> Section:
    rows = [("All claims", list(range(len(claims)))), *_most(speakers, STANCE_SPEAKERS, "speakers")]
    table = _cross(claims, rows, lists, "stance", "Stance by speaker: the stronger the colour, the larger the part of the speaker’s claims", "speaker")
    bars = [replace(bar, label=value) for value, bar in zip(table.head[2:], _bars(table, table.rows[0]))]
    svg = chart.bars_chart("Stance of all claims", bars) if _labelled(claims, "stance") else ""
    lead = "What the speakers do with what they say: assert, deny, accuse, demand and so on." + _unlabelled_note(claims, "stance")
    return Section("stance", "With what stance", lead, svg, (), (table,))


def _attitude_section(claims: Sequence[ReviewedClaim], lists: Lists) -> Section:
    everything = list(range(len(claims)))
    overall = _cross(claims, [("All claims", everything)], lists, "attitude", "Attitude of all claims", "claims")
    lead = "The attitude of a speaker to the main person, body or matter of a claim, where the words show one." + _unlabelled_note(claims, "attitude")
    taken = [i for i in everything if claims[i].attitude in ("against", "favor")]
    if not taken:
        return Section("attitude", "Who is against whom", lead, "", (), (overall,))
    rows = []
    for name, members in _by_frequency(claims, taken, _target_of)[:BARS]:
        against, favor = (Bar(count.heading, count.number, f"#l{count.list}") for count in _sides(claims, members, f"Target: {name}", lists))
        rows.append((name, against, favor))
    svg = chart.opposed_chart("Claims against and in favour of the most frequent targets", rows)
    lead += " The chart has the most frequent targets: claims against them to the left, in favour of them to the right."
    return Section("attitude", "Who is against whom", lead, svg, (("against", chart.RED), ("in favour", chart.BLUE)), (_pairs_table(claims, taken, lists), overall))


def _pairs_table(claims: Sequence[ReviewedClaim], taken: Sequence[int], lists: Lists) -> PageTable:
    pairs = _by_frequency(claims, taken, lambda claim: f"{_speaker_of(claim)} → {_target_of(claim)}")
    rows = []
    for number, (name, members) in enumerate(_most(pairs, PAIRS, "pairs")):
        one = pairs[number] == (name, members)  # not the row of all others
        first = claims[members[0]]
        rows.append(TableRow(_speaker_of(first) if one else name, (_target_of(first) if one else "", *_sides(claims, members, name, lists))))
    return PageTable("Who is against or in favour of whom or what", ("speaker", "target", "against", "in favour"), tuple(rows), open=True)


def _shares_section(claims: Sequence[ReviewedClaim], publishers: Rows, lists: Lists, field: str, id: str, title: str, lead: str) -> Section:
    """Return a label's shares, over all claims and by publisher."""
    caption = WORDS[field].capitalize() + (", by publisher" if len(publishers) > 1 else " of all claims")
    table = _cross(claims, publishers, lists, field, caption, "publisher")
    colours = [(LABELS[field] | EXTRA_COLOURS)[name] for name in table.head[2:]]
    rows = [(row.name, _bars(table, row)) for row in table.rows[: BARS + 1]]
    svg = chart.shares_chart(f"{title}: shares of the claims", rows, colours) if _labelled(claims, field) else ""
    return Section(id, title, lead + _unlabelled_note(claims, field), svg, tuple(zip(table.head[2:], colours)) if svg else (), (table,))


def _cross(claims: Sequence[ReviewedClaim], rows: Rows, lists: Lists, field: str, caption: str, corner: str) -> PageTable:
    """Return a table of rows against the values of a label: all values that occur, in the order of LABELS, and those not labelled at the end."""
    order = (*LABELS[field], OTHER_WORD, UNLABELLED)
    cells: list[dict[str, list[int]]] = []
    for _, members in rows:
        by_value: dict[str, list[int]] = defaultdict(list)
        for i in members:
            by_value[_value(claims[i], field)].append(i)
        cells.append(by_value)
    values = [value for value in order if any(value in by_value for by_value in cells)]
    body = []
    for (name, members), by_value in zip(rows, cells):
        total = lists.count(name if name == "All claims" else f"{corner.capitalize()}: {name}", members)
        counts = (replace(lists.count(f"{total.heading} · {WORDS[field]}: {value}", by_value[value]), level=_level(len(by_value[value]), len(members))) for value in values)
        body.append(TableRow(name, (total, *counts)))
    return PageTable(caption, (corner, "claims", *values), tuple(body), open=corner == "speaker" and values != [UNLABELLED])


def _bars(table: PageTable, row: TableRow) -> list[Bar]:
    """Return a row of `_cross` as bars, without its total."""
    return [Bar(f"{row.name}, {name}", cell.number, f"#l{cell.list}") for name, cell in zip(table.head[2:], row.cells[1:]) if isinstance(cell, Count)]


def _sides(claims: Sequence[ReviewedClaim], members: Sequence[int], name: str, lists: Lists) -> tuple[Count, Count]:
    """Return how many of some claims are against and in favour."""
    against, favor = (lists.count(f"{name} · {words}", [i for i in members if claims[i].attitude == value]) for value, words in (("against", "against"), ("favor", "in favour")))
    return against, favor


def _level(part: int, whole: int) -> int:
    """Return 0 to 5 for a part of a whole: 0, up to 10, 20, 40, 60 and 100 %."""
    share = part / whole if whole else 0
    return sum(share > bound for bound in (0, 0.1, 0.2, 0.4, 0.6))


def _value(claim: ReviewedClaim, field: str) -> str:
    value: str = getattr(claim, field)
    return (value if value in LABELS[field] else OTHER_WORD) if value else UNLABELLED


def _labelled(claims: Sequence[ReviewedClaim], field: str) -> bool:
    return any(getattr(claim, field) for claim in claims)


def _unlabelled_note(claims: Sequence[ReviewedClaim], field: str) -> str:
    missing = sum(not getattr(claim, field) for claim in claims)
    if missing == len(claims):
        return " None of the claims is labelled so: the pipeline that made the table does not fill this column."
    return f" {many(missing, 'claim')} of {len(claims):,} {'is' if missing == 1 else 'are'} not labelled, and shown as such." if missing else ""


def _speaker_of(claim: ReviewedClaim) -> str:
    if claim.speaker:
        return claim.speaker
    return "(speaker not resolved)" if claim.parts[0][1] else "(no source stated)"


def _target_of(claim: ReviewedClaim) -> str:
    return claim.target or "(target not named)"


def _publisher_of(claim: ReviewedClaim) -> str:
    return " ".join(claim.publisher.split()) or "(publisher not known)"


def _by_frequency(claims: Sequence[ReviewedClaim], members: Iterable[int], name_of: Callable[[ReviewedClaim], str]) -> Rows:
    """Return the names with their claims, the most frequent first. Names are the same whatever their capitals; the most frequent spelling is shown."""
    groups: dict[str, list[int]] = defaultdict(list)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for i in members:
        name = name_of(claims[i])
        groups[name.casefold()].append(i)
        spellings[name.casefold()][name] += 1
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [(spellings[key].most_common(1)[0][0], found) for key, found in ordered]


def _most(rows: Rows, most: int, what: str) -> Rows:
    """Return the first rows, and one more for all others."""
    others = rows[most:]
    if len(others) < 2:
        return rows
    return [*rows[:most], (f"(all {len(others):,} other {what})", sorted(i for _, members in others for i in members))]


def _publishers(claims: Sequence[ReviewedClaim], everything: list[int]) -> Rows:
    """Return all claims, and those of each publisher where there are several."""
    rows = _by_frequency(claims, everything, _publisher_of)
    return [("All claims", everything), *(_most(rows, PUBLISHERS, "publishers") if len(rows) > 1 else [])]


def _kinds_of(claims: Sequence[ReviewedClaim], members: Iterable[int]) -> str:
    """Return the most frequent kinds of source of some claims, with their numbers where there are several."""
    kinds = Counter(_value(claims[i], "kind") for i in members).most_common()
    if len(kinds) == 1:
        return kinds[0][0]
    return ", ".join(f"{kind} {number:,}" for kind, number in kinds[:3]) + (" and others" if len(kinds) > 3 else "")


def _kinds_lead(claims: Sequence[ReviewedClaim]) -> str:
    unnamed = sum(claim.kind in ("unnamed", "group") for claim in claims)
    return f"{unnamed / len(claims):.0%} of the claims come from an unnamed person or a group. {KINDS_LEAD}" if _labelled(claims, "kind") else KINDS_LEAD
