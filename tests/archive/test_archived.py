"""Archives by `--engine pool`: whole, killed, resumed, refused, verified; by real processes with the real model."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas
import pyarrow.dataset
import pyarrow.parquet
import pytest
from archives import bytes_of, run

import inputs
from accordingto.archive.nested import rows_of_parquet
from accordingto.archive.rows import read_claims
from accordingto.table import json_of_claim

TEXTS = [f"Officials in town {i} said on Monday that it rained. “We will not close the bridge,” the mayor, Ann Lee, told reporters." for i in range(9)]
GERMAN = "Der Minister sagte am Montag, die Straße bleibe gesperrt, bis die Ingenieure den Zustand der Brücke geprüft und berichtet hätten."


def extract(news, out, *args, **options):
    return run("extract", news, "-o", out, "--engine", "pool", "--workers", 2, "--shard-articles", 3, *args, **options)


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """A folder whose first file holds no row, with a text that crashes its reader, an empty one and a German one."""
    folder = tmp_path_factory.mktemp("news")
    empty = pyarrow.table({"text": pyarrow.array([], pyarrow.string())})
    pyarrow.parquet.write_table(empty, folder / "0.parquet")
    (folder / "a.jsonl").write_bytes(inputs.jsonl(inputs.records([*TEXTS[:6], "POISON"])))
    (folder / "b.parquet").write_bytes(inputs.parquet([r | {"id": f"b{i}"} for i, r in enumerate(inputs.records(TEXTS[6:]))]))
    (folder / "c.warc.gz").write_bytes(inputs.warc([inputs.page()]))
    (folder / "d.txt").write_text("The road is long.")
    (folder / "e.txt").write_text("")
    (folder / "f.txt").write_text(GERMAN)
    return folder


@pytest.fixture(scope="module")
def whole(news, site, tmp_path_factory):
    """The archive of that folder, undisturbed."""
    out = tmp_path_factory.mktemp("archives") / "whole"
    done = extract(news, out, "--json", env=site)
    assert done.returncode == 3, done.stderr.decode()
    return out, json.loads(done.stdout)


def test_every_input_is_accounted_for(whole):
    out, counts = whole
    assert counts["inputs"] == 15
    assert (counts["extracted"], counts["without_claims"]) == (10, 1)
    assert (counts["filtered"], counts["quarantined"]) == ({"unsupported_language": 1}, {"crashed": 1, "empty": 1, "nothing_to_read": 1})
    rows = [row for path in sorted((out / "claims").iterdir()) for row in rows_of_parquet(path.read_bytes())]
    assert len(rows) == 15
    assert sum(row["claim_count"] for row in rows) == counts["claims"] > 20
    (crashed,) = [row for row in rows if row["code"] == "crashed"]
    assert (crashed["stage"], crashed["text"], Path(crashed["path"]).name, crashed["locator"]) == ("model", "POISON", "a.jsonl", "line 7")
    assert json.loads((out / "_SUCCESS.json").read_bytes())["counts"]["inputs"] == 15


def test_claims_are_those_of_a_run(whole, news, site, tmp_path):
    run("extract", news, "-o", tmp_path / "run", "--workers", 2, "--no-near-duplicates", env=site)
    expected = (tmp_path / "run" / "claims.jsonl").read_bytes().splitlines()
    assert [json_of_claim(claim) for claim in read_claims(str(whole[0]))] == expected
    assert len(expected) > 20


def test_file_without_claims_has_the_types_of_all_others(whole):
    first, *others = [pyarrow.parquet.read_schema(path) for path in sorted((whole[0] / "claims").iterdir())]
    rows = rows_of_parquet(min((whole[0] / "claims").iterdir()).read_bytes())
    assert all(schema.equals(first, check_metadata=True) for schema in others)
    assert rows[0]["code"] == "nothing_to_read"
    assert pyarrow.dataset.dataset(whole[0] / "claims").count_rows() == 15


def test_pandas_explodes_the_claims_as_the_documentation_says(whole):
    page = (Path(__file__).parents[2] / "docs" / "archives.md").read_text("utf-8")
    lines = page.split("```python\n")[1].split("```")[0].replace("OUT", str(whole[0]))
    found: dict = {}
    exec(lines, found)
    claims = found["claims"]
    assert isinstance(claims, pandas.DataFrame)
    assert [(row.article_id, row.claim_id, row.cue["text"]) for row in claims.itertuples()] == [(c.article_id, c.claim_id, c.cue.text) for c in read_claims(str(whole[0]))]


def test_what_is_lost_is_made_again(whole, news, site, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    claims, ledger = sorted((out / "claims").iterdir()), sorted((out / "ledger").iterdir())
    claims[0].unlink()  # a row of the ledger without its file
    ledger[1].unlink()  # a file without its row
    claims[2].write_bytes(claims[2].read_bytes()[:100])
    ledger[3].write_text("{")
    assert extract(news, out, env=site).returncode == 3
    assert bytes_of(out) == bytes_of(whole[0])


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_killed_command_goes_on_and_gives_the_bytes_of_two_workers(whole, news, site, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-m", "accordingto", "extract", str(news), "-o", str(out), "--engine", "pool", "--workers", "1", "--shard-articles", "3"], env=site, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(out.glob("ledger/*.json"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (out / "_SUCCESS.json").exists()
    done = run("verify", out)
    assert (done.returncode, "was not read" in done.stderr.decode()) == (4, True), done.stderr.decode()
    assert run("extract", news, "-o", out, "--engine", "pool", "--workers", 1, "--shard-articles", 3, env=site).returncode == 3
    assert bytes_of(out) == bytes_of(whole[0])


def test_finished_archive_is_not_written_again(whole, news):
    before = {p: p.stat().st_mtime_ns for p in whole[0].glob("*/*")}
    assert extract(news, whole[0]).returncode == 3
    assert {p: p.stat().st_mtime_ns for p in whole[0].glob("*/*")} == before
    assert len(before) > 8


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--guideline", "polnear"), "it was made with --guideline steady, and this is --guideline polnear;"),
        (("--min-confidence", "0.5"), "it was made with --min-confidence 0.0, and this is --min-confidence 0.5;"),
        (("--shard-articles", "4"), "it was made with --shard-articles 3, and this is --shard-articles 4;"),
        (("{news}/d.txt", "{news}/a.jsonl"), "files of other names or sizes;"),
        (("{tmp}/gone.txt",), "its inputs were 7 files and are 8;"),
    ],
)
def test_other_options_and_inputs_are_refused_by_name(whole, news, tmp_path, options, named):
    options = [o.format(news=news, tmp=tmp_path) for o in options]
    if named.startswith("files of other"):
        copy = tmp_path / "news"
        shutil.copytree(news, copy)
        (copy / "d.txt").write_text("The road is longer.")
        news, options = copy, []
    done = extract(news, whole[0], *options)
    assert (done.returncode, named in done.stderr.decode()) == (1, True), done.stderr.decode()


def test_other_model_and_other_libraries_are_refused(whole, news, tmp_path):
    from accordingto.shipped import model_folder

    shutil.copytree(model_folder(), tmp_path / "model")
    meta = tmp_path / "model" / "meta.json"
    meta.write_text(meta.read_text() + "\n")
    done = extract(news, whole[0], "--model", tmp_path / "model")
    assert (done.returncode, "model was" in done.stderr.decode()) == (1, True)
    shutil.copytree(whole[0], tmp_path / "old")
    manifest = tmp_path / "old" / "manifest.jsonl"
    facts, *shards = manifest.read_text().splitlines(keepends=True)
    known = json.loads(facts)
    known["libraries"]["numpy"] = "1.0"
    manifest.write_text("".join([json.dumps(known) + "\n", *shards]))
    done = extract(news, tmp_path / "old")
    assert (done.returncode, "numpy was 1.0 and is" in done.stderr.decode()) == (1, True)


def test_input_that_changes_stops_the_archive_with_a_word(news, tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(2):
        (tmp_path / "in" / f"{i}.txt").write_text(TEXTS[i])
    out = tmp_path / "out"
    assert extract(tmp_path / "in", out).returncode == 0
    next((out / "ledger").iterdir()).unlink()
    (tmp_path / "in" / "1.txt").write_text(TEXTS[2])
    done = extract(tmp_path / "in", out)
    assert (done.returncode, "1.txt is not as it was when the archive was begun" in done.stderr.decode()) == (4, True), done.stderr.decode()
    assert not (out / "_SUCCESS.json").exists()


def test_text_that_comes_again_after_it_was_read_has_its_claims_in_both_rows(tmp_path):
    texts = [f"Officials in ward {i} said that the road was open." for i in range(40)]  # more than the model takes at once
    (tmp_path / "in.jsonl").write_bytes(inputs.jsonl(inputs.records([*texts, *texts[:3]])))
    done = run("extract", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--engine", "pool", "--workers", 1, "--json")
    assert done.returncode == 0, done.stderr.decode()
    counts = json.loads(done.stdout)
    assert (counts["inputs"], counts["extracted"]) == (43, 43)
    rows = rows_of_parquet(next((tmp_path / "out" / "claims").iterdir()).read_bytes())
    assert [row["claims"] for row in rows[40:]] == [row["claims"] for row in rows[:3]] != [[], [], []]


def test_verify_finds_all_true_and_each_fault(whole, tmp_path):
    assert run("verify", whole[0]).returncode == 0
    faults = {
        "a file is gone": lambda out: max((out / "claims").iterdir()).unlink(),
        "a byte is another": lambda out: flip(max((out / "claims").iterdir())),
        "a row of the ledger is gone": lambda out: max((out / "ledger").iterdir()).unlink(),
        "a stray file": lambda out: (out / "claims" / "claims-9-x-y.parquet").write_bytes(b"x"),
        "other counts": lambda out: (out / "_SUCCESS.json").write_bytes((out / "_SUCCESS.json").read_bytes().replace(b'"inputs": 15', b'"inputs": 16')),
        "not finished": lambda out: (out / "_SUCCESS.json").unlink(),
    }
    for name, harm in faults.items():
        copy = tmp_path / name
        shutil.copytree(whole[0], copy)
        harm(copy)
        done = run("verify", copy, "--json")
        assert (name, done.returncode, len(json.loads(done.stdout)["faults"]) > 0) == (name, 4, True)


def flip(path):
    data = path.read_bytes()
    path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])


def test_false_offset_is_found_although_every_digest_holds(whole, tmp_path):
    from accordingto.archive.checked import verify_archive
    from accordingto.archive.lane import write_shard
    from accordingto.archive.nested import parquet_of_rows
    from accordingto.archive.shard import count_rows
    from accordingto.archive.storage import Place

    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    path = sorted((out / "claims").iterdir())[1]
    rows = [row | {"src": dict(row["src"])} for row in rows_of_parquet(path.read_bytes())]
    claim = rows[0]["claims"][0]
    claim["cue"]["spans"] = [[s + 1, e + 1] for s, e in claim["cue"]["spans"]]
    write_shard(Place(str(out)), path.stem.removeprefix("claims-"), 1, parquet_of_rows(rows), count_rows(rows))
    assert any(f"{claim['claim_id']} of" in fault and "its cue does not stand where it says" in fault for fault in verify_archive(str(out)))


def test_report_reads_an_archive(whole, tmp_path):
    done = run("report", whole[0], "-o", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr.decode()
    assert "Ann Lee" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("-o", "{tmp}/x.csv", "--engine", "pool"), 2, "an archive is a folder"),
        (("-o", "{tmp}/x", "--engine", "pool", "--address", "auto"), 2, "give --engine ray"),
        (("-o", "{tmp}/x", "--address", "auto"), 2, "give --engine"),
        (("-o", "{tmp}/x", "--shard-articles", "5"), 2, "give --engine"),
        (("-o", "{tmp}/x", "--engine", "pool", "--format", "csv"), 2, "an archive is Parquet"),
        (("-o", "{tmp}/x", "--engine", "pool", "--url", "https://plain.example"), 2, "an archive is made of files"),
        (("-o", "{tmp}/x", "--engine", "pool", "--speakers", "s.csv"), 2, "beside a table"),
        (("-o", "{tmp}", "--engine", "pool"), 1, "the folder holds other files"),
        (("-o", "memory://x", "--engine", "pool"), 1, "lies in one process"),
        (("-o", "s3://me:secret@bucket/x", "--engine", "pool"), 1, "its address holds a password"),
        (("-", "-o", "{tmp}/x", "--engine", "pool"), 1, "cannot be read again"),
        (("-o", "{tmp}/x", "--engine", "pool", "--model", "gone"), 1, "the model 'gone' cannot be loaded"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path, args, code, message):
    (tmp_path / "mine.txt").write_text("Officials said it rained.")
    done = run("extract", tmp_path / "mine.txt", *(a.format(tmp=tmp_path) for a in args), env=os.environ | {"COLUMNS": "200"})
    assert (done.returncode, message in done.stderr.decode()) == (code, True), done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert b"secret" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_full_disk_stops_the_archive_which_goes_on_later(whole, news, site, tmp_path):
    import resource

    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    lost = sorted((out / "claims").iterdir())[1]
    size = lost.stat().st_size
    lost.unlink()
    done = extract(news, out, env=site, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, size - 1)))
    assert (done.returncode, len(done.stderr.splitlines()), "the same command again to go on" in done.stderr.decode()) == (4, 1, True), done.stderr.decode()
    assert not (out / "_SUCCESS.json").exists()
    assert extract(news, out, env=site).returncode == 3
    assert bytes_of(out) == bytes_of(whole[0])


def test_workers_plan_together_what_this_process_would_plan(whole, news, tmp_path, monkeypatch):
    from accordingto.archive import archived
    from accordingto.archive.engine import PoolEngine
    from accordingto.archive.facts import ArchiveOptions
    from accordingto.errors import IncompleteError

    class Planning:
        def __init__(self, setup):
            self.pool, self.planned = PoolEngine(setup, 2), 0
            self.close = self.pool.close

        def run(self, jobs):
            if '"plan"' not in jobs[0]:
                raise IncompleteError(tmp_path, f"{self.planned} were planned")
            for answer in self.pool.run(jobs):
                self.planned += 1
                yield answer

    monkeypatch.setattr(archived, "PLANNED_HERE", 0)
    with pytest.raises(IncompleteError, match="7 were planned"):
        archived.extract_archive([str(news)], str(tmp_path / "out"), ArchiveOptions(shard_articles=3), model=None, memory=6_000_000_000, engine=Planning, progress=lambda done, total: None)
    assert (tmp_path / "out" / "manifest.jsonl").read_bytes() == (whole[0] / "manifest.jsonl").read_bytes()
