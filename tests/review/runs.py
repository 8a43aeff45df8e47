"""Runs of the command line for the tests of the review."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*args, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "accordingto", *map(str, args)], capture_output=True, timeout=240, check=False, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, **options)
