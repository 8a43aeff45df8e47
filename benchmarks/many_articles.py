"""Runs many articles, the written ones with changes, and writes down speed over time and peak memory.

    python benchmarks/many_articles.py WORK [--count 20000] [--workers 2]
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))
from mixed_inputs import story  # noqa: E402


def tree_of(pid: int) -> list[int]:
    try:
        children = [int(c) for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(p for child in children for p in tree_of(child))]


def resident(pid: int) -> float:
    """Return megabytes."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
    except OSError:
        return 0.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two lines")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    table = options.work / "articles.jsonl"
    with table.open("w", encoding="utf-8") as file:
        for number in range(options.count):
            file.write(json.dumps({"id": f"n{number}", "text": story(number)}) + "\n")
    run = options.work / "run"
    start = last = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "accordingto", "extract", str(table), "-o", str(run), "--workers", str(options.workers)], stderr=subprocess.PIPE)
    peak = peak_one = 0.0
    done = 0
    while process.poll() is None:
        time.sleep(0.5)
        sizes = [resident(pid) for pid in tree_of(process.pid)]
        peak, peak_one = max(peak, sum(sizes)), max(peak_one, *sizes, 0.0)
        if time.monotonic() - last >= options.every:
            now = _read_so_far(process.pid, run)
            print(f"{time.monotonic() - start:6.0f} s  sum of memory {sum(sizes):6.0f} MB, largest process {max(sizes, default=0):5.0f} MB  ledger {now / 1e6:7.1f} MB", flush=True)
            last = time.monotonic()
    seconds = time.monotonic() - start
    counts = json.loads((run / "run.json").read_text())["counts"]
    done = counts["extracted"] + counts["without_claims"]
    print(process.stderr.read().decode().strip())
    print(f"{done} articles in {seconds:.0f} s: {done / seconds:.2f} a second; peak memory {peak:.0f} MB in all, {peak_one:.0f} MB in one process; a million would take {1e6 / done * seconds / 3600:.0f} hours")
    with sqlite3.connect(run / "ledger.sqlite") as ledger:
        print(f"ledger {(run / 'ledger.sqlite').stat().st_size / 1e6:.0f} MB, {ledger.execute('SELECT COUNT(*) FROM texts').fetchone()[0]} texts")
    return 0


def _read_so_far(pid: int, run: Path) -> int:
    """Return the size of the ledger: it is locked while the run works on it."""
    return sum(p.stat().st_size for p in run.glob("ledger.sqlite*"))


if __name__ == "__main__":
    sys.exit(main())
