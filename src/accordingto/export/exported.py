"""Exported files, with an account of what went into them and what did not: the library's side of `accordingto export`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordingto.errors import OutputError, RunError
from accordingto.export.judged import OPEN, JudgedArticle, judged_articles
from accordingto.review.log import LOG_FILE, DecisionLog
from accordingto.review.rows import read_states
from accordingto.review.runs import ReviewRun, read_run
from accordingto.say import many

TABLES = ("csv", "xlsx")  # all claims with what was decided about them
FORMATS = (*TABLES, "gold", "brat", "webannotation", "docbin", "labelstudio", "jsonl")
HELD_OUT = ".held_out"  # before the ending of the file that keeps the share kept out of training


@dataclass(frozen=True)
class ExportOptions:
    """What of a run is exported."""

    unreviewed: bool = False  # with what the model wrote and nobody has settled
    partial: bool = False  # gold: with articles of which some claims are not settled
    held_out: float = 0.0  # gold: the share of the articles that goes into a file of its own


@dataclass
class Exported:
    """An account of an export."""

    articles: int = 0
    claims: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)  # of all claims of the run, exported or not
    notes: list[str] = field(default_factory=list)  # what was left out or changed, a sentence each


def export_run(folder: Path, format: str, path: Path, options: ExportOptions) -> Exported:
    """Write what the reviewers of a run settled in a format of FORMATS, and return the account.

    Raises RunError where there is nothing to export, OutputError where the file cannot be written, or does not hold what was given.
    """
    if format not in FORMATS:
        raise OutputError(path, f"{format!r} names no format", f"choose one of {', '.join(FORMATS)}")
    if path.suffix.lower() == ".gz":
        raise OutputError(path, "an export is not packed", "give a name without .gz")
    if format == "labelstudio" and path.suffix.lower() == ".xml":
        raise OutputError(path, "its labelling configuration goes to the same name with .xml, and would replace the tasks", "give a name that ends in .json")
    if not 0 <= options.held_out < 1:
        raise OutputError(path, f"a share of {options.held_out:g} cannot be held out", "give one from 0 to less than 1, as 0.2")
    run = read_run(folder)
    if format in TABLES:
        return _export_table(run, path, format)
    articles = read_judged(run)
    exported = Exported(verdicts=dict(sorted(Counter(c.verdict for a in articles for c in a.claims).items())))
    some = [a for a in articles if a.held(unreviewed=options.unreviewed) or any(c.verdict == "rejected" for c in a.claims)]
    if not some:
        raise RunError(folder, "nobody has decided anything in it", "review it first, or take what the model wrote with --unreviewed")
    left = sum(exported.verdicts.get(verdict, 0) for verdict in OPEN)
    if left and not options.unreviewed:
        exported.notes.append(f"{many(left, 'claim that is not settled was', 'claims that are not settled were')} left out")
    WRITERS[format](some, path, options, run, exported)
    return exported


def _export_table(run: ReviewRun, path: Path, format: str) -> Exported:
    """Write all claims with their decisions; one that nobody has settled stands there too, without a decision."""
    from accordingto.export.sheet import write_reviewed

    if path.suffix.lower() != f".{format}":  # programs that open it, `import` among them, go by the ending
        raise OutputError(path, f"{path.suffix!r} is not the ending of a {format} table", f"give a name that ends in .{format}")
    articles = read_judged(run)
    exported = Exported(len(articles), verdicts=dict(sorted(Counter(c.verdict for a in articles for c in a.claims).items())))
    exported.claims = write_reviewed(run, read_states(run), path, format)
    for word, sentence in (("unreviewed", "nobody has decided about {}"), ("disputed", "reviewers differ about {}: no decision, and the note says who says what")):
        if exported.verdicts.get(word):
            exported.notes.append(sentence.format(many(exported.verdicts[word], "claim")))
    return exported


def read_judged(run: ReviewRun) -> list[JudgedArticle]:
    """Return the articles of a run with what its reviewers decided; nothing is decided where there is no log."""
    if not (run.folder / LOG_FILE).is_file():
        return list(judged_articles(run, ()))
    with DecisionLog(run.folder, create=False) as log:
        return list(judged_articles(run, (decision for _, decision in log.read())))


def _write_gold(articles: Sequence[JudgedArticle], path: Path, options: ExportOptions, run: ReviewRun, exported: Exported) -> None:
    from accordingto.export.gold import choose_held_out, write_gold

    whole = [a for a in articles if a.settled or options.partial or options.unreviewed]
    if not whole:
        raise RunError(run.folder, "in none of its articles every claim was decided, and only such an article is gold", "decide the others, or take them as they are with --partial")
    if len(whole) < len(articles):
        exported.notes.append(f"{many(len(articles) - len(whole), 'article of which some claims are not settled was', 'articles of which some claims are not settled were')} left out: no gold (--partial takes them)")
    if run.wanted.min_confidence or any(run.wanted.labels.values()):
        exported.notes.append("the run was made with filters: what they left out nobody saw, and it counts as no attribution")
    originals = {article_id: str(facts["text_sha256"]) for article_id, facts in run.articles.items()}
    chosen = choose_held_out(whole, options.held_out, originals)
    kept = [a for a in whole if a.article_id not in chosen]
    kept_out = [a for a in whole if a.article_id in chosen]
    exported.articles = len(whole)
    exported.claims = write_gold(kept, path, unreviewed=options.unreviewed, nested=run.wanted.nested)
    other = path.with_name(f"{path.stem}{HELD_OUT}{path.suffix}")
    if options.held_out:
        exported.claims += write_gold(kept_out, other, unreviewed=options.unreviewed, nested=run.wanted.nested)
        exported.notes.append(f"{len(kept_out)} of {many(len(whole), 'article')} held out, in {other}; {len(kept)} in {path}")
    elif other.exists():
        exported.notes.append(f"nothing is held out, and {other} is of an earlier export: do not measure with it what learned from {path}")


def _held(articles: Sequence[JudgedArticle], options: ExportOptions, exported: Exported) -> list[JudgedArticle]:
    """Return the articles with a claim to show, and count them: for formats that have no word for a claim that is none."""
    some = [a for a in articles if a.held(unreviewed=options.unreviewed)]
    exported.articles = len(some)
    rejected = exported.verdicts.get("rejected", 0)
    if rejected:
        exported.notes.append(f"{many(rejected, 'rejected claim was', 'rejected claims were')} left out: the format has no word for them")
    return some


def _write_brat(articles: Sequence[JudgedArticle], path: Path, options: ExportOptions, run: ReviewRun, exported: Exported) -> None:
    from accordingto.export.brat import write_brat

    exported.claims, left_out = write_brat(_held(articles, options, exported), path, unreviewed=options.unreviewed)
    if left_out:
        exported.notes.append(f"{many(left_out, 'claim was', 'claims were')} left out: a tab stands there, which brat's files cannot hold, or nothing but white space")


def _write_labelstudio(articles: Sequence[JudgedArticle], path: Path, options: ExportOptions, run: ReviewRun, exported: Exported) -> None:
    from accordingto.export.labelstudio import write_labelstudio

    exported.claims = write_labelstudio(_held(articles, options, exported), path, unreviewed=options.unreviewed)
    exported.notes.append(f"the labelling configuration that belongs to it is {path.with_suffix('.xml')}")


def _write_docbin(articles: Sequence[JudgedArticle], path: Path, options: ExportOptions, run: ReviewRun, exported: Exported) -> None:
    from accordingto.export.docbin import write_docbin

    exported.articles = len(articles)
    exported.claims, moved = write_docbin(articles, path, unreviewed=options.unreviewed)
    if moved:
        exported.notes.append(f"{many(moved, 'span that does not begin and end with tokens was', 'spans that do not begin and end with tokens were')} fitted to them; the exact places are in the attributes of the group `cue`")


def _write_webannotation(articles: Sequence[JudgedArticle], path: Path, options: ExportOptions, run: ReviewRun, exported: Exported) -> None:
    from accordingto.export.webannotation import write_webannotation

    exported.articles, exported.claims = len(articles), write_webannotation(articles, path, unreviewed=options.unreviewed)


def _write_jsonl(articles: Sequence[JudgedArticle], path: Path, options: ExportOptions, run: ReviewRun, exported: Exported) -> None:
    from accordingto.export.jsonl import write_jsonl

    about: dict[str, Any] = {name: run.facts[name] for name in ("version", "model", "options")}
    exported.articles, exported.claims = len(articles), write_jsonl(articles, path, unreviewed=options.unreviewed, run=about)


WRITERS = {"gold": _write_gold, "brat": _write_brat, "webannotation": _write_webannotation, "docbin": _write_docbin, "labelstudio": _write_labelstudio, "jsonl": _write_jsonl}
