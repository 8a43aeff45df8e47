"""The best tags: from the network's scores to cues and to the parts of each cue.

Word indices throughout; numpy only. The tag sets are those of `training/network.py`, which a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROLE_TAGS = ("O", "B-source", "I-source", "B-content", "I-content")
IMPOSSIBLE = -1e4
MAX_CONTENTS = 4  # stretches of one content; 99.6 % of PolNeAR's train have no more, and further ones are mostly noise

WordRange = tuple[int, int]


@dataclass(frozen=True)
class Parts:
    """What was read for one cue: word ranges of source and content, and how sure the tags were."""

    source: tuple[WordRange, ...]
    content: tuple[WordRange, ...]
    source_score: float  # mean probability of the source's tags; 1 where there is none
    content_score: float  # mean probability of the content's tags
    border_score: float  # least probability of the tags at the content's borders


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities along the last axis."""
    out = np.exp(scores - scores.max(-1, keepdims=True))
    return out / out.sum(-1, keepdims=True)


def find_cues(scores: np.ndarray, lines: np.ndarray, *, threshold: float) -> list[tuple[int, int, float]]:
    """Return the cues of a window as (start, end, probability).

    scores: (W, 3) for outside, beginning, inside; lines: (W,) 1 where a paragraph begins. A word is in a cue if beginning
    and inside together reach the threshold; a cue ends where the next one's beginning is likelier than its inside, and
    with its paragraph.
    """
    probability = softmax(scores)
    inside = probability[:, 1] + probability[:, 2]
    cues: list[tuple[int, int, float]] = []
    start = None
    for i in range(len(scores) + 1):
        on = i < len(scores) and inside[i] >= threshold
        fresh = on and (start is None or probability[i, 1] > probability[i, 2] or lines[i] > 0)
        if start is not None and (not on or fresh):
            cues.append((start, i, float(inside[start:i].max())))
            start = None
        if fresh:
            start = i
    return cues


def forbid_across_lines(scores: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return role scores under which no stretch runs over a line break: there it ends, and another may begin.

    scores: (C, W, 5); lines: (W,). PolNeAR marks no source and 1 content in 20,000 otherwise; a heading above a
    paragraph would else become a part of its first source.
    """
    inside = [tag.startswith("I-") for tag in ROLE_TAGS]
    return scores + IMPOSSIBLE * np.outer(lines > 0, inside)


def best_tags(scores: np.ndarray, lengths: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Return the best tag sequence of each row by Viterbi's algorithm, (C, W), zero beyond the row's length.

    scores: (C, W, 5); lengths: (C,) at least 1; transitions: (5, 5) from, to.
    """
    rows, width, _ = scores.shape
    begin = np.array([IMPOSSIBLE if tag.startswith("I-") else 0.0 for tag in ROLE_TAGS])
    totals = np.ascontiguousarray(scores.transpose(1, 2, 0), np.float64)  # (W, 5, C), rows last: numpy is quick along the last axis
    totals[0] += begin[:, None]
    for t in range(1, width):
        totals[t] += (totals[t - 1][:, None] + transitions[:, :, None]).max(0)  # over (from, to, C)
    out = np.zeros((rows, width), np.int64)
    tag = totals[lengths - 1, :, np.arange(rows)].argmax(1)
    for t in range(width - 1, -1, -1):
        live = lengths > t
        out[live, t] = tag[live]
        if t:
            tag = np.where(live, (totals[t - 1].T + transitions.T[tag]).argmax(1), tag)  # where the best path came from
    return out


def parts_from_tags(tags: np.ndarray, probability: np.ndarray, cue: WordRange) -> Parts:
    """Return the parts of one cue: the likeliest stretch of source, and the likeliest few of content.

    tags: (W,); probability: (W, 5) of every tag.
    """
    picked = probability[np.arange(len(tags)), tags]
    stretches: dict[str, list[WordRange]] = {"source": [], "content": []}
    for start, end, role in _stretches(tags):
        stretches[role] += _around(start, end, cue)
    source = _likeliest(stretches["source"], picked, 1)
    content = _likeliest(stretches["content"], picked, MAX_CONTENTS)
    borders = [picked[i] for start, end in content for i in (start, end - 1)]
    beyond = [picked[i] for start, end in content for i in (start - 1, end) if 0 <= i < len(tags)]
    return Parts(source, content, _mean(picked, source), _mean(picked, content), float(min([*borders, *beyond], default=0.0)))


def _stretches(tags: np.ndarray) -> list[tuple[int, int, str]]:
    """Return the stretches of equal role as (start, end, role)."""
    out: list[tuple[int, int, str]] = []
    for i, tag in enumerate(tags.tolist()):
        if tag in (1, 3):
            out.append((i, i + 1, ROLE_TAGS[tag][2:]))
        elif tag:
            out[-1] = (out[-1][0], i + 1, out[-1][2])
    return out


def _around(start: int, end: int, cue: WordRange) -> list[WordRange]:
    """Return a stretch without the words of the cue."""
    pieces = [(start, min(end, cue[0])), (max(start, cue[1]), end)] if start < cue[1] and cue[0] < end else [(start, end)]
    return [(s, e) for s, e in pieces if s < e]


def _likeliest(stretches: list[WordRange], picked: np.ndarray, most: int) -> tuple[WordRange, ...]:
    """Return at most so many stretches, in reading order: those with the most probability in all."""
    best = sorted(stretches, key=lambda s: -float(picked[s[0] : s[1]].sum()))[:most]
    return tuple(sorted(best))


def _mean(picked: np.ndarray, stretches: tuple[WordRange, ...]) -> float:
    """Return the mean probability over the stretches' words; 1 where there are none."""
    values = [picked[s:e] for s, e in stretches]
    return float(np.concatenate(values).mean()) if values else 1.0
