"""A cluster of two nodes on this machine reads an archive while a worker, then a node, then the command itself are killed; and the speed of Ray against the pool.

    python benchmarks/ray_cluster.py WORK [--articles 5000] [--words 60] [--shard-articles 50] [--only faults|speed] [--rounds 1]

The first input holds no row (an empty first block), one article ends the process of whatever model reads it. What the cluster wrote is
compared byte by byte with an undisturbed `--engine pool`. Speed is that of whole commands, and of the time between their first and last shard.
"""

import argparse
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]
from test_folder import POISONED  # noqa: E402  (a module that ends the process that reads the text POISON)

LIMIT = 6 * 3600  # seconds that are waited for a run


def write_inputs(folder: Path, count: int, words: int) -> int:
    """Write the articles in four kinds of files, an empty one first; return their words."""
    import pyarrow
    import pyarrow.parquet
    from many_articles import stretch

    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"id": f"n{i}", "title": f"Story {i}", "text": " ".join(stretch(i, words).split(" ")[: words + 20])} for i in range(count)]
    rows[count // 3]["text"] = "POISON"
    third = count // 3
    schema = pyarrow.schema([(name, pyarrow.string()) for name in ("id", "title", "text")])
    pyarrow.parquet.write_table(schema.empty_table(), folder / "0_empty.parquet")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows[:third], schema=schema), folder / "1.parquet", row_group_size=500)
    (folder / "2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[third : 2 * third]))
    (folder / "3.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows[2 * third :]).encode(), mtime=0))
    return sum(len(row["text"].split()) for row in rows)


def command(folder: Path, out: Path, shard_articles: int, *engine: str) -> list[str]:
    return [sys.executable, "-m", "accordingto", "extract", str(folder), "-o", str(out), "--shard-articles", str(shard_articles), "--json", *engine]


def shards_in(out: Path) -> int:
    return len(list((out / "ledger").glob("*.json")))


def files_of(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for kind in ("claims", "ledger") for p in sorted((out / kind).iterdir())}


def seconds_between_shards(out: Path) -> float:
    """Return the time from the first finished shard to the last."""
    times = [p.stat().st_mtime for p in (out / "ledger").iterdir()]
    return max(times) - min(times)


def wait_for(out: Path, shards: int, process: subprocess.Popen) -> bool:
    """Wait until so many shards are there; False where the command ended before."""
    end = time.monotonic() + LIMIT
    while shards_in(out) < shards:
        if process.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def actors() -> dict[int, int]:
    """Return the processes of Ray that hold a lane, with the raylets that started them."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if b"MapWorker" in (path / "cmdline").read_bytes():
                found[int(path.name)] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    return found


class Cluster:
    """Two raylets on this machine, two logical cores each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.inner = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False, "object_store_memory": 200_000_000})
        self.second = self.add()
        self.address = self.inner.address

    def add(self):
        return self.inner.add_node(num_cpus=2, object_store_memory=200_000_000)

    def raylet_of(self, node) -> int:
        return node.all_processes["raylet"][0].process.pid


