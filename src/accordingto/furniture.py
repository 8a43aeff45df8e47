"""Furniture: what a web page stands around an article and what survives extraction: desks, times, datelines, links, captions.

Knows texts and spans, no Doc: the review's page shows furniture too, and need not wait for spaCy.
Rules over lines. Chosen on the seeds and on the articles written for this project (train); tests/test_furniture.py holds what they must leave alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from accordingto.schema import Attribution, CharSpan

Piece = tuple[int, int, str]  # start, end, type; in characters
_MONTH = r"(?i:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
_CLOCK = r"\d{1,2}[:.]\d\d(?::\d\d)?\s*(?:[ap]\.?m\.?)?"
_DATE = rf"(?:{_DAY},?\s+)?(?:\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?)(?:,?\s+\d{{4}})?"
_NUMERIC = r"\d{1,4}[/-]\d{1,2}(?:[/-]\d{2,4})?"
_AGO = r"(?:\d+|an?|one|two|three|few)\s*(?:s|m|h|d|secs?|mins?|minutes?|hrs?|hours?|days?|weeks?|months?)\.?\s+ago"
_WHEN = rf"(?:{_AGO}|{_DATE}|{_NUMERIC}|{_CLOCK}|today|yesterday|just now)"
_NEWSROOM = r"(?:staff|special|own|diplomatic|political|senior|chief|bureau|court|city|sports|crime|news|business|local)"
_DESK = (
    rf"(?:(?:[\w&.'’]+\s+){{0,3}}(?:desk|newsdesk|newsroom|news\s+(?:staff|service|agency|agencies))|agencies|(?:[\w&.'’]+\s+){{1,3}}and\s+agencies|"
    rf"(?:our\s+|by\s+our\s+)?{_NEWSROOM}\s+(?:reporter|correspondent|report|writers?|staff)|"
    r"(?:our|by\s+our|from\s+our)\s+(?:\w+\s+)?(?:correspondents?|reporters?)|monitoring\s+report|web\s+report|editorial\s+board)"
)
_LINES = (  # type, what a whole line of it looks like; the first that fits
    ("separator", re.compile(r"[-–—_*•|=~·.\s]+")),
    ("desk_byline", re.compile(rf"(?:[-–—•*|]\s*)?(?:by:?\s+)?{_DESK}(?:,\s+[A-Z][\w ]+)?", re.IGNORECASE)),
    ("relative_time", re.compile(rf"(?:[-–—•*|]\s*)?(?:(?:last\s+)?(?:updated|published|posted|modified|issued)(?:\s+(?:on|at))?:?\s*)?{_AGO}", re.IGNORECASE)),
    (
        "timestamp",
        re.compile(
            rf"(?:[-–—•*|]\s*)?(?:(?:first\s+|last\s+)?(?:updated|published|posted|modified|issued)(?:\s+(?:on|at))?:?\s*)?{_WHEN}"
            rf"(?:(?:\s*[-–—|/,•]\s*|\s+)(?:(?:last\s+)?(?:updated|published|modified)(?:\s+(?:on|at))?:?\s*)?(?:{_WHEN}|[A-Z]{{2,5}})){{0,4}}",  # bounded: dates can be cut up in many ways
            re.IGNORECASE,
        ),
    ),
    ("timestamp", re.compile(r"(?:first\s+|last\s+)?(?:updated|published|posted|modified):?", re.IGNORECASE)),
    (
        "read_more",
        re.compile(
            r"(?:[-–—•*>|]\s*)?(?:read\s+(?:more|also|next)|also\s+read|must\s+read|see\s+also|related(?:\s+(?:stories|articles|topics|news|links))?|"
            r"more(?:\s+(?:on\s+this|from|AP\s+news))|more|recommended|don.t\s+miss)(?:\s*[:|»>]\s*.{0,160}|\s*[»>]*)",
            re.IGNORECASE,
        ),
    ),
    (
        "share_bar",
        re.compile(
            r"(?=.*\b(?:share|tweet|email|print|link|comments?|whatsapp|facebook|twitter|linkedin)\b)"
            r"(?:share|tweet|email|print|copy\s+link|save|comments?|follow\s+us|whatsapp|facebook|twitter|x|linkedin|reddit|telegram|pinterest|on|via|this|article|story|to|[\d|•,&·/\s-])+",
            re.IGNORECASE,
        ),
    ),
    ("share_bar", re.compile(r"(?:follow\s+(?:us|\w+[’']s\s+coverage)\b.{0,120}|short\s+link:?.{0,80}|what\s+do\s+you\s+think\?\s+have\s+your\s+say.{0,80}|\d+\s+comments?|@\w{2,30})", re.IGNORECASE)),
    (
        "photo_credit",
        re.compile(
            r"(?:(?:file\s+)?(?:photo|photograph|image|picture)s?(?:\s+(?:credit|courtesy|by))?\s*[:|/].{0,200}|pictured(?:\s+above)?:.{0,200}|"
            r".{0,200}\b(?:photo|image|picture)s?(?:\s+by|\s+credit)?:\s*[^.!?]{0,60}|(?:getty\s+images?|afp|reuters|ap\s+photo)(?:\s*/\s*[\w ]+)?)",
            re.IGNORECASE,
        ),
    ),
    ("newsletter", re.compile(r"(?:sign\s+up|subscribe|register)\b.{0,160}(?:newsletter|inbox|alerts?|updates|email|today|now)\b.{0,40}", re.IGNORECASE)),
    ("copyright", re.compile(r"(?:copyright\b|©|\(c\)\s).{0,200}|.{0,60}all\s+rights\s+reserved\.?", re.IGNORECASE)),
    ("desk_byline", re.compile(r"[\[(](?:reporting|additional\s+reporting|edited|editing|writing|compiled|with\s+(?:inputs?|files)|our\s+\w+\s+service)\b.{0,300}[\])]", re.IGNORECASE)),
)
_NAME = r"[A-Z’']{2,}(?:[ ./-]{1,2}[A-Z’']{2,}){0,4}\.?(?:,\s[A-Z][\w.’' ]{1,30}?)?"  # ISLAMABAD; BARAWE-VILLE, Kembari
_AGENCY = r"\s*(?:\([^)\n]{2,40}\)|\.?\s*/[A-Z]+/\.?)"
_DATELINE = re.compile(  # with a dash, or with a date or an agency, in whatever case: Ranchi, Jun 11 (UNW)
    rf"(?:{_NAME}(?:,\s{_MONTH}\s\d{{1,2}})?(?:{_AGENCY})?\s*(?:--?|–|—)|{_NAME},\s{_MONTH}\s\d{{1,2}}{_AGENCY}|{_NAME}{_AGENCY}?:|"
    r"[A-Z][\w’' -]{1,30}(?:,\s[A-Z]\w+\.?\s\d{1,2})?\s\([A-Z][\w ]{1,30}\)(?:\s*(?:--?|–|—))?)\s"
)
_DESK_LINE = re.compile(rf"(?:web|news|monitoring|sports|business|national|foreign|city)\s+desk\s*[:–—-]\s+|{_DESK}\s*:\s+", re.IGNORECASE)
_COLON = re.compile(rf"{_NAME}:\s")
HEAD = 120  # characters of a line in which a dateline stands
STORY = 150  # characters of a first paragraph; a headline that begins with a name and a colon is shorter
NO_SPEAKERS = re.compile(rf"(?:by:?\s+)?{_DESK}", re.IGNORECASE)


def find_furniture(text: str, title: str = "") -> list[Piece]:
    """Return the furniture of a text as (start, end, type), in its order; no two overlap.

    - Web Desk / - 16 Minutes ago / WEB DESK: Diplomatic sources …  ->  desk_byline, relative_time, desk_byline (the first two words)
    """
    found: list[Piece] = []
    known = {_key(title)} if len(_key(title)) > 20 else set()
    heading_seen = False
    speakers = sum(bool(_COLON.match(text, start, start + HEAD)) for start, _ in _lines(text))  # several lines that begin so are a conversation
    for start, end in _lines(text):
        line = text[start:end]
        kind = _type_of(line)
        if kind is not None:
            found.append((start, end, kind))
        elif _key(line) in known and heading_seen:
            found.append((start, end, "title_repeat"))
        else:
            if not heading_seen and len(line) > 20:
                known.add(_key(line))
                heading_seen = True
            opening = _DESK_LINE.match(line[:HEAD])
            dateline = None if opening else _DATELINE.match(line[:HEAD])
            if opening:
                found.append((start, start + len(opening[0].rstrip()), "desk_byline"))
            elif dateline and not (dateline[0].rstrip().endswith(":") and (speakers > 1 or len(line) < STORY)):
                found.append((start, start + len(dateline[0].rstrip()), "dateline"))
    return found


def _lines(text: str) -> Iterator[CharSpan]:
    """Yield the lines of a text without the white space around them; empty ones are passed over."""
    for match in re.finditer(r"[^\r\n\u2028\u2029]+", text):
        line = match[0]
        if line.strip():
            yield match.start() + len(line) - len(line.lstrip()), match.end() - len(line) + len(line.rstrip())


def _type_of(line: str) -> str | None:
    """Return the type of a line that is furniture as a whole."""
    if len(line) > LONGEST:
        return None
    return next((kind for kind, pattern in _LINES if pattern.fullmatch(line)), None)


LONGEST = 240  # characters of a line of furniture; a caption may be two sentences


def _key(line: str) -> str:
    """Return a line as it is compared with the title."""
    return " ".join(re.findall(r"\w+", line.lower()))


def without_furniture(attributions: Sequence[Attribution], furniture: Sequence[CharSpan], text: str) -> list[Attribution]:
    """Return the attributions that do not stand in furniture, without the parts of their content that do.

    What a desk is said to say has no speaker; who stood in one that is gone stands in the next around it.
    """
    gone = {i for i, a in enumerate(attributions) if any(_inside(s, furniture) for s in a.cue) or not _outside(a.content, furniture) or (a.source and all(_inside(s, furniture) for s in a.source))}
    place = {old: new for new, old in enumerate(i for i in range(len(attributions)) if i not in gone)}
    out = []
    for i, attribution in enumerate(attributions):
        if i in gone:
            continue
        parent = attribution.parent
        while parent is not None and parent in gone:
            parent = attributions[parent].parent
        speaker = attribution.speaker
        if speaker is not None and NO_SPEAKERS.fullmatch(speaker.strip()):
            speaker = " ".join(" ".join(text[s:e] for s, e in attribution.source).split()) or None
        out.append(replace(attribution, content=_outside(attribution.content, furniture), parent=None if parent is None else place[parent], speaker=speaker))
    return out


def _inside(span: CharSpan, furniture: Sequence[CharSpan]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in furniture)


def _outside(spans: Sequence[CharSpan], furniture: Sequence[CharSpan]) -> tuple[CharSpan, ...]:
    """Return spans without those that stand in furniture; of one that begins or ends in it the rest stays."""
    out = []
    for start, end in spans:
        for first, last in furniture:
            if first <= start < last:
                start = last  # noqa: PLW2901
            if first < end <= last:
                end = first  # noqa: PLW2901
        if start < end:
            out.append((start, end))
    return tuple(out)
