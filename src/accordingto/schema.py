"""The data model: what every stage takes and gives. Read this first.

`Article` → spaCy `Doc` → `Attribution` → `Claim`. All offsets are half-open and count Unicode code points of the
article's text exactly as it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CharSpan = tuple[int, int]
JOINT = " … "  # between the fragments of a discontinuous part
WRITER = "author"  # the speaker where an article says *I* and its text does not name its writer

MAX_CHARS = 1_000_000  # an article's; a novel has 600,000. Beyond it the vectors alone would take half a gigabyte
MAX_BYTES = 4 * MAX_CHARS  # UTF-8 takes four bytes a character at most


@dataclass(frozen=True)
class Article:
    """A text to read, with what its input said about it; empty strings where unknown."""

    article_id: str
    text: str
    title: str = ""
    publisher: str = ""
    published: str = ""
    url: str = ""
    path: str = ""  # the file that it came from, for messages
    locator: str = ""  # where in that file: `row 5`, `a.html` of a zip, the record of a WARC
    authors: tuple[str, ...] = ()
    language: str = ""  # as its input says: `en`, `en-GB`
    src: Mapping[str, str] = field(default_factory=dict)  # what else its input says, by the input's own names


@dataclass(frozen=True)
class Attribution:
    """One source–cue–content relation of a Doc, in characters."""

    source: tuple[CharSpan, ...]  # empty where no source is stated
    cue: tuple[CharSpan, ...]
    content: tuple[CharSpan, ...]
    parent: int | None  # index, in the Doc's attributions, of the one whose content holds this one
    confidence: float  # probability that the cue is right and half of the content
    speaker: str | None = None  # the source resolved over the article
    speaker_role: str | None = None
    source_kind: str | None = None
    speaker_confidence: float | None = None
    stance: str | None = None
    negated: bool | None = None
    certainty: str | None = None
    attitude: str | None = None
    attitude_target: str | None = None  # whom or what the attitude aims at, in full; None where it is neutral
    framing: str | None = None
    attribution_type: str | None = None
    stance_confidence: float | None = None
    aim: CharSpan | None = None  # the words that `attitude_target` resolves
    why: tuple[CharSpan, ...] = ()  # the words that speak for the labels
    kind_chances: tuple[float, ...] = ()  # of each kind that a stated source may be, as the labels are read; `speakers` weighs them with its own


@dataclass(frozen=True)
class SpanText:
    """Verbatim text of an article with its places: the fragments' spans, and their texts joined by ` … `."""

    text: str
    spans: tuple[CharSpan, ...]


@dataclass(frozen=True)
class Claim:
    """One row of the table; the README's table of columns says what each field is.

    A field that does not apply, or that no component of the pipeline fills, is None.
    """

    claim_id: str
    article_id: str
    title: str
    publisher: str
    published: str
    url: str
    speaker: str | None
    speaker_role: str | None
    source_kind: str | None
    stance: str | None
    negated: bool | None
    certainty: str | None
    attitude: str | None
    attitude_target: str | None
    framing: str | None
    attribution_type: str | None
    quotation: str
    claim: str
    source: SpanText
    cue: SpanText
    content: SpanText
    context: str
    parent_id: str | None
    confidence: float
    speaker_confidence: float | None
    stance_confidence: float | None
    why: str
    model: str
    authors: str = ""  # the article's, joined by `; `
    language: str = ""  # the article's, as its input says
    src: Mapping[str, str] = field(default_factory=dict)  # the article's: columns of its input that no field takes
    near_duplicate_of: str = ""  # article_id of an earlier article of the run that this one repeats for the most part


@dataclass(frozen=True)
class Problem:
    """An input that gave no article, and why; `code` is one of the reason codes in errors.py."""

    path: str
    code: str
    message: str
    locator: str = ""  # where in the file, as in `Article`


@dataclass(frozen=True)
class WebPage:
    """A page of the web as it came; tomorrow it may be another, or gone."""

    url: str  # as the user named it
    found_at: str  # where the server sent us on to
    ending: str  # of the fetcher's few: `.html`
    data: bytes


@dataclass
class RunCounts:
    """What became of a run's inputs: each is an article or a problem."""

    articles: int = 0
    claims: int = 0
    without_claims: int = 0  # of the articles
    problems: list[Problem] = field(default_factory=list)
    left_out: int = 0  # files of other endings in the folders that were searched
