"""Shared by the tests of the review: a run of the seeds."""

from pathlib import Path

import pytest
from runs import ROOT, run


@pytest.fixture(scope="session")
def seeds(tmp_path_factory) -> Path:
    """The run of the two seeds and a copy of one; not to be changed."""
    folder = tmp_path_factory.mktemp("review")
    (folder / "zz_copy.txt").write_bytes(next((ROOT / "seeds").iterdir()).read_bytes())
    done = run("extract", "seeds", folder / "zz_copy.txt", "-o", folder / "run", "--format", "csv", "--format", "jsonl", "--format", "xlsx")
    assert done.returncode == 0, done.stderr
    return folder / "run"
