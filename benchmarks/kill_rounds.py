"""Kills a run at random moments, the parent or a child of it, resumes it to the end with one or two workers, and compares every byte with an undisturbed run.

    python benchmarks/kill_rounds.py WORK [--rounds 50] [--files 60] [--seed 1]
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))
from mixed_inputs import broken_files, sound_files  # noqa: E402


def bytes_of(run: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(run.iterdir()) if not p.name.startswith(("ledger", "."))}


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = options.work / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = dict(list(sound_files().items())[:: max(1, 240 // options.files)]) | {name: broken_files()[name][0] for name in ("cut.pdf", "german.txt", "bomb.docx", "wide.csv")}
    for name, data in chosen.items():
        (folder / name).write_bytes(data)
    command = [sys.executable, "-m", "accordingto", "extract", str(folder), "-o"]
    start = time.monotonic()
    subprocess.run([*command, str(options.work / "whole"), "--workers", "2"], capture_output=True, check=False)
    length = time.monotonic() - start
    expected = bytes_of(options.work / "whole")
    print(f"undisturbed: {length:.0f} s, {len(expected['claims.jsonl'].splitlines())} claims")
    rng = random.Random(options.seed)
    equal = kills = workers_killed = finished_before = 0
    for number in range(options.rounds):
        run = options.work / f"round{number}"
        wanted, killed = rng.randint(1, 3), 0
        while True:
            began = time.monotonic()
            process = subprocess.Popen([*command, str(run), "--workers", str(rng.randint(1, 2))], stderr=subprocess.PIPE)
            if killed == wanted:
                _, errors = process.communicate()
                break
            time.sleep(rng.uniform(0.2, length))
            if process.poll() is not None:
                finished_before += 1
                process.communicate()
                length = min(length, time.monotonic() - began)
                shutil.rmtree(run)  # the round begins again: one without a kill shows nothing
                killed = 0
                continue
            children = children_of(process.pid)
            if children and rng.random() < 0.5:
                os.kill(rng.choice(children), signal.SIGKILL)
                workers_killed += 1
                time.sleep(rng.uniform(0, 2))
            process.kill()
            killed += 1
            kills += 1
            process.communicate()
        same = process.returncode == 3 and bytes_of(run) == expected
        equal += same
        if not same:
            print(f"round {number}: exit {process.returncode}, differs in {[n for n in expected if bytes_of(run).get(n) != expected[n]]}: {errors.decode()[-300:]}")
        else:
            shutil.rmtree(run)
        print(f"{number + 1} rounds, {equal} byte-equal; {kills} kills of the parent, {workers_killed} of a child before", flush=True)
    print(f"{equal} of {options.rounds} rounds byte-equal; {kills} kills of the parent, {workers_killed} of a child before; {finished_before} times it had finished")
    return int(equal != options.rounds)


if __name__ == "__main__":
    sys.exit(main())
