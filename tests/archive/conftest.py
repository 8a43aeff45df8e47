"""A module on the path that ends a process at the text POISON, for both engines' tests."""

import os

import pytest

from test_folder import POISONED


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Where every process finds what makes the text POISON end it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(POISONED.format(how="ctypes.string_at(0)"))
    return os.environ | {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
