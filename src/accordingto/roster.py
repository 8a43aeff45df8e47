"""Rosters: the speakers of an article, one a row, from its claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from accordingto.schema import Claim

JOINT = "; "  # between spellings


@dataclass(frozen=True)
class RosterRow:
    """One speaker of one article."""

    article_id: str
    title: str
    publisher: str
    published: str
    speaker: str
    source_kind: str | None
    speaker_role: str | None  # the longest that the article gives
    claims: int
    nested_claims: int  # of the claims
    spellings: str  # the sources that refer to the speaker, as the article has them, most frequent first


def roster_of(claims: Iterable[Claim]) -> list[RosterRow]:
    """Return the speakers of one article's claims, the one with most claims first; claims without a speaker are left out."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.speaker:
            groups.setdefault(claim.speaker.casefold(), []).append(claim)
    rows = [_row(group) for group in groups.values()]
    return sorted(rows, key=lambda row: -row.claims)


def _row(claims: list[Claim]) -> RosterRow:
    first = claims[0]
    spellings = Counter(claim.source.text for claim in claims if claim.source.text)
    kinds = Counter(claim.source_kind for claim in claims)
    roles = [claim.speaker_role for claim in claims if claim.speaker_role]
    return RosterRow(
        article_id=first.article_id,
        title=first.title,
        publisher=first.publisher,
        published=first.published,
        speaker=first.speaker or "",
        source_kind=kinds.most_common(1)[0][0],
        speaker_role=max(roles, key=len, default=None),
        claims=len(claims),
        nested_claims=sum(claim.parent_id is not None for claim in claims),
        spellings=JOINT.join(spelling for spelling, _ in spellings.most_common()),
    )