def faults(work: Path, options: argparse.Namespace) -> list[tuple[str, str]]:
    """Return what was done to the cluster, and what came of it."""
    site, folder, out = work / "site", work / "in", work / "faults"
    site.mkdir(parents=True, exist_ok=True)
    (site / "sitecustomize.py").write_text(POISONED.format(how="ctypes.string_at(0)"))  # runs in every process that finds it on its path
    os.environ["PYTHONPATH"] = f"{site}:{ROOT / 'src'}:{os.environ.get('PYTHONPATH', '')}"
    words = write_inputs(folder, options.articles, options.words)
    table = [("articles", f"{options.articles}, of {words / options.articles:.0f} words on average; {options.shard_articles} a shard")]
    began = time.monotonic()
    done = subprocess.run(command(folder, work / "pool", options.shard_articles, "--engine", "pool", "--workers", "2"), stdout=subprocess.PIPE, check=False)
    expected, counts = files_of(work / "pool"), json.loads(done.stdout)
    shards = len(expected) // 2
    table.append(("undisturbed, --engine pool, 2 workers", f"{time.monotonic() - began:.0f} s, {shards} shards, {counts['claims']} claims, {counts['inputs']} inputs, quarantined {counts['quarantined']}, exit {done.returncode}"))
    table.append(("an empty first block, an article that crashes", f"{counts['quarantined']}: {'as it should be' if counts['quarantined'] == {'crashed': 1, 'nothing_to_read': 1} else 'WRONG'}"))
    print(*map(": ".join, table), sep="\n", flush=True)
    cluster = Cluster()
    engine = ("--engine", "ray", "--address", cluster.address, "--workers", "3")
    began = time.monotonic()
    process = subprocess.Popen(command(folder, out, options.shard_articles, *engine), stdout=subprocess.PIPE)
    happened = []
    if wait_for(out, max(1, shards // 6), process):
        raylet = cluster.raylet_of(cluster.second)
        worker = next((pid for pid, parent in actors().items() if parent == raylet), None) or next(iter(actors()))
        os.kill(worker, signal.SIGKILL)
        happened.append(f"worker killed after {shards_in(out)} shards")
    if wait_for(out, max(2, shards // 2), process):
        before = shards_in(out)
        cluster.inner.remove_node(cluster.second, allow_graceful=False)
        happened.append(f"node killed after {before}")
    process.communicate(timeout=LIMIT)
    table.append((", ".join(happened) or "NOTHING KILLED", f"exit {process.returncode} after {time.monotonic() - began:.0f} s, {judged(out, expected)}"))
    print(": ".join(table[-1]), flush=True)
    cluster.second = cluster.add()
    out = work / "driver"
    process = subprocess.Popen(command(folder, out, options.shard_articles, *engine), stdout=subprocess.PIPE)
    wait_for(out, max(1, shards // 3), process)
    process.kill()
    process.communicate()
    before = shards_in(out)
    done = subprocess.run(command(folder, out, options.shard_articles, *engine), stdout=subprocess.PIPE, check=False, timeout=LIMIT)
    table.append((f"the command killed after {before} shards, given again", f"exit {done.returncode}, {judged(out, expected)}"))
    print(": ".join(table[-1]), flush=True)
    cluster.inner.shutdown()
    return table


def judged(out: Path, expected: dict[str, bytes]) -> str:
    """Return whether an archive is the undisturbed one, and whole."""
    from accordingto.archive.checked import verify_archive

    found = files_of(out)
    wrong = [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]
    return f"{len(found) // 2} shards, {f'DIFFERENT: {wrong[:3]}' if wrong else 'byte-equal'}; verify: {verify_archive(str(out)) or 'all holds'}"


def speed(work: Path, options: argparse.Namespace) -> list[tuple[str, str]]:
    """Return the seconds of Ray and of the pool, two workers each, on the same articles, in turns."""
    os.environ["PYTHONPATH"] = f"{ROOT / 'src'}:{os.environ.get('PYTHONPATH', '')}"
    folder, spent = work / "in", {"pool": [0.0, 0.0, 0.0, 0.0], "ray": [0.0, 0.0, 0.0, 0.0]}
    words = write_inputs(folder, options.articles, options.words)
    for _ in range(options.rounds):
        for engine, seconds in spent.items():
            out = work / f"speed_{engine}"
            shutil.rmtree(out, ignore_errors=True)
            began = time.monotonic()
            process = subprocess.Popen(command(folder, out, options.shard_articles, "--engine", engine, "--workers", "2"), stdout=subprocess.DEVNULL)
            used, resident = watch(process)
            seconds[0] += time.monotonic() - began
            seconds[1] += seconds_between_shards(out)
            seconds[2] += used
            seconds[3] = max(seconds[3], resident)
            print(f"{engine}: {seconds[0]:.1f} s in all, {seconds[1]:.1f} s between first and last shard, {seconds[2]:.1f} s of processor time; {seconds[3]:.0f} MB at most; load {os.getloadavg()[0]:.1f}", flush=True)
    whole, between, used = (spent["pool"][i] / spent["ray"][i] for i in (0, 1, 2))
    figures = f"{whole:.2f} of whole commands, {between:.2f} without their start; {used:.2f} by processor time, which a busy machine disturbs less"
    return [("Ray's speed against the pool's, 2 workers", f"{figures} ({options.articles} articles, {words} words, {options.rounds} rounds); {spent['pool'][3]:.0f} and {spent['ray'][3]:.0f} MB in all")]


def watch(process: subprocess.Popen) -> tuple[float, float]:
    """Return the processor time of a command with all processes below it, and the megabytes that they held at most, shared ones once each."""
    from many_articles import resident, tree_of

    used, most, tick = {}, 0.0, os.sysconf("SC_CLK_TCK")
    while process.poll() is None:
        members = tree_of(process.pid)
        for pid in members:
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                used[pid, fields[19]] = (int(fields[11]) + int(fields[12])) / tick
            except OSError:
                continue
        most = max(most, sum(map(resident, members)))
        time.sleep(0.25)
    return sum(used.values()), most


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--articles", type=int, default=5_000)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--shard-articles", type=int, default=50)
    parser.add_argument("--only", choices=("faults", "speed"))
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    for name, what in {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}.items():
        os.environ[name] = what  # the second: listen on this machine alone
    shutil.rmtree(options.work, ignore_errors=True)
    table = [] if options.only == "speed" else faults(options.work, options)
    if options.only != "faults":
        table += speed(options.work, options)
    print("\n| what | outcome |\n|---|---|")
    print("\n".join(f"| {what} | {outcome} |" for what, outcome in table))
    return int(any(word in outcome for _, outcome in table for word in ("WRONG", "DIFFERENT", "['")))


if __name__ == "__main__":
    sys.exit(main())
