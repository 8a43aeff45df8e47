#!/usr/bin/env python3
"""Set up and run, with nothing but Python 3.11 or later: makes `.venv` beside this file once, and runs a command in it.

    python3 start.py extract seeds -o claims.csv      any command of accordingto
    python3 start.py test                             the tests, lint and types
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BIN = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin")
CHECKS = (["-m", "ruff", "check", "."], ["-m", "mypy"], ["-m", "pytest", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"])


def main() -> int:
    """Return the exit code of the command."""
    if sys.version_info < (3, 11):
        print(f"accordingto needs Python 3.11 or later; this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    command = sys.argv[1:] or ["--help"]
    extra = "all,test" if command == ["test"] else "all"
    set_up(extra)
    python = str(BIN / "python")
    if command != ["test"]:
        return subprocess.call([python, "-m", "accordingto", *command], env=os.environ | {"ACCORDINGTO_PROGRAM": "python3 start.py"})
    return max(subprocess.call([python, *check], cwd=ROOT) for check in CHECKS)


def set_up(extra: str) -> None:
    """Make the environment and install the package with its extras, unless that was done for this pyproject.toml already."""
    done = BIN.parent / f"installed-{extra}"
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == project:
        return
    print(f"installing into {BIN.parent} (once)", file=sys.stderr)
    if not (BIN / ("python.exe" if os.name == "nt" else "python")).exists():
        venv.create(BIN.parent, with_pip=True)
    subprocess.check_call([str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", f"{ROOT}[{extra}]"], stdout=sys.stderr)
    done.write_text(project, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
