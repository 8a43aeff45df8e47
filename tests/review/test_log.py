import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from decisions import edit, time, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from accordingto.errors import DecisionError, RunError
from accordingto.review.decision import fold
from accordingto.review.log import LOG_FILE, DecisionLog, new_batch


@pytest.fixture
def log(tmp_path):
    with DecisionLog(tmp_path) as made:
        yield made


def rows(log):
    return [decision for _, decision in log.read()]


def test_decisions_come_back_as_they_were_made(tmp_path):
    with DecisionLog(tmp_path) as log:
        made = log.decide([verdict("accept"), edit("speaker", "“Ann”\r\n=1+1 😀\0")])
    with DecisionLog(tmp_path, create=False) as log:
        assert rows(log) == made
        assert [number for number, _ in log.read(after=1)] == [2]
    assert len({d.decision_id for d in made}) == 2
    assert made[0].at < made[1].at


def test_append_skips_what_is_there_and_keeps_all_else_as_it_is(log):
    one, two = verdict(decision_id="d_1", at=time(1)), verdict("reject", decision_id="d_2", at=time(0))
    assert [log.append(batch) for batch in ([one], [one, two], [two, one], [])] == [1, 1, 0, 0]
    assert rows(log) == [one, two]


def test_batch_is_written_whole_or_not_at_all(log):
    with pytest.raises(DecisionError, match="'maybe' is no verdict"):
        log.decide([verdict("accept"), verdict("maybe")])
    with pytest.raises(DecisionError, match="no id or no time"):
        log.append([verdict(decision_id="d_1", at=time(1)), verdict(at=time(1))])
    assert rows(log) == []


def test_log_only_grows(tmp_path):
    with DecisionLog(tmp_path) as log:
        log.decide([verdict()])
    db = sqlite3.connect(tmp_path / LOG_FILE)
    for statement in ("UPDATE decisions SET new = 'reject'", "DELETE FROM decisions"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            db.execute(statement)
    for number, name in (("number", "'d_2'"), ("NULL", "decision_id")):
        db.execute(f"INSERT OR REPLACE INTO decisions SELECT {number}, {name}, '', '', '', '', '', '', 'reject', '', '', '' FROM decisions")
    assert db.execute("SELECT new FROM decisions").fetchall() == [("accept",)]
    db.close()


def test_undo_and_redo_go_back_and_forth_without_limit(log):
    batches = [new_batch() for _ in range(30)]
    states = [{}]
    for i, batch in enumerate(batches):
        log.decide([verdict(claim=f"c_{i % 7}", new="accept" if i % 3 else "reject", batch=batch), edit(claim=f"c_{i % 5}", new="deny" if i % 2 else "ask", batch=batch)])
        states.append(fold(rows(log)))
    for i in reversed(range(30)):
        assert log.undo("Ann") == batches[i]
        assert fold(rows(log)) == states[i]
    assert log.undo("Ann") is None
    for i in range(30):
        assert log.redo("Ann") == batches[i]
        assert fold(rows(log)) == states[i + 1]
    assert log.redo("Ann") is None


def test_new_decision_ends_redo(log):
    log.decide([verdict(batch="b_1")])
    log.undo("Ann")
    log.decide([verdict("reject", batch="b_2")])
    assert log.redo("Ann") is None
    assert log.undo("Ann") == "b_2"
    assert log.undo("Ann") is None


def test_each_reviewer_takes_back_only_their_own_and_no_import(log):
    log.decide([verdict(batch="b_1")])
    log.decide([verdict(batch="b_2", reviewer="Bo")])
    log.decide([verdict(batch="i_3"), verdict(batch="i_3", reviewer="Bo")])
    assert (log.undo("Ann"), log.undo("Ann"), log.undo("Cy")) == ("b_1", None, None)
    assert log.undo_batch("i_3") is True
    assert (log.undo_batch("i_3"), log.undo_batch("i_9")) == (False, False)
    assert set(fold(rows(log))["c_1"].by) == {"Bo"}
    assert log.undo_batch("i_3", kind="redo") is True
    assert set(fold(rows(log))["c_1"].by) == {"Ann", "Bo"}


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.sampled_from(["accept", "reject", "", "undo", "redo"]), max_size=12), last=st.sampled_from(["accept", "reject", "unsure", ""]))
def test_undo_after_do_is_identity(tmp_path_factory, steps, last):
    with DecisionLog(tmp_path_factory.mktemp("run")) as log:
        for step in steps:
            getattr(log, step)("Ann") if step in ("undo", "redo") else log.decide([verdict(step, batch=new_batch())])
        before = fold(rows(log))
        log.decide([verdict(last, batch=new_batch()), edit(claim="c_2", batch=new_batch())])
        log.undo("Ann")
        log.undo("Ann")
        assert fold(rows(log)) == before


