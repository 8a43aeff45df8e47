"""The files of a run, written from its ledger: articles, claims, quarantine, and `run.json`, which is there when all else is."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from accordingto.article import unique_id
from accordingto.claim import named_speaker
from accordingto.ledger import Entry, Ledger
from accordingto.schema import Claim
from accordingto.table import claim_from_json, further_files, replacing, write_table
from accordingto.workbook import About

ORIGINALS = "quarantine"  # the folder in a run's
LIBRARIES = ("spacy", "onnxruntime", "tokenizers", "numpy", "trafilatura", "py3langid", "pypdf", "python-docx", "feedparser", "fastwarc", "datasketch")


@dataclass(frozen=True)
class Summary:
    """What became of a run's inputs; each is one of extracted, without claims, duplicate, filtered, quarantined."""

    inputs: int = 0
    extracted: int = 0
    without_claims: int = 0
    duplicates: int = 0
    filtered: dict[str, int] = field(default_factory=dict)  # by reason code
    quarantined: dict[str, int] = field(default_factory=dict)
    near_duplicates: int = 0  # of the articles that were read
    claims: int = 0  # rows of the tables
    left_out: int = 0  # files of other kinds in the folders that were searched

    @property
    def adds_up(self) -> bool:
        """Whether every input is accounted for."""
        return self.inputs == self.extracted + self.without_claims + self.duplicates + sum(self.filtered.values()) + sum(self.quarantined.values())


def write_outputs(ledger: Ledger, formats: Sequence[str], wanted: Callable[[Claim], bool], *, near_duplicates: bool, filtered: Sequence[str]) -> Summary:
    """Write a run's files, each whole or not at all, and return the counts."""
    folder = ledger.folder
    originals = _write_originals(ledger, folder / ORIGINALS)
    with replacing(folder / "articles.jsonl") as articles, replacing(folder / "quarantine.jsonl") as quarantine:
        summary, src = _write_lists(ledger, articles, quarantine, originals, near_duplicates=near_duplicates, filtered=filtered)
    names = []
    for format in formats:
        table = folder / f"claims.{format}"
        count = write_table(_claims(folder / "articles.jsonl", ledger, wanted), table, format, sorted(src), _about(folder, ledger) if format == "xlsx" else None)
        summary = replace(summary, claims=count)
        names += [table.name, *(path.name for path in further_files(table, format, count))]
    digests = {name: digest_of(folder / name) for name in ("articles.jsonl", "quarantine.jsonl", *names, *sorted(originals.values()))}
    facts = {name: value for name, value in ledger.facts().items() if name not in ("model_folder", "named_from")}  # of this machine
    with replacing(folder / "run.json") as file:
        report = {**facts, "versions": _versions(), "counts": {name: count for name, count in vars(summary).items() if name != "left_out"}, "files": digests}
        file.write(json.dumps(report, indent=1, sort_keys=True).encode("utf-8") + b"\n")
    return summary


def _write_originals(ledger: Ledger, folder: Path) -> dict[str, str]:
    """Write the pages of the web of which something could not be read, as they came; return their files' names, which are digests, by address."""
    names: dict[str, str] = {}
    for url in ledger.originals():
        page = ledger.original(url)
        assert page is not None
        names[url] = f"{ORIGINALS}/{hashlib.sha256(page.data).hexdigest()}{page.ending}"
        folder.mkdir(exist_ok=True)
        with replacing(folder.parent / names[url]) as file:
            file.write(page.data)
    if folder.is_dir():
        wanted = {Path(name).name for name in names.values()}
        for path in folder.iterdir():
            if path.name not in wanted:  # read meanwhile, or half-written by a process that was killed
                path.unlink()
        if not names:
            folder.rmdir()
    return names


def _write_lists(ledger: Ledger, articles: Any, quarantine: Any, originals: Mapping[str, str], *, near_duplicates: bool, filtered: Sequence[str]) -> tuple[Summary, set[str]]:
    """Write a line an input to the articles or to the quarantine; return the counts and the columns that the inputs carry."""
    counts: Counter[str] = Counter()
    refused: dict[str, Counter[str]] = {"filtered": Counter(), "quarantined": Counter()}
    src: set[str] = set()
    scratch = ledger.scratch()
    scratch.execute("CREATE TABLE first (text TEXT PRIMARY KEY, article TEXT) WITHOUT ROWID")
    scratch.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID")
    if near_duplicates:
        from accordingto.duplicate import NearDuplicates

        near = NearDuplicates(scratch, ledger.signature)
    else:
        scratch.execute("BEGIN")
    ids = _Seen(scratch)
    for entry in ledger.entries():
        counts["inputs"] += 1
        if entry.code is not None:
            status = "filtered" if entry.code in filtered else "quarantined"
            refused[status][entry.code] += 1
            quarantine.write(_line(_quarantined(entry, ledger, status, originals.get(entry.path))))
            continue
        assert entry.article is not None
        article_id = unique_id(entry.article.article_id, ids)
        first = scratch.execute("SELECT article FROM first WHERE text = ?", (entry.text,)).fetchone()
        status = "duplicates" if first else "extracted" if entry.count else "without_claims"
        counts[status] += 1
        like = ""
        if not first:
            scratch.execute("INSERT INTO first VALUES (?, ?)", (entry.text, article_id))
            like = near.original_of(entry.text, article_id) if near_duplicates else ""
            counts["near_duplicates"] += bool(like)
            src |= entry.article.src.keys()
        articles.write(_line(_listed(entry, ledger, article_id, status, first[0] if first else "", like)))
    scratch.close()
    return Summary(**counts, filtered=dict(sorted(refused["filtered"].items())), quarantined=dict(sorted(refused["quarantined"].items()))), src


