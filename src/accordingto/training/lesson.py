"""Lessons: what reviewers settled, as gold articles to learn from, and a share of them that is kept out to measure with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordingto.errors import TrainingError
from accordingto.evaluation import read_gold
from accordingto.export.exported import read_judged
from accordingto.export.gold import gold_row, held_out, in_share
from accordingto.review.runs import read_run

HELD_OUT = 0.2  # of the articles: as ECOSYSTEM.md and the default of other tools have it
LEAST_TO_HOLD_OUT = 4  # of fewer articles none is kept out by force


@dataclass
class Lessons:
    """Gold rows to learn from and to measure with; no text is in both."""

    learn: list[dict[str, Any]] = field(default_factory=list)
    held_out: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def texts(self) -> set[str]:
        """The digests of all their texts."""
        return {digest_of_text(row) for row in (*self.learn, *self.held_out)}


def digest_of_text(row: dict[str, Any]) -> str:
    """Return the digest of an article's text."""
    return hashlib.sha256(row["text"].encode("utf-8")).hexdigest()


def read_lessons(reviewed: Sequence[Path], *, share: float = HELD_OUT) -> Lessons:
    """Return what can be learned from reviewed runs' folders, or from files of gold that were exported from them.

    Only articles of which every claim was decided; a text once. Raises TrainingError where nothing is left to learn from.
    """
    lessons, seen = Lessons(), set[str]()
    for path in reviewed:
        for row, out in _gold_of_file(path, share) if path.is_file() else _gold_of_run(path, share, lessons.notes):
            if digest_of_text(row) in seen:
                lessons.notes.append(f"{row['id']} of {path} was reviewed in an earlier one too, which counts")
                continue
            seen.add(digest_of_text(row))
            (lessons.held_out if out else lessons.learn).append(row | {"id": f"{len(seen)} {row['id']}"})  # ids of two runs may be the same
    if share and not lessons.held_out and len(lessons.learn) >= LEAST_TO_HOLD_OUT:
        lessons.held_out.append(lessons.learn.pop(min(range(len(lessons.learn)), key=lambda i: digest_of_text(lessons.learn[i]))))
    if not lessons.learn:
        raise TrainingError("the reviewed runs hold no article of which every claim was decided, beside those that are kept out to measure with", "review some more articles to their end")
    return lessons


def _gold_of_run(folder: Path, share: float, notes: list[str]) -> list[tuple[dict[str, Any], bool]]:
    run = read_run(folder)
    articles = read_judged(run)
    settled = [a for a in articles if a.settled]
    if len(settled) < len(articles):
        notes.append(f"{len(articles) - len(settled)} of {len(articles)} articles of {folder} are not decided to their end, and left out")
    originals = {article_id: str(facts["text_sha256"]) for article_id, facts in run.articles.items()}
    return [(gold_row(a, unreviewed=False, nested=run.wanted.nested), held_out(a, share, originals)) for a in settled]


def _gold_of_file(path: Path, share: float) -> list[tuple[dict[str, Any], bool]]:
    return [(row, in_share(digest_of_text(row), share)) for row in read_gold(path)]
