import json
import shutil
import sqlite3
from dataclasses import replace

import pytest
from decisions import added, edit, lead, logs, time, verdict
from hypothesis import given
from hypothesis import strategies as st
from runs import run

from accordingto.errors import DecisionError, RunError
from accordingto.review.decision import fold
from accordingto.review.log import LOG_FILE, DecisionLog, new_batch
from accordingto.review.merged import conflicts, merge_logs, read_log, union
from accordingto.review.runs import read_run


@st.composite
def three_logs(draw):
    """Three logs that share some rows; ids are of the whole, so that one id is one decision."""
    whole = draw(logs())
    return [[d for d in whole if draw(st.booleans())] for _ in range(3)]


@given(three_logs())
def test_union_is_commutative_associative_and_idempotent(parts):
    a, b, c = parts
    assert union(a, b) == union(b, a)
    assert union(union(a, b), c) == union(a, union(b, c)) == union(a, b, c)
    assert union(a, a) == union(a)
    assert union(union(a, b), b) == union(a, b)
    assert fold(union(a, b, c)) == fold([*c, *a, *b])


def test_one_id_for_two_decisions_is_refused():
    one = verdict(decision_id="d_1", at=time(1))
    with pytest.raises(DecisionError, match="d_1 was not taken: two logs have it differently"):
        union([one], [replace(one, new="reject")])


@pytest.fixture
def folders(seeds, tmp_path):
    """Three copies of a run, for reviewers who work apart, and the run's claims with the digests of their texts."""
    made = [tmp_path / name for name in ("ann", "bo", "cy")]
    for folder in made:
        shutil.copytree(seeds, folder)
    found = read_run(seeds)
    shas = {article_id: sha for sha, article_id in found.articles.by_text.items()}
    return made, [(c, shas[c.article_id]) for c in found.claims()]


def decide(folder, *decisions):
    with DecisionLog(folder) as log:
        for decision in decisions:
            log.decide([replace(decision, batch=new_batch())])


def state(folder):
    with DecisionLog(folder) as log:
        return fold(d for _, d in log.read())


def about(pair, made, *args, **changes):
    claim, sha = pair
    return made(*args, claim=claim.claim_id, article_sha256=sha, **changes)


def work_apart(folders, claims):
    ann, bo, cy = folders
    decide(ann, *(about(c, verdict, "accept") for c in claims[:6]), about(claims[0], edit, "stance", "deny"))
    decide(bo, *(about(c, verdict, "accept" if i else "reject", reviewer="Bo") for i, c in enumerate(claims[:4])), about(claims[1], edit, "stance", "warn", reviewer="Bo"))
    with DecisionLog(bo) as log:
        log.undo("Bo")
    decide(cy, about(claims[9], verdict, "unsure", reviewer="Cy"), replace(added(claim="c_new", reviewer="Cy"), article_sha256=claims[0][1]))


def test_reviewers_who_worked_apart_come_together_in_any_order(folders):
    made, claims = folders
    work_apart(made, claims)
    ann, bo, cy = made
    before = {folder: state(folder) for folder in made}
    merged = merge_logs(ann, [bo, cy])
    assert (merged.reviewers, merged.new, merged.orphaned) == (["Ann", "Bo", "Cy"], 8, [])
    assert [c.claim_id for c in merged.conflicts] == [claims[0][0].claim_id]
    assert merged.conflicts[0].said == {"Ann": {"decision": "accept", "stance": "deny"}, "Bo": {"decision": "reject"}}
    for other in (cy, ann, bo, ann):
        merge_logs(bo, [other])
    assert state(bo) == state(ann) == fold(union(*map(read_log, made)))
    assert merge_logs(ann, [bo, ann]).new == 0
    assert state(cy) == before[cy]
    assert "c_new" in state(ann)


def test_undo_of_an_import_is_no_reviewer_and_an_edited_speaker_is_a_conflict(folders):
    made, claims = folders
    decide(made[0], about(claims[0], verdict, "accept"), about(claims[0], edit, "speaker", "Ada", old=claims[0][0].speaker or ""))
    decide(made[1], about(claims[0], verdict, "accept", reviewer="Bo"))
    with DecisionLog(made[1]) as log:
        log.decide([about(claims[1], verdict, "accept", reviewer="Bo", batch="i_1")])
        log.undo_batch("i_1")
    merged = merge_logs(made[0], [made[1]])
    assert merged.reviewers == ["Ann", "Bo"]
    assert [c.claim_id for c in merged.conflicts] == [claims[0][0].claim_id]


def test_lead_settles_a_conflict(folders):
    made, claims = folders
    work_apart(made, claims)
    decide(made[0], about(claims[0], lead, "accept"))
    assert merge_logs(made[0], [made[1]]).conflicts == []
    assert state(made[0])[claims[0][0].claim_id].decision == "accept"


