"""Labels: the fields of a claim beside its spans, their values, and the words that they are read from.

One function (`claim_words`) for training and for use, so that they cannot disagree.
"""

from __future__ import annotations

import numpy as np

from accordingto.decoding import WordRange

SOURCE_KINDS = ("person", "unnamed", "group", "organization", "document", "author")  # and "none", where no source is stated
LABELS = {
    "stance": ("assert", "confirm", "deny", "accuse", "support", "warn", "demand", "commit", "ask", "other"),
    "negated": (False, True),
    "certainty": ("certain", "probable", "possible", "none"),
    "attitude": ("against", "favor", "neutral"),
    "framing": ("endorses", "neutral", "distances", "disputes"),
    "attribution_type": ("communication", "belief", "knowledge", "intention"),
    "source_kind": (*SOURCE_KINDS, "none"),
}
PARTS = ("around", "source", "cue", "content")  # what a word is to the claim
AROUND = 10  # words to either side of the cue are read too, whatever they are
MAX_WORDS = 160  # of one claim; of a longer one those nearest to the cue


def claim_words(cue: WordRange, source: np.ndarray, content: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the words that a claim's labels are read from: their places (L,), parts (L,) and distances from the cue (L,).

    cue: word range; source, content: word indexes; length: of the text in words.
    """
    parts = np.full(length, -1, np.int64)
    parts[max(0, cue[0] - AROUND) : cue[1] + AROUND] = PARTS.index("around")
    parts[content] = PARTS.index("content")
    parts[source] = PARTS.index("source")
    parts[cue[0] : cue[1]] = PARTS.index("cue")
    places = np.flatnonzero(parts >= 0)
    offsets = np.where(places < cue[0], places - cue[0], np.where(places < cue[1], 0, places - cue[1] + 1))
    if len(places) > MAX_WORDS:
        nearest = np.sort(np.argsort(np.abs(offsets), kind="stable")[:MAX_WORDS])
        places, offsets = places[nearest], offsets[nearest]
    return places, parts[places], offsets


def pad_claims(claims: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the words of several claims as arrays (C, longest); a part of -1 marks where no word is."""
    longest = max((len(places) for places, _, _ in claims), default=0)
    out = tuple(np.full((len(claims), longest), fill, np.int64) for fill in (0, -1, 0))
    for row, arrays in enumerate(claims):
        for whole, part in zip(out, arrays, strict=True):
            whole[row, : len(part)] = part
    return out[0], out[1], out[2]
