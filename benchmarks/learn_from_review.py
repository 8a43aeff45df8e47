"""What a model learns from a review: extract, decide as the gold says, `train --reviewed`, measure before and after.

python benchmarks/learn_from_review.py PATH/TO/data WORK [--articles train|dev] [--alone] [--count 30] [--epochs N] [--threads N]

--articles train: articles that the shipped model has learned already, so little is to be gained; dev: half of the dev articles of
clean and written, which it never saw: the honest case. Its result learned from dev and may not be shipped. The other half measures.
--alone: without the corpora, as a user has it, measured on the same articles.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from accordingto.claim import claim_id
from accordingto.evaluation import _mark as mark
from accordingto.evaluation import match, read_gold
from accordingto.label import LABELS
from accordingto.review.decision import Decision, field_text, spans_text
from accordingto.review.log import DecisionLog, new_batch
from accordingto.review.runs import read_run
from accordingto.schema import Attribution
from accordingto.training.lesson import digest_of_text

PARTS = ("source", "cue", "content")
TEXTS = ("speaker", "attitude_target")


def accordingto(*args) -> None:
    subprocess.run([sys.executable, "-m", "accordingto", *map(str, args)], check=True)


def wanted_fields(gold: dict) -> dict[str, str]:
    """Return what a reviewer who holds the gold for right would write into a claim, in the form of the CSV."""
    fields = {f"{part}_spans": spans_text([tuple(s) for s in gold[part]]) for part in PARTS}
    fields |= {name: str(gold[name]) for name in LABELS if gold.get(name) is not None}
    return fields | {name: gold.get(name) or "" for name in TEXTS}


def decide(run: Path, gold: dict[str, dict]) -> dict[str, int]:
    """Write the decisions that turn a run's claims into the gold: accepted as they are, corrected, rejected, added."""
    whole, counts = read_run(run), dict.fromkeys(("accepted", "corrected", "rejected", "added"), 0)
    with DecisionLog(run) as log:
        for article_id in whole.articles:
            facts = whole.articles[article_id]
            text, sha = facts["text"], facts["text_sha256"]
            claims = whole.claims_of(article_id)
            found = [mark({"claim": c}, text, lambda role, c=c: getattr(c, role).spans) for c in claims]
            marked = [mark(g, text, lambda role, g=g: g[role]) for g in gold[article_id]["attributions"]]
            pairs = match(found, marked)
            made: list[Decision] = []
            batch = new_batch()

            def add(claim: str, kind: str, field: str, old: str, new: str, made=made, batch=batch, sha=sha) -> None:
                made.append(Decision("", claim, sha, "Gold", kind, field, old, new, "", batch))

            for p, g in pairs:
                claim = p.row["claim"]
                changes = {name: value for name, value in wanted_fields(g.row).items() if value != field_text(claim, name)}
                counts["corrected" if changes else "accepted"] += 1
                for name, value in changes.items():
                    add(claim.claim_id, "edit", name, field_text(claim, name), value)
                add(claim.claim_id, "verdict", "decision", "", "accept")
            hit, met = {id(p) for p, _ in pairs}, {id(g) for _, g in pairs}
            for p in found:
                if id(p) not in hit:
                    counts["rejected"] += 1
                    add(p.row["claim"].claim_id, "verdict", "decision", "", "reject")
            for g in marked:
                if id(g) not in met and g.row["content"] and g.row["cue"]:
                    counts["added"] += 1
                    spans = {part: tuple(map(tuple, g.row[part])) for part in PARTS}
                    new = claim_id(bytes.fromhex(sha), Attribution(spans["source"], spans["cue"], spans["content"], None, 0.0))
                    add(new, "add", "", "", json.dumps(wanted_fields(g.row)))
            log.decide(made)
    return counts


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path)
    options.add_argument("work", type=Path)
    options.add_argument("--articles", choices=["train", "dev"], default="train")
    options.add_argument("--count", type=int, default=30)
    options.add_argument("--alone", action="store_true")
    options.add_argument("--epochs", type=int)
    options.add_argument("--threads", type=int, default=2)
    chosen = options.parse_args()
    rows = [row for name in ("clean", "written") for row in read_gold(chosen.data / f"{name}_{chosen.articles}.jsonl.gz")]
    if chosen.articles == "dev":
        rows = [row for row in rows if int(digest_of_text(row), 16) % 2]
    rows = sorted(rows, key=digest_of_text)[: chosen.count]
    run = chosen.work / f"run_{chosen.articles}"
    if not run.exists():
        texts = chosen.work / f"texts_{chosen.articles}"
        texts.mkdir(parents=True)
        for number, row in enumerate(rows):
            (texts / f"{number:03}.txt").write_bytes(row["text"].encode("utf-8"))
        accordingto("extract", texts, "-o", run, "--workers", "1", "--no-near-duplicates")
        gold = {f"{number:03}": row for number, row in enumerate(rows)}
        print("decisions:", decide(run, gold), "of", len(rows), "articles", flush=True)
    name = f"{chosen.articles}{'_alone' if chosen.alone else ''}"
    gold_file = chosen.work / "rest_of_dev.jsonl"
    reviewed = {digest_of_text(row) for row in rows}
    rest = [row for corpus in ("polnear", "clean", "written") for row in read_gold(chosen.data / f"{corpus}_dev.jsonl.gz") if digest_of_text(row) not in reviewed and corpus != "polnear"]
    gold_file.write_text("".join(json.dumps(row) + "\n" for row in rest), encoding="utf-8")
    corpora = [] if chosen.alone else [chosen.data]
    rounds = ["--epochs", chosen.epochs] if chosen.epochs else []
    began = time.monotonic()
    accordingto("train", *corpora, "--reviewed", run, "--dev", gold_file, "--work", chosen.work / f"work_{name}", "-o", chosen.work / f"model_{name}", "--even-if-worse", "--threads", chosen.threads, *rounds)
    facts = json.loads((chosen.work / f"model_{name}" / "meta.json").read_text())["accordingto"]["reviewed"][-1]
    (chosen.work / f"figures_{name}.json").write_text(json.dumps(facts, indent=1))
    print(f"{time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
