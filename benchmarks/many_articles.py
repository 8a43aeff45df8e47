"""Runs many articles, the written ones with changes, and writes down speed over time and peak memory.

    python benchmarks/many_articles.py WORK [--count 20000] [--workers 2] [--words 110]

Each article is a stretch of whole paragraphs of a written one, with a paragraph of its own; `--words` is where the stretch ends (0: the whole article).
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))
from mixed_inputs import story  # noqa: E402

RUN = """
import sys
from pathlib import Path
from accordingto.folder import RunOptions, extract_run
extract_run([sys.argv[1]], Path(sys.argv[2]), RunOptions(), model=None, workers=int(sys.argv[3]), memory=6_000_000_000, progress=lambda done, total: print(done, flush=True))
"""


def stretch(number: int, words: int) -> str:
    """Return an article that no other number gives, of whole paragraphs with as many words or a few more."""
    paragraphs = [line for line in story(number).split("\n") if line.strip()]
    if not words:
        return "\n".join(paragraphs)
    own, others = paragraphs[-1], paragraphs[:-1]
    start, taken = number // 12 % len(others), []
    for line in others[start:] + others[:start]:
        if sum(len(t.split()) for t in taken) >= words:
            break
        taken.append(line)
    return "\n".join([*taken, own])


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


class Done:
    """How many articles the model has read, as the run says."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.count = 0
        threading.Thread(target=self._follow, args=(process.stdout,), daemon=True).start()

    def _follow(self, lines) -> None:
        for line in lines:
            self.count = int(line)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--words", type=int, default=110)
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two lines")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    table, words = options.work / "articles.jsonl", 0
    with table.open("w", encoding="utf-8") as file:
        for number in range(options.count):
            text = stretch(number, options.words)
            words += len(text.split())
            file.write(json.dumps({"id": f"n{number}", "text": text}) + "\n")
    print(f"{options.count} articles of {words / options.count:.0f} words", flush=True)
    run = options.work / "run"
    start = last = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", RUN, str(table), str(run), str(options.workers)], stdout=subprocess.PIPE, text=True)
    progress, before, peak, peak_one = Done(process), 0, 0.0, 0.0
    while process.poll() is None:
        time.sleep(0.5)
        sizes = [resident(pid) for pid in tree_of(process.pid)]
        peak, peak_one = max(peak, sum(sizes)), max(peak_one, *sizes, 0.0)
        passed = time.monotonic() - last
        if passed >= options.every:
            speed, before = (progress.count - before) / passed, progress.count
            others = f"load {os.getloadavg()[0]:.1f}"
            print(f"{time.monotonic() - start:6.0f} s  {before:6} read, {speed:5.1f} a second  memory {sum(sizes):5.0f} MB, largest process {max(sizes, default=0):4.0f} MB  ledger {_size(run) / 1e6:6.1f} MB  {others}", flush=True)
            last = time.monotonic()
    seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = used.ru_utime + used.ru_stime
    counts = json.loads((run / "run.json").read_text())["counts"]
    done = counts["extracted"] + counts["without_claims"]
    print(counts)
    print(f"{done} articles in {seconds:.0f} s: {done / seconds:.2f} a second; {cores:.0f} s of processor time, {1000 * cores / done:.0f} ms an article; peak memory {peak:.0f} MB in all, {peak_one:.0f} MB in one process")
    print(f"a million would take {1e6 / done * seconds / 3600:.0f} hours as here, {1e6 / done * cores / 3600:.0f} hours of a core, and {1e6 / done * _size(run) / 1e9:.1f} GB of ledger")
    with sqlite3.connect(run / "ledger.sqlite") as ledger:
        print(f"ledger {_size(run) / 1e6:.0f} MB, {ledger.execute('SELECT COUNT(*) FROM texts').fetchone()[0]} texts")
    return 0


def _size(run: Path) -> int:
    """Return the size of the ledger: it is locked while the run works on it."""
    return sum(p.stat().st_size for p in run.glob("ledger.sqlite*"))


if __name__ == "__main__":
    sys.exit(main())
