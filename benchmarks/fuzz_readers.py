"""Feeds the readers 5,000 damaged files, seeded mutations of each kind, and says what became of them.

    python benchmarks/fuzz_readers.py [--count 5000] [--seed 1]

Each must give at least one article or problem, and none may be a crash, a lost child or a hang.
"""

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))
from mixed_inputs import sound_files  # noqa: E402

from accordingto.sandbox import Sandbox  # noqa: E402
from accordingto.schema import Problem  # noqa: E402


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to eight changes: flips, cuts, doublings, noise, and what parsers stumble over."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(out) + 1)
        kind = rng.randrange(7)
        if kind == 0 and out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at : at + rng.randint(1, 200)]
        elif kind == 2:
            out[at:at] = out[at : at + rng.randint(1, 400)] * rng.randint(1, 4)
        elif kind == 3:
            out[at:at] = rng.randbytes(rng.randint(1, 60))
        elif kind == 4:
            out[at:at] = rng.choice([b"\0", b"\xff\xfe", b"<!--", b"]]>", b"\x1b[31m", b"\xe2\x80\xae", b'"', b"\r", b"{", b"<table>" * 50, b"99999999999", b"-1", b"&#x0;", b"\xed\xa0\x80"])
        elif kind == 5:
            del out[at:]
        else:
            other = rng.randrange(len(out) + 1)
            out[at : at + 50] = out[other : other + 50]
    return bytes(out)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    files = list(sound_files().items())
    sandbox = Sandbox()
    codes: Counter[str] = Counter()
    silent, slowest, start = [], (0.0, ""), time.monotonic()
    for number in range(options.count):
        name, data = files[rng.randrange(len(files))]
        began = time.monotonic()
        outcomes = list(sandbox.outcomes((f"{number}.{name.split('.', 1)[1]}", mutate(data, rng))))
        slowest = max(slowest, (time.monotonic() - began, f"{number} {name}"))
        if not outcomes:
            silent.append((number, name))
        for outcome in outcomes:
            code = outcome.code if isinstance(outcome, Problem) else "article"
            codes[code] += 1
            if code in ("crashed", "timeout", "oom", "failed"):
                print(number, name, outcome.message)
    sandbox.close()
    print(f"{options.count} files in {time.monotonic() - start:.0f} s; outcomes {dict(codes.most_common())}")
    print(f"without an outcome: {silent or 'none'}; slowest {slowest[0]:.1f} s ({slowest[1]})")
    return int(bool(silent))


if __name__ == "__main__":
    sys.exit(main())
