"""Archives by Ray, and in an object store: the bytes of the pool, whatever crashes. Ray runs in the commands' own processes and leaves with them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from archives import bytes_of, command, run

import inputs

TEXTS = [f"Officials in town {i} said on Monday that it rained. “We will not close the bridge,” the mayor, Ann Lee, told reporters." for i in range(6)]


def needs(*packages):
    missing = [name for name in packages if not installed(name)]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed (CONTRIBUTING.md)")


def installed(name):
    from importlib.util import find_spec

    return find_spec(name) is not None


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """An empty first file, then articles, one of which crashes what reads it."""
    folder = tmp_path_factory.mktemp("news")
    pyarrow.parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), folder / "0.parquet")
    (folder / "a.jsonl").write_bytes(inputs.jsonl(inputs.records([*TEXTS, "POISON"])))
    return folder


@pytest.fixture(scope="module")
def whole(news, site, tmp_path_factory):
    """What the pool makes of them."""
    out = tmp_path_factory.mktemp("archives") / "pool"
    done = run("extract", news, "-o", out, "--engine", "pool", "--workers", 1, "--shard-articles", 3, "--json", env=site)
    assert json.loads(done.stdout)["quarantined"] == {"crashed": 1, "nothing_to_read": 1}, done.stderr.decode()
    return out


def listening(pid: int) -> set[str]:
    """Return the addresses at which a process and those below it listen, from Linux's /proc."""
    inodes, addresses = set(), set()
    for each in family(pid):
        try:
            inodes |= {str(link)[8:-1] for link in map(Path.readlink, Path(f"/proc/{each}/fd").iterdir()) if str(link).startswith("socket:[")}
        except OSError:
            continue
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                data = bytes.fromhex(fields[1].split(":")[0])
                data = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
                addresses.add(socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data))
    return addresses


def actors_of(pid: int) -> list[int]:
    return [each for each in family(pid) if b"MapWorker" in Path(f"/proc/{each}/cmdline").read_bytes()]


def family(pid: int) -> list[int]:
    try:
        children = [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(p for child in children for p in family(child))]


@needs("ray")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_ray_writes_the_bytes_of_the_pool_though_an_actor_dies_and_listens_on_this_machine_alone(whole, news, site, tmp_path):
    process = subprocess.Popen(command("extract", news, "-o", tmp_path / "ray", "--engine", "ray", "--workers", 2, "--shard-articles", 3), env=site, stderr=subprocess.PIPE)
    seen: set[str] = set()
    killed = 0
    while process.poll() is None:
        seen |= listening(process.pid)
        if not killed and list((tmp_path / "ray").glob("ledger/*")) and (found := actors_of(process.pid)):
            killed = found[0]
            os.kill(killed, signal.SIGKILL)
        time.sleep(0.2)
    assert killed
    errors = process.communicate()[1].decode()
    assert process.returncode == 3, errors
    assert len(errors.splitlines()) == 1
    assert f"claims from 6 articles (0 without claims), 2 of 8 inputs not read (1 crashed, 1 nothing_to_read; see their rows) -> {tmp_path / 'ray'}" in errors
    assert bytes_of(tmp_path / "ray") == bytes_of(whole)
    assert seen
    assert {address.removeprefix("::ffff:") for address in seen} == {"127.0.0.1"}


@needs("ray")
def test_one_engine_goes_on_where_the_other_stopped(whole, news, site, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    max((out / "ledger").iterdir()).unlink()
    assert run("extract", news, "-o", out, "--engine", "ray", "--workers", 1, "--shard-articles", 3, env=site).returncode == 3
    assert bytes_of(out) == bytes_of(whole)


@needs("ray")
@pytest.mark.parametrize(("address", "why"), [("127.0.0.1:1", "Ray at 127.0.0.1:1 cannot be used"), ("ray://127.0.0.1:1", "ray:// is not taken"), ("10.0.0.5", "name it as HOST:PORT")])
def test_cluster_that_is_not_there_is_one_line(news, tmp_path, address, why):
    done = run("extract", news, "-o", tmp_path / "out", "--engine", "ray", "--address", address, env=os.environ | {"COLUMNS": "200"})
    assert (done.returncode in (1, 2), why in done.stderr.decode()) == (True, True), done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_worker_that_differs_from_the_command_refuses_to_read(tmp_path):
    from accordingto.archive.facts import ArchiveOptions, facts_of
    from accordingto.archive.lane import Lane
    from accordingto.archive.shard import Setup
    from accordingto.run import Wanted

    facts = facts_of(ArchiveOptions(), None, {})
    facts["libraries"] = facts["libraries"] | {"numpy": "1.0"}
    lane = Lane(Setup(str(tmp_path), None, "steady", Wanted(), None, 3, 6_000_000_000, str(tmp_path), "", facts))
    answer = json.loads(lane.do(json.dumps({"plan": "a.txt"})))
    lane.close()
    assert (answer["again"], "numpy is" in answer["error"], "and was 1.0; install the same on every machine" in answer["error"]) == (False, True, True)


@pytest.fixture(scope="module")
def store():
    """An object store on this machine, as moto imitates Amazon's; the environment that leads to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield os.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_DEFAULT_REGION": "us-east-1"}
    server.terminate()
    server.wait()


@needs("s3fs", "moto")
def test_object_store_holds_inputs_and_archive(store, tmp_path):
    rows = inputs.records(TEXTS)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=2)
    (tmp_path / "b.jsonl").write_bytes(inputs.jsonl(rows[:4]))
    (tmp_path / "c.warc.gz").write_bytes(inputs.warc([inputs.page()]))
    script = """
import sys, s3fs
fs = s3fs.S3FileSystem()
if sys.argv[1] == "put":
    fs.mkdir("news")
    fs.mkdir("out")
    fs.put(sys.argv[2] + "/", "news/2026", recursive=True)
else:
    fs.get("out/archive/", sys.argv[2], recursive=True)
"""
    subprocess.run([sys.executable, "-c", script, "put", str(tmp_path)], env=store, check=True)
    options = ("--engine", "pool", "--workers", 1, "--shard-articles", 3, "--json")
    done = run("extract", "s3://news/2026", "-o", "s3://out/archive", *options, env=store)
    assert done.returncode == 0, done.stderr.decode()
    counts = json.loads(done.stdout)
    assert (counts["inputs"], counts["extracted"]) == (11, 11)
    assert run("verify", "s3://out/archive", env=store).returncode == 0
    again = run("extract", "s3://news/2026/*.parquet", "s3://news/2026/b.jsonl", "s3://news/2026/c.warc.gz", "-o", "s3://out/archive", *options, env=store)
    assert json.loads(again.stdout) == counts
    subprocess.run([sys.executable, "-c", script, "get", str(tmp_path / "copy")], env=store, check=True)
    here = run("extract", tmp_path / "a.parquet", tmp_path / "b.jsonl", tmp_path / "c.warc.gz", "-o", tmp_path / "here", *options)
    assert here.returncode == 0, here.stderr.decode()
    assert pathless(tmp_path / "copy", "s3://news/2026") == pathless(tmp_path / "here", str(tmp_path))
    assert all(b"hidden" not in data for data in bytes_of(tmp_path / "copy").values())


def pathless(out, root):
    from accordingto.archive.nested import rows_of_parquet

    return [row | {"path": row["path"].removeprefix(root)} for path in sorted((out / "claims").iterdir()) for row in rows_of_parquet(path.read_bytes())]
