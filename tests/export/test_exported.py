"""From a run of the seeds over the reviewers' decisions to the files, as a user goes: extract, decide, export, evaluate."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from spacy.tokens import DocBin

from accordingto.errors import OutputError, RunError
from accordingto.evaluation import read_gold
from accordingto.export.exported import FORMATS, TABLES, ExportOptions, export_run, read_judged
from accordingto.review.decision import Decision, spans_text
from accordingto.review.log import DecisionLog, new_batch
from accordingto.review.runs import read_run

ROOT = Path(__file__).parents[2]


def run(*args) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "accordingto", *map(str, args)], capture_output=True, text=True, timeout=240, check=False, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})


@pytest.fixture(scope="module")
def unreviewed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "run"
    assert run("extract", "seeds", "-o", folder).returncode == 0
    return folder


def decide(folder: Path, claim, kind="verdict", field="decision", new="accept", sha="", reviewer="Ann", at="") -> None:
    with DecisionLog(folder) as log:
        log.decide([Decision("", claim if isinstance(claim, str) else claim.claim_id, sha, reviewer, kind, field, "", new, "", new_batch())])


@pytest.fixture
def reviewed(unreviewed, tmp_path) -> Path:
    """The run with every claim of the first article decided, and of the second all but two."""
    folder = tmp_path / "run"
    shutil.copytree(unreviewed, folder)
    whole = read_run(folder)
    first, second = whole.articles.with_claims
    sha = {a: whole.articles[a]["text_sha256"] for a in (first, second)}
    claims = {a: whole.claims_of(a) for a in (first, second)}
    for claim in claims[first]:
        decide(folder, claim, sha=sha[first])
    decide(folder, claims[first][0], new="reject", sha=sha[first])
    decide(folder, claims[first][1], "edit", "stance", "deny", sha=sha[first])
    start, end = claims[first][1].content.spans[0]
    decide(folder, claims[first][1], "edit", "content_spans", spans_text([(start, end - 3)]), sha=sha[first])
    fields = {"source_spans": "0 3", "cue_spans": "4 6", "content_spans": "7 20", "stance": "warn"}
    decide(folder, "c_added", "add", "", json.dumps(fields), sha=sha[first])
    for claim in claims[second][2:]:
        decide(folder, claim, sha=sha[second])
    decide(folder, claims[second][0], sha=sha[second])
    decide(folder, claims[second][0], new="reject", sha=sha[second], reviewer="Bob")  # two reviewers differ
    return folder


def test_verdicts_are_those_of_the_decisions(reviewed):
    first, second = read_judged(read_run(reviewed))
    by_id = {c.claim.claim_id: c for c in first.claims}
    original = {c.claim_id: c for c in read_run(reviewed).claims()}
    assert sorted(c.verdict for c in first.claims) == ["accepted"] * (len(by_id) - 3) + ["added", "corrected", "rejected"]
    (new,) = [c for c in first.claims if c.verdict == "corrected"]
    old = original[new.claim.claim_id]
    assert (new.claim.stance, new.machine["stance"], new.machine["content_spans"]) == ("deny", old.stance, spans_text(old.content.spans))
    assert new.claim.content.text == old.content.text[:-3]
    assert by_id["c_added"].claim.source.text == first.text[0:3]
    assert [c.verdict for c in second.claims if c.verdict != "accepted"] == ["disputed", "unreviewed"]
    assert first.settled
    assert not second.settled


def test_gold_of_the_seeds_goes_to_evaluate(reviewed, tmp_path):
    done = run("export", reviewed, "--format", "gold", "-o", tmp_path / "gold.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    account = json.loads(done.stdout)
    first, _ = read_judged(read_run(reviewed))
    (row,) = read_gold(tmp_path / "gold.jsonl")
    assert (account["articles"], account["claims"]) == (1, len(first.claims) - 1)
    assert (row["id"], row["text"], row["labelled"], row["nested_labelled"], len(row["rejected"])) == (first.article_id, first.text, True, True, 1)
    assert "1 article of which some claims are not settled was left out: no gold (--partial takes them)" in done.stderr
    scored = run("evaluate", tmp_path / "gold.jsonl", "--json")
    figures = json.loads(scored.stdout)
    assert scored.returncode == 0, scored.stderr
    found = sum(c.claim.parent_id is None and c.verdict != "added" for c in first.claims)  # by the model; one of these was rejected
    assert figures["articles"] == 1
    assert figures["cue_precision"] == round(100 * (found - 1) / found, 1)
    assert 90 < figures["stance_accuracy"] < 100  # one label was corrected


def test_partial_gold_says_what_is_undecided(reviewed, tmp_path):
    account = export_run(reviewed, "gold", tmp_path / "gold.jsonl", ExportOptions(partial=True))
    rows = read_gold(tmp_path / "gold.jsonl")
    _, second = read_judged(read_run(reviewed))
    assert account.articles == 2
    assert len(rows[1]["undecided"]) == 2
    assert len(rows[1]["attributions"]) == len(second.claims) - 2


@pytest.mark.parametrize("format", [f for f in FORMATS if f not in TABLES])
def test_every_format_holds_the_settled_claims_and_no_machine_output(reviewed, tmp_path, format):
    path = tmp_path / "out"
    done = run("export", reviewed, "--format", format, "-o", path, "--json")
    assert done.returncode == 0, done.stderr
    account = json.loads(done.stdout)
    judged = read_judged(read_run(reviewed))
    taken = {c.claim.claim_id for a in judged for c in a.claims if c.verdict in ("accepted", "corrected", "added") and (a.settled or format != "gold")}
    ids = {
        "gold": lambda: [r["claim_id"] for row in read_gold(path) for r in row["attributions"]],
        "brat": lambda: [json.loads(line.split("\t")[2])["claim_id"] for ann in path.glob("*.ann") for line in ann.read_text("utf-8").splitlines() if line.startswith("#")],
        "webannotation": lambda: [a["body"][0]["schema:identifier"] for a in json.loads(path.read_bytes())["first"]["items"] if a["motivation"] == "describing"],
        "docbin": lambda: list({s.id_ for doc in DocBin().from_disk(path).get_docs(_vocab()) for s in doc.spans["cue"]}),
        "labelstudio": lambda: list({r["id"].split("_cue")[0] for t in json.loads(path.read_bytes()) for m in t["annotations"] for r in m["result"] if r.get("value", {}).get("labels") == ["Cue"]}),
        "jsonl": lambda: [c["claim_id"] for line in path.read_text("utf-8").split("\n")[:-1] for c in json.loads(line)["claims"] if c["review"]["verdict"] != "rejected"],
    }[format]()
    assert sorted(ids) == sorted(taken)
    assert account["verdicts"] == {"accepted": len(taken) - 2 if format != "gold" else account["verdicts"]["accepted"], "added": 1, "corrected": 1, "disputed": 1, "rejected": 1, "unreviewed": 1}
    assert account["notes"][0] == "2 claims that are not settled were left out"


def _vocab():
    import spacy

    return spacy.blank("en").vocab


def test_nothing_decided_is_nothing_to_export_but_with_unreviewed(unreviewed, tmp_path):
    with pytest.raises(RunError, match="nobody has decided anything in it; review it first"):
        export_run(unreviewed, "brat", tmp_path / "out", ExportOptions())
    account = export_run(unreviewed, "labelstudio", tmp_path / "out.json", ExportOptions(unreviewed=True))
    tasks = json.loads((tmp_path / "out.json").read_bytes())
    assert account.claims == len(list(read_run(unreviewed).claims()))
    assert all(t["annotations"] == [] and len(t["predictions"]) == 1 for t in tasks)
    assert not (unreviewed / "decisions.sqlite").exists()  # an export writes nothing into the run


def test_article_that_is_not_settled_is_no_gold(unreviewed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(unreviewed, folder)
    whole = read_run(folder)
    claim = next(whole.claims())
    decide(folder, claim, sha=whole.articles[claim.article_id]["text_sha256"])
    with pytest.raises(RunError, match="in none of its articles every claim was decided"):
        export_run(folder, "gold", tmp_path / "gold.jsonl", ExportOptions())
    assert not (tmp_path / "gold.jsonl").exists()


def test_held_out_articles_go_into_a_file_of_their_own(reviewed, tmp_path):
    counts = []
    for share in (0.0, 0.5, 0.9):
        export_run(reviewed, "gold", tmp_path / "gold.jsonl", ExportOptions(partial=True, held_out=share))
        other = tmp_path / "gold.held_out.jsonl"
        files = [p for p in (tmp_path / "gold.jsonl", other) if p.is_file()]
        ids = [json.loads(line)["id"] for p in files for line in p.read_bytes().splitlines()]
        assert len(ids) == len(set(ids)) == 2
        counts.append(len(other.read_bytes().splitlines()) if other.is_file() else 0)
    assert counts[0] == 0
    assert counts[-1] >= counts[1]
    account = export_run(reviewed, "gold", tmp_path / "gold.jsonl", ExportOptions(partial=True))
    assert account.notes[-1] == f"nothing is held out, and {other} is of an earlier export: do not measure with it what learned from {tmp_path / 'gold.jsonl'}"


@pytest.mark.parametrize(("format", "name", "message"), [("gold", "gold.jsonl.gz", "an export is not packed"), ("jsonl", "x.GZ", "not packed"), ("labelstudio", "tasks.xml", "would replace the tasks; give a name that ends in .json")])
def test_name_that_a_format_cannot_be_written_to_is_refused_before_anything_is_written(reviewed, tmp_path, format, name, message):
    with pytest.raises(OutputError, match=message):
        export_run(reviewed, format, tmp_path / name, ExportOptions())
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(("share", "format", "message"), [(1.0, "gold", "a share of 1 cannot be held out"), (0, "conll", "'conll' names no format; choose one of csv, xlsx, gold, brat"), (0, "xlsx", "'' is not the ending of a xlsx table")])
def test_options_that_make_no_sense_are_refused(unreviewed, tmp_path, share, format, message):
    with pytest.raises(OutputError, match=message):
        export_run(unreviewed, format, tmp_path / "x", ExportOptions(held_out=share))
