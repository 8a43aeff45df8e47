"""What the tests of archives do: give commands, and compare what they wrote."""

import subprocess
import sys


def command(*args):
    return [sys.executable, "-m", "accordingto", *map(str, args)]


def run(*args, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command(*args), capture_output=True, timeout=280, check=False, **options)


def bytes_of(out):
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
