"""Runs into a folder: whole, killed, resumed, refused; by real processes."""

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import inputs

FILES = ("articles.jsonl", "claims.csv", "claims.jsonl", "quarantine.jsonl", "run.json")


def run(*args, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "accordingto", *map(str, args)], capture_output=True, timeout=240, check=False, **options)


def bytes_of(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """A folder of articles of several kinds; one is broken, one repeats another, one nearly does, one is German."""
    folder = tmp_path_factory.mktemp("news")
    with gzip.open(Path(__file__).parent / "data/written_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for i, line in enumerate(lines):
            (folder / f"{i:02}.txt").write_text(json.loads(line)["text"])
    (folder / "copy.txt").write_text((folder / "03.txt").read_text())
    (folder / "again.txt").write_text("Another heading\n" + (folder / "04.txt").read_text())
    (folder / "page.html").write_bytes(inputs.page())
    (folder / "table.csv").write_bytes(inputs.csv_table(inputs.records(["Ann Lee said it rained in the north.", "", "It rained."])))
    (folder / "broken.pdf").write_bytes(inputs.pdf()[:200])
    (folder / "german.txt").write_text("Der Minister sagte am Montag, die Straße bleibe gesperrt, bis die Ingenieure den Zustand der Brücke geprüft und berichtet hätten.")
    return folder


@pytest.fixture(scope="module")
def whole(news, tmp_path_factory):
    """The run of that folder, undisturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    done = run("extract", news, "-o", folder, "--workers", 1, "--json")
    return folder, done


def test_every_input_is_accounted_for(whole):
    folder, done = whole
    counts = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr.decode()
    assert counts["inputs"] == 20
    assert (counts["extracted"] + counts["without_claims"], counts["duplicates"], counts["near_duplicates"]) == (16, 1, 1)
    assert (counts["filtered"], counts["quarantined"]) == ({"unsupported_language": 1}, {"damaged": 1, "empty": 1})
    assert b"Traceback" not in done.stderr
    articles = [json.loads(line) for line in (folder / "articles.jsonl").read_bytes().splitlines()]
    quarantine = [json.loads(line) for line in (folder / "quarantine.jsonl").read_bytes().splitlines()]
    assert len(articles) + len(quarantine) == counts["inputs"]
    by_id = {a["article_id"]: a for a in articles}
    assert by_id["copy"]["duplicate_of"] == "03"
    assert by_id["again"]["near_duplicate_of"] or by_id["04"]["near_duplicate_of"] == "again"
    assert by_id["n0"]["src"] == {"beat": "roads"}
    assert {q["code"] for q in quarantine} == {"unsupported_language", "damaged", "empty"}
    claims = [json.loads(line) for line in (folder / "claims.jsonl").read_bytes().splitlines()]
    assert len(claims) == counts["claims"] > 40
    assert {c["title"] for c in claims if c["article_id"] == "page"} == {inputs.META["title"]}
    assert [c["src_beat"] for c in claims if c["article_id"] == "n0"] == ["roads"]


def test_verify_finds_all_true_and_each_fault(whole, tmp_path):
    folder, _ = whole
    assert run("verify", folder).returncode == 0
    for name, change in (("claims.csv", lambda d: d + b"x"), ("articles.jsonl", lambda d: d.replace(b"road", b"toad", 1)), ("run.json", lambda d: d.replace(b'"inputs": 20', b'"inputs": 21'))):
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        (copy / name).write_bytes(change((copy / name).read_bytes()))
        done = run("verify", copy, "--json")
        assert (done.returncode, bool(json.loads(done.stdout)["faults"])) == (4, True)
    copy = tmp_path / "ledger"
    shutil.copytree(folder, copy)
    (copy / "run.json").unlink()
    assert run("verify", copy).returncode == 4
    assert run("verify", tmp_path).returncode == 1


@pytest.mark.parametrize("workers", [2, 4])
def test_order_and_workers_do_not_change_a_byte(whole, news, tmp_path, workers):
    names = sorted(map(str, news.iterdir()))
    random.Random(workers).shuffle(names)
    assert run("extract", *names, "-o", tmp_path / "run", "--workers", workers).returncode == 3
    assert bytes_of(tmp_path / "run") == bytes_of(whole[0])


def test_finished_run_is_resumed_without_a_change(whole, news):
    before = bytes_of(whole[0])
    assert run("extract", news, "-o", whole[0]).returncode == 3
    assert bytes_of(whole[0]) == before


def test_all_formats_are_the_same_bytes_each_time(news, tmp_path):
    every = [part for f in ("csv", "jsonl", "xlsx", "parquet") for part in ("--format", f)]
    for name in ("a", "b"):
        run("extract", news / "00.txt", news / "table.csv", "-o", tmp_path / name, *every)
    files = {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir() if p.name != "ledger.sqlite"}
    assert {"claims.csv", "claims.jsonl", "claims.xlsx", "claims.parquet"} < files.keys()
    assert files == {p.name: p.read_bytes() for p in (tmp_path / "b").iterdir() if p.name != "ledger.sqlite"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--guideline", "polnear"), "it was made with --guideline steady, and this is --guideline polnear;"),
        (("--min-confidence", "0.5"), "it was made with --min-confidence 0.0, and this is --min-confidence 0.5;"),
        (("--format", "xlsx"), "it was made with --format csv --format jsonl, and this is --format xlsx;"),
        (("--stance", "deny"), "no --stance, --attribution-type or --framing, and this is --stance deny;"),
    ],
)
def test_other_options_are_refused_by_name(whole, news, options, named):
    done = run("extract", news, "-o", whole[0], *options)
    assert (done.returncode, named in done.stderr.decode()) == (1, True)


def test_tables_of_a_run_that_a_reviewer_wrote_into_are_not_replaced(news, tmp_path):
    assert run("extract", news / "00.txt", "-o", tmp_path / "run").returncode == 0
    table = tmp_path / "run/claims.csv"
    header, first, *rest = table.read_text("utf-8-sig").split("\n")
    table.write_text("\n".join([header.replace("decision", "mine").replace("certainty", "decision"), first, *rest]), "utf-8")  # a column that is filled
    before = table.read_bytes()
    for command in (("extract", news / "00.txt", "-o", tmp_path / "run"), ("retry", tmp_path / "run")):
        done = run(*command)
        assert (done.returncode, "or --overwrite" in done.stderr.decode(), table.read_bytes()) == (1, True, before)
    assert run("extract", news / "00.txt", "-o", tmp_path / "run", "--overwrite").returncode == 0
    assert table.read_bytes() != before


def test_other_model_is_refused_by_name(whole, news, tmp_path):
    from accordingto.pipeline import model_folder

    shutil.copytree(model_folder(), tmp_path / "model")
    meta = tmp_path / "model" / "meta.json"
    meta.write_text(meta.read_text() + "\n")
    done = run("extract", news, "-o", whole[0], "--model", tmp_path / "model")
    assert (done.returncode, "model was" in done.stderr.decode()) == (1, True)


def test_damaged_model_is_one_line(news, tmp_path):
    from accordingto.pipeline import model_folder

    shutil.copytree(model_folder(), tmp_path / "model")
    graph = tmp_path / "model" / "encoder" / "encoder.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    done = run("extract", news / "00.txt", "-o", tmp_path / "run", "--model", tmp_path / "model", "--workers", 1)
    assert (done.returncode, len(done.stderr.splitlines()), "cannot be loaded" in done.stderr.decode()) == (1, 1, True), done.stderr.decode()


def test_folder_with_other_files_is_refused(news, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    done = run("extract", news, "-o", tmp_path)
    assert (done.returncode, "holds other files" in done.stderr.decode()) == (1, True)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_retry_takes_up_what_was_mended(tmp_path):
    (tmp_path / "a.txt").write_text("Officials said it rained.")
    (tmp_path / "b.txt").write_text("")
    assert run("extract", tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "gone.txt", "-o", tmp_path / "run").returncode == 3
    (tmp_path / "b.txt").write_text("Ann Lee said it snowed.")
    done = run("retry", tmp_path / "run", "--json")
    assert (done.returncode, json.loads(done.stdout)["quarantined"], json.loads(done.stdout)["extracted"]) == (3, {"missing": 1}, 2)
    assert run("verify", tmp_path / "run").returncode == 0


def test_folder_and_pattern_that_held_nothing_leave_the_quarantine_when_they_do(tmp_path):
    (tmp_path / "news").mkdir()
    assert run("extract", tmp_path / "news", tmp_path / "wire*.txt", "-o", tmp_path / "run").returncode == 1
    (tmp_path / "news" / "a.txt").write_text("Officials said it rained.")
    (tmp_path / "wire1.txt").write_text("Ann Lee said it snowed.")
    done = run("retry", tmp_path / "run", "--json")
    assert (done.returncode, json.loads(done.stdout)["quarantined"], json.loads(done.stdout)["extracted"]) == (0, {}, 2)
    assert run("verify", tmp_path / "run").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize(("how", "code"), [("os._exit(3)", "crashed"), ("ctypes.string_at(0)", "crashed"), ("bytearray(10 ** 11)", "oom"), ("1 / 0", "failed")])
def test_article_that_kills_its_worker_costs_itself_and_can_be_retried(tmp_path, how, code):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(POISONED.format(how=how))
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("POISON" if i == 3 else f"Officials in town {i} said it rained.")
    texts = sorted(tmp_path.glob("*.txt"))
    done = run("extract", *texts, "-o", tmp_path / "run", "--workers", 1, "--json", env=os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}"})
    counts = json.loads(done.stdout)
    assert (done.returncode, counts["extracted"], counts["quarantined"]) == (3, 4, {code: 1}), done.stderr.decode()
    (entry,) = [json.loads(line) for line in (tmp_path / "run" / "quarantine.jsonl").read_bytes().splitlines()]
    assert (entry["stage"], entry["text"], Path(entry["path"]).name) == ("model", "POISON", "3.txt")
    again = run("retry", tmp_path / "run", "--json")
    assert (again.returncode, json.loads(again.stdout)["quarantined"], json.loads(again.stdout)["without_claims"]) == (0, {}, 1)
    assert run("verify", tmp_path / "run").returncode == 0


POISONED = """
import ctypes, importlib.abc, importlib.util, os, sys

class Hook(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "accordingto.quotation":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module
        def execute(module):
            run(module)
            real = module.quoted_spans
            def poisoned(text, *rest):
                if text == "POISON":
                    {how}
                return real(text, *rest)
            module.quoted_spans = poisoned
        spec.loader.exec_module = execute
        return spec

sys.meta_path.insert(0, Hook())
"""


def test_standard_input_is_no_input_of_a_run(tmp_path):
    done = run("extract", "-", "-o", tmp_path / "run")
    assert (done.returncode, "cannot be read again" in done.stderr.decode()) == (1, True)


def test_changed_file_is_read_again(tmp_path):
    (tmp_path / "a.txt").write_text("Officials said it rained.")
    run("extract", tmp_path / "a.txt", "-o", tmp_path / "run")
    (tmp_path / "a.txt").write_text("Officials said it snowed.")
    run("extract", tmp_path / "a.txt", "-o", tmp_path / "run")
    assert json.loads((tmp_path / "run" / "claims.jsonl").read_text())["claim"] == "it snowed"


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("seed", range(4))
def test_killed_run_goes_on_to_the_same_bytes(whole, news, tmp_path, seed):
    rng = random.Random(seed)
    command = [sys.executable, "-m", "accordingto", "extract", str(news), "-o", str(tmp_path / "run"), "--workers", "2"]
    for _ in range(2):
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        time.sleep(rng.uniform(0.5, 6))
        process.kill()
        process.communicate()
    assert run(*command[3:]).returncode == 3
    assert bytes_of(tmp_path / "run") == bytes_of(whole[0])


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
def test_two_interrupts_leave_a_run_that_goes_on(whole, news, tmp_path):
    command = [sys.executable, "-m", "accordingto", "extract", str(news), "-o", str(tmp_path / "run"), "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # noqa: PLW1509  (no threads here)
    while not (tmp_path / "run" / "ledger.sqlite").exists():
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in errors) == (130, False)
    assert run(*command[3:]).returncode == 3
    assert bytes_of(tmp_path / "run") == bytes_of(whole[0])


def test_second_run_on_a_folder_is_told_who_works_there(news, tmp_path):
    command = [sys.executable, "-m", "accordingto", "extract", str(news), "-o", str(tmp_path / "run"), "--workers", "1"]
    first = subprocess.Popen(command, stderr=subprocess.PIPE)
    while not (tmp_path / "run" / ".holder").exists():
        time.sleep(0.02)
    second = run(*command[3:])
    assert (second.returncode, f"process {first.pid}" in second.stderr.decode()) == (1, True)
    first.communicate()
    assert first.returncode == 3


FULL = """
import resource, sys
from accordingto.cli import main
from accordingto.language import _identifier
_identifier()  # it unpacks its model into a file, which is not the one that shall find no room
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize(("room", "place"), [(20_000, "ledger"), (90_000, "ledger"), (150_000, "ledger"), (300_000, "table"), (400_000, "table")])
def test_full_disk_stops_cleanly_and_goes_on(whole, news, tmp_path, room, place):
    command = ("extract", news, "-o", tmp_path / "run", "--workers", 1)
    done = subprocess.run([sys.executable, "-c", FULL.format(room=room), *map(str, command)], capture_output=True, timeout=240, check=False)
    errors = done.stderr.decode()
    assert (done.returncode, "Traceback" in errors) == (4, False), errors
    assert "give the same command again" in errors
    assert ("claims.jsonl' was not written" in errors, (tmp_path / "run" / "articles.jsonl").exists()) == (place == "table", place == "table"), errors
    assert not (tmp_path / "run" / "run.json").exists()
    assert run(*command).returncode == 3
    assert bytes_of(tmp_path / "run") == bytes_of(whole[0])