class _Seen(dict[str, int]):
    """The ids that were given, on the disk."""

    def __init__(self, scratch: Any) -> None:
        super().__init__()
        self._db = scratch

    def get(self, key: str, default: Any = None) -> Any:
        row = self._db.execute("SELECT count FROM ids WHERE id = ?", (key,)).fetchone()
        return row[0] if row else default

    def __contains__(self, key: object) -> bool:
        return self.get(str(key)) is not None

    def __setitem__(self, key: str, count: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO ids VALUES (?, ?)", (key, count))


def _about(folder: Path, ledger: Ledger) -> About:
    """Return what a workbook says of its making."""
    facts = ledger.facts()
    places = {a["article_id"]: a["path"] for a in _lines(folder / "articles.jsonl") if a["claims"] and not a["locator"] and Path(a["path"]).is_file()}
    known = {"digest of the model": facts["model"], "options": json.dumps(facts["options"], sort_keys=True)} | _versions()
    return About(known, lambda: ((f"{q['path']} {q['locator']}".strip(), q["message"]) for q in _lines(folder / "quarantine.jsonl")), places, folder)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        yield from map(json.loads, lines)


def _listed(entry: Entry, ledger: Ledger, article_id: str, status: str, duplicate_of: str, near_duplicate_of: str) -> dict[str, Any]:
    """Return an article's line; a duplicate's text is its original's."""
    article = entry.article
    assert article is not None
    facts = {"article_id": article_id, "status": status.removesuffix("s") if status == "duplicates" else status, "claims": 0 if duplicate_of else entry.count}
    origin = {"path": entry.path, "locator": entry.locator, "text_sha256": entry.text, "duplicate_of": duplicate_of, "near_duplicate_of": near_duplicate_of}
    known = {name: getattr(article, name) for name in ("title", "publisher", "published", "url", "language")} | {"authors": list(article.authors), "src": dict(article.src)}
    return facts | known | origin | ({} if duplicate_of else {"text": ledger.text(entry.text)})


def _quarantined(entry: Entry, ledger: Ledger, status: str, original: str | None) -> dict[str, Any]:
    """Return a refused input's line: why, where it lies and as what; for a page of the web the file of the run that keeps it, and the text where it was the model that failed."""
    facts = {"path": entry.path, "locator": entry.locator, "status": status, "stage": entry.stage, "code": entry.code, "message": entry.message}
    digest = Path(original).stem if original else ledger.file_digest(entry.path)
    origin = {"file_sha256": digest, "original": original, "text_sha256": entry.text or None}
    return facts | origin | ({"text": ledger.text(entry.text)} if entry.text else {})


def _claims(articles: Path, ledger: Ledger, wanted: Callable[[Claim], bool]) -> Iterator[Claim]:
    """Yield the claims of a run's articles in their order, with what the articles say of themselves."""
    with articles.open("rb") as lines:
        for line in lines:
            facts = json.loads(line)
            if not facts["claims"]:
                continue
            for claim in map(claim_from_json, ledger.claims(facts["text_sha256"])):
                if wanted(claim):
                    yield claim_of_article(claim, facts)


def claim_of_article(claim: Claim, article: Mapping[str, Any]) -> Claim:
    """Return a claim that was read from a text alone with what its article says of itself; article: its line of articles.jsonl."""
    own = {name: article[name] for name in ("article_id", "title", "publisher", "published", "url", "language", "src", "near_duplicate_of")}
    return replace(claim, **own, authors="; ".join(article["authors"]), speaker=named_speaker(claim.speaker, claim.source_kind, article["authors"]))


def _line(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True).encode("utf-8") + b"\n"


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _versions() -> dict[str, str]:
    """Return the versions of what reads and what computes."""
    return {"python": platform.python_version(), "platform": sys.platform} | dict(installed(LIBRARIES))


def installed(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the packages of some names that are installed, with their versions."""
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