def test_decision_counts_though_the_clock_was_set_back(log):
    ahead = verdict("accept", decision_id="d_1", at="2999-01-01T00:00:00.000000+00:00")
    log.append([ahead])
    (made,) = log.decide([verdict("reject", batch="b_2")])
    assert made.at > ahead.at
    assert fold(rows(log))["c_1"].decision == "reject"
    assert log.undo("Ann") == "b_2"


def test_times_are_of_now(log):
    (made,) = log.decide([verdict()])
    assert abs((datetime.now().astimezone() - datetime.fromisoformat(made.at)).total_seconds()) < 60


def test_log_of_one_claim_is_enough_for_its_state(log):
    for i in range(40):
        log.decide([verdict(claim=f"c_{i % 4}", new="accept" if i % 3 else "reject", batch=f"b_{i}"), edit(claim=f"c_{i % 3}", batch=f"b_{i}")])
        if i % 5 == 0:
            log.undo("Ann")
    whole = fold(rows(log))
    assert {claim: fold(log.of_claim(claim))[claim] for claim in whole} == whole


def test_folder_without_decisions_is_refused_and_left_as_it_is(tmp_path):
    with pytest.raises(RunError, match="nobody has decided anything in it; review it first"):
        DecisionLog(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []


def test_damaged_or_newer_log_is_refused(tmp_path):
    (tmp_path / LOG_FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(RunError, match="its decisions are damaged"):
        DecisionLog(tmp_path)
    (tmp_path / LOG_FILE).unlink()
    DecisionLog(tmp_path).close()
    db = sqlite3.connect(tmp_path / LOG_FILE)
    db.execute("PRAGMA user_version = 2")
    db.close()
    with pytest.raises(RunError, match="of version 2, this program writes 1"):
        DecisionLog(tmp_path)


DECIDER = """
import sys
from pathlib import Path
from accordingto.review.log import DecisionLog, new_batch
from decisions import edit, verdict
log = DecisionLog(Path(sys.argv[1]))
while True:
    batch = new_batch()
    made = log.decide([verdict(batch=batch), edit(batch=batch)])
    print(batch, flush=True)
"""


def decider(folder):
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1] / "src")])
    return subprocess.Popen([sys.executable, "-c", DECIDER, str(folder)], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path})


def test_process_killed_between_decisions_loses_none_that_was_answered(tmp_path):
    chance = random.Random(6)
    answered = []
    for _ in range(4):
        with decider(tmp_path) as process:
            for _ in range(chance.randint(1, 40)):
                answered.append(process.stdout.readline().strip().decode())
            process.send_signal(signal.SIGKILL)
            answered += process.stdout.read().decode().split()
    with DecisionLog(tmp_path, create=False) as log:
        kept = [d.batch for d in rows(log)]
    assert set(answered) <= set(kept)
    assert len(kept) - 2 * len(answered) in range(0, 2 * 4 + 1, 2)  # of each killed process one more may be written, and whole
    assert all(kept.count(batch) == 2 for batch in set(kept))


def test_processes_and_threads_decide_side_by_side(tmp_path):
    """Two processes begin on a folder without a log, and four threads share one connection."""
    processes = [decider(tmp_path) for _ in range(2)]
    seen = [[process.stdout.readline() for _ in range(20)] for process in processes]
    with DecisionLog(tmp_path) as log:
        threads = [threading.Thread(target=lambda: [log.decide([verdict(batch=new_batch())]) for _ in range(10)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for process in processes:
            process.kill()
            process.communicate()
        found = rows(log)
    assert all(len(set(lines)) == 20 for lines in seen)
    assert len([d for d in found if d.kind == "verdict"]) >= 80
    assert [d.at for d in found] == sorted(d.at for d in found)
    assert len({d.decision_id for d in found}) == len(found)
