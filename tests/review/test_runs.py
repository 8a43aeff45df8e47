"""A real run of the command line, read back."""

import json
import shutil

import pytest
from decisions import verdict
from runs import run

from accordingto.errors import RunError
from accordingto.ledger import Ledger
from accordingto.review.log import LOG_FILE, DecisionLog
from accordingto.review.runs import read_run
from accordingto.table import claim_from_json
from accordingto.verify import verify_run


def test_articles_and_claims_are_those_of_the_files(seeds):
    found = read_run(seeds)
    lines = [json.loads(line) for line in (seeds / "articles.jsonl").read_bytes().splitlines()]
    assert list(found.articles.values()) == lines
    assert len(found.articles) == 3
    claims = [claim_from_json(line) for line in (seeds / "claims.jsonl").read_bytes().splitlines()]
    assert list(found.claims()) == claims
    assert [c for article_id in found.articles.with_claims for c in found.claims_of(article_id)] == claims


def test_duplicate_has_the_text_and_the_claims_of_its_original(seeds):
    found = read_run(seeds)
    (copy,) = [a for a in found.articles.values() if a["duplicate_of"]]
    assert found.text(copy["article_id"]) == found.text(copy["duplicate_of"]) != ""
    assert found.claims_of(copy["article_id"]) == found.claims_of(copy["duplicate_of"]) != []
    assert found.articles.by_text[copy["text_sha256"]] == copy["duplicate_of"]


def test_claims_that_the_run_left_out_of_its_tables_are_left_out(seeds, tmp_path):
    done = run("extract", "seeds", "-o", tmp_path / "sure", "--min-confidence", "0.8", "--no-near-duplicates")
    assert done.returncode == 0, done.stderr
    claims = list(read_run(tmp_path / "sure").claims())
    assert 0 < len(claims) < len(list(read_run(seeds).claims()))
    assert all(c.confidence >= 0.8 for c in claims)


def test_run_is_read_beside_other_readers_and_not_while_it_is_written(seeds):
    found = read_run(seeds)
    claims = found.claims()
    next(claims)
    assert next(found.claims()) is not None
    claims.close()
    ledger = Ledger(seeds)
    with pytest.raises(RunError, match="another process works on it"):
        next(found.claims())
    ledger.close()
    assert next(found.claims()) is not None


def test_folder_without_a_complete_run_is_refused(seeds, tmp_path):
    with pytest.raises(RunError, match="there is no run in it"):
        read_run(tmp_path)
    shutil.copytree(seeds, tmp_path / "run")
    for content in ("{}", "[]", '{"options": {}}', "no JSON"):
        (tmp_path / "run/run.json").write_text(content)
        with pytest.raises(RunError, match="not complete, or damaged"):
            read_run(tmp_path / "run")
    (tmp_path / "run/run.json").unlink()
    with pytest.raises(RunError, match="not complete, or damaged"):
        read_run(tmp_path / "run")


def test_extraction_and_verification_leave_decisions_alone(seeds, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(seeds, folder)
    before = {p.name: p.read_bytes() for p in folder.glob("claims.*")}
    with DecisionLog(folder) as log:
        made = log.decide([verdict()])
        again = run("extract", "seeds", tmp_path / "gone.txt", "-o", folder, "--format", "csv", "--format", "jsonl", "--format", "xlsx")  # while a page holds the log
    assert again.returncode == 3, again.stderr
    assert verify_run(folder) == []
    with DecisionLog(folder, create=False) as log:
        assert [d for _, d in log.read()] == made
    assert before.keys() == {p.name for p in folder.glob("claims.*")}
    assert "1 missing" in again.stderr
    assert (folder / LOG_FILE).is_file()