def test_logs_travel_as_files_of_either_kind(folders, tmp_path):
    made, claims = folders
    work_apart(made, claims)
    saved = merge_logs(made[1], [], save=tmp_path / "bo.jsonl")
    assert len((tmp_path / "bo.jsonl").read_bytes().splitlines()) == saved.decisions == 6
    shutil.copy(made[2] / LOG_FILE, tmp_path / "cy.sqlite")
    assert merge_logs(made[0], [tmp_path / "bo.jsonl", tmp_path / "cy.sqlite"]).new == 8
    assert list(read_log(tmp_path / "bo.jsonl")) == union(read_log(made[1]))


@pytest.mark.parametrize(("name", "content", "error", "why"), [("x.jsonl", "{}\n", DecisionError, "it is no decision"), ("gone.jsonl", None, RunError, "no such file"), ("gone.sqlite", None, RunError, "nobody has decided")])
def test_what_is_no_log_is_refused_and_nothing_is_written(folders, tmp_path, name, content, error, why):
    made, claims = folders
    work_apart(made, claims)
    if content is not None:
        (tmp_path / name).write_text(content)
    before = state(made[0])
    with pytest.raises(error, match=why):
        merge_logs(made[0], [made[1], tmp_path / name])
    assert state(made[0]) == before


def test_spans_outside_of_the_text_are_refused(folders):
    made, claims = folders
    decide(made[1], about(claims[0], edit, "cue_spans", "0 99999999"))
    with pytest.raises(DecisionError, match="'0 99999999' are no spans"):
        merge_logs(made[0], [made[1]])


def test_decision_on_another_article_than_its_claims_is_refused(folders):
    made, claims = folders
    (one, own), other = claims[0], next(sha for _, sha in claims if sha != claims[0][1])
    for sha in (other, "9" * 64):
        decide(made[1], edit("cue_spans", "0 5", claim=one.claim_id, article_sha256=sha))
        with pytest.raises(DecisionError, match=f"the claim {one.claim_id} is of another article"):
            merge_logs(made[0], [made[1]])
    decide(made[2], edit("cue_spans", "0 5", claim=one.claim_id, article_sha256=own))
    assert merge_logs(made[0], [made[2]]).new == 1


def test_database_of_another_program_is_refused_and_left_as_it_is(folders, tmp_path):
    made, _ = folders
    db = sqlite3.connect(tmp_path / "other.sqlite")
    db.execute("CREATE TABLE notes (text)")
    db.close()
    (tmp_path / "empty.sqlite").touch()
    for path in (tmp_path / "other.sqlite", tmp_path / "empty.sqlite", made[1] / "ledger.sqlite"):
        before = path.read_bytes()
        with pytest.raises(RunError, match="there is no log of decisions in it"):
            merge_logs(made[0], [path])
        assert path.read_bytes() == before


def test_decisions_survive_a_new_model_by_their_spans(seeds, tmp_path):
    """Another guideline draws some spans otherwise: what is the same keeps its decisions, the rest is kept and named."""
    shutil.copytree(seeds, tmp_path / "old")
    done = run("extract", "seeds", "-o", tmp_path / "new", "--guideline", "polnear", "--no-near-duplicates")
    assert done.returncode == 0, done.stderr
    old = read_run(tmp_path / "old")
    shas = {article_id: sha for sha, article_id in old.articles.by_text.items()}
    old_ids, new_ids = ([c.claim_id for c in read_run(tmp_path / name).claims()] for name in ("old", "new"))
    decide(tmp_path / "old", *(verdict("accept", claim=c.claim_id, article_sha256=shas[c.article_id]) for c in old.claims()))
    merged = merge_logs(tmp_path / "new", [tmp_path / "old"])
    same, gone = set(old_ids) & set(new_ids), set(old_ids) - set(new_ids)
    assert same
    assert gone
    assert sorted(merged.orphaned) == sorted(gone)
    assert merged.decisions == len(old_ids)
    assert {claim_id for claim_id, s in state(tmp_path / "new").items() if s.decision == "accept"} >= same
    back = merge_logs(tmp_path / "old", [tmp_path / "new"])
    assert (back.new, back.orphaned) == (0, [])


def test_added_claim_of_a_text_that_the_run_has_not_is_an_orphan(folders):
    made, claims = folders
    decide(made[0], replace(added(claim="c_here"), article_sha256=claims[0][1]), added(claim="c_there"))
    assert merge_logs(made[0], []).orphaned == ["c_there"]


def test_command_names_conflicts_and_counts(folders, tmp_path):
    made, claims = folders
    work_apart(made, claims)
    done = run("merge", *made, "--save", tmp_path / "all.jsonl", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (facts["decisions"], facts["new"], len(facts["conflicts"])) == (15, 8, 1)
    assert f"{claims[0][0].claim_id}: Ann decision accept, stance deny; Bo decision reject" in done.stderr
    assert "15 decisions, 8 of them new, by 3 reviewers; 1 conflict, 0 orphaned" in done.stderr
    assert run("merge", made[0]).returncode == 2


def test_conflicts_are_those_of_the_states():
    rows = [verdict("accept", decision_id="d_1", at=time(1)), verdict("reject", reviewer="", decision_id="d_2", at=time(2), batch="b_2")]
    (found,) = conflicts(fold(rows))
    assert found.said == {"": {"decision": "reject"}, "Ann": {"decision": "accept"}}
