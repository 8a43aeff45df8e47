"""Runs read back: a run's articles and claims, for the page, the exports and the imports; read as they are asked for, not held."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordingto.errors import RunError
from accordingto.folder import RUN_FILE, options_from_json
from accordingto.ledger import FILE, Ledger
from accordingto.output import claim_of_article
from accordingto.review.decision import ClaimState, added_claim
from accordingto.run import Wanted
from accordingto.schema import Claim
from accordingto.table import claim_from_json

ARTICLES_FILE = "articles.jsonl"


class Articles(Mapping[str, dict[str, Any]]):
    """The lines of a run's articles.jsonl by article_id, each read from the disk when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offsets: dict[str, int] = {}
        self.by_text: dict[str, str] = {}  # digest of a text → the article that was read first with it
        self.with_claims: list[str] = []  # in the order of the run
        with path.open("rb") as lines:
            offset = 0
            for line in lines:
                facts = json.loads(line)
                self._offsets[facts["article_id"]] = offset
                self.by_text.setdefault(facts["text_sha256"], facts["article_id"])
                if facts["claims"]:
                    self.with_claims.append(facts["article_id"])
                offset += len(line)

    def __getitem__(self, article_id: str) -> dict[str, Any]:
        offset = self._offsets[article_id]
        try:
            with self._path.open("rb") as lines:
                lines.seek(offset)
                facts: dict[str, Any] = json.loads(lines.readline())
        except (OSError, ValueError):
            facts = {}
        if facts.get("article_id") != article_id:
            raise RunError(self._path.parent, "it was written anew meanwhile", "open it again")
        return facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._offsets)

    def __len__(self) -> int:
        return len(self._offsets)


@dataclass(frozen=True)
class ReviewRun:
    """A complete run, as its folder has it."""

    folder: Path
    facts: dict[str, Any]  # run.json
    articles: Articles
    wanted: Wanted  # which claims its tables hold

    def claims(self) -> Iterator[Claim]:
        """Yield the claims of the run's tables in their order."""
        with _ledger(self.folder) as ledger:
            for article_id in self.articles.with_claims:
                yield from self._claims(self.articles[article_id], ledger)

    def claims_of(self, article_id: str) -> list[Claim]:
        """Return the claims of an article, those of its original where it is a duplicate."""
        article = self.articles[article_id]
        with _ledger(self.folder) as ledger:
            return list(self._claims(self.articles[article["duplicate_of"] or article_id], ledger))

    def text(self, article_id: str) -> str:
        """Return the text of an article, which a duplicate has of its original."""
        article = self.articles[article_id]
        return str(article["text"] if "text" in article else self.articles[article["duplicate_of"]]["text"])

    def added_claims(self, states: Mapping[str, ClaimState]) -> Iterator[Claim]:
        """Yield the claims that reviewers added to the run's articles, with their edits in place."""
        for claim_id, state in states.items():
            article_id = self.articles.by_text.get(state.article_sha256)
            if state.added is not None and article_id is not None:
                article = self.articles[article_id]
                yield added_claim(claim_id, state, article, article["text"])

    def _claims(self, article: Mapping[str, Any], ledger: Ledger) -> Iterator[Claim]:
        return (claim_of_article(claim, article) for claim in map(claim_from_json, ledger.claims(article["text_sha256"])) if self.wanted(claim))


def read_run(folder: Path) -> ReviewRun:
    """Return a run to review; raises RunError where there is none, or where it is not complete."""
    if not (folder / FILE).is_file():
        raise RunError(folder, "there is no run in it", "name a folder that `accordingto extract -o FOLDER` made")
    try:
        facts = json.loads((folder / RUN_FILE).read_bytes())
        wanted = options_from_json(facts["options"]).wanted
        articles = Articles(folder / ARTICLES_FILE)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(folder, "it is not complete, or damaged", "give the command that made it once more") from error
    return ReviewRun(folder, facts, articles, wanted)


def _ledger(folder: Path) -> Ledger:
    return Ledger(folder, shared=True)
