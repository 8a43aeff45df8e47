"""Facts: what an archive is made with, and whether a worker would make the same."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from accordingto import __version__
from accordingto.archive.manifest import digest_of_json
from accordingto.archive.nested import SCHEMA_VERSION
from accordingto.folder import digest_of_model
from accordingto.output import installed
from accordingto.run import Wanted

COMPUTING = ("spacy", "onnxruntime", "tokenizers", "numpy", "trafilatura", "py3langid", "pypdf", "python-docx", "feedparser", "fastwarc", "pyarrow")  # whose versions may change a byte


@dataclass(frozen=True)
class ArchiveOptions:
    """What decides an archive's bytes; it is not resumed with others."""

    guideline: str = "steady"
    wanted: Wanted = field(default_factory=Wanted)
    text_column: str | None = None
    shard_articles: int = 2_000


def facts_of(options: ArchiveOptions, model: Path | None, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what an archive is made of and with; raises ModelError."""
    return {"archive": SCHEMA_VERSION, "version": __version__, "model": digest_of_model(model), "options": options_as_json(options), "libraries": libraries(), "inputs": inputs}


def libraries() -> dict[str, str]:
    """Return the versions of what reads and computes on this machine."""
    return {"python": ".".join(platform.python_version_tuple()[:2])} | dict(installed(COMPUTING))


def options_as_json(options: ArchiveOptions) -> dict[str, Any]:
    """Return options as the manifest keeps them."""
    facts = asdict(options)
    wanted = facts.pop("wanted")
    return facts | wanted | {"labels": {name: sorted(values) for name, values in wanted["labels"].items() if values}}


def pipeline_of(facts: dict[str, Any]) -> str:
    """Return the digest of all that decides an archive's bytes beside its inputs."""
    return digest_of_json({name: facts[name] for name in ("version", "model", "options", "libraries")})


def differences(facts: dict[str, Any], model: Path | None) -> list[str]:
    """Return in what this process differs from the one that planned the archive; raises ModelError."""
    own = {"accordingto": __version__, "model": digest_of_model(model)[:16]} | libraries()
    theirs = {"accordingto": facts["version"], "model": facts["model"][:16]} | facts["libraries"]
    return [f"{name} is {own.get(name, 'not installed')} and was {theirs.get(name, 'not installed')}" for name in sorted(own.keys() | theirs.keys()) if own.get(name) != theirs.get(name)]
