"""Proposal: whom a claim that a reviewer adds is probably by, so that its speaker need only be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from accordingto.schema import JOINT, CharSpan, Claim


def proposed_speaker(text: str, source: Sequence[CharSpan], others: Iterable[Claim]) -> str:
    """Return the speaker of the nearest claim whose source has the same words, else the words themselves; nothing for a lone pronoun or no source.

    others: the claims of the article.
    """
    from accordingto.mention import PRONOUNS  # here, for it brings spaCy, which a review without missed claims does not need

    words = _plain(JOINT.join(text[start:end] for start, end in source))
    if not words:
        return ""
    alike = [claim for claim in others if claim.speaker and _plain(claim.source.text).casefold() == words.casefold()]
    if alike:
        return min(alike, key=lambda claim: abs(claim.source.spans[0][0] - source[0][0])).speaker or ""
    return "" if words.casefold() in PRONOUNS else words


def _plain(words: str) -> str:
    return " ".join(words.split())
