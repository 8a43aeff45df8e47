"""The reading process, with readers that hang, crash and fill the memory on purpose: real processes, real deaths."""

import os
import time

import pytest

import inputs
from accordingto.sandbox import Sandbox
from accordingto.schema import Problem


@pytest.fixture
def reading():
    child = Sandbox(deadline=30)
    yield child
    child.close()


def outcomes(child, name, data):
    return [o.code if isinstance(o, Problem) else o.text for o in child.outcomes((name, data))]


def test_files_and_bytes_are_read_with_their_places(reading, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(inputs.packed({"a.txt": b"One.", "b.txt": b"", "c.html": inputs.page()}))
    one, empty, page = reading.outcomes(path)
    assert (one.text, one.path, one.locator) == ("One.", str(path), "a.txt")
    assert (empty.code, empty.locator) == ("empty", "b.txt")
    assert page.title == inputs.META["title"]
    assert outcomes(reading, "b.csv", b"text\nTwo.\n") == ["Two."]


def test_missing_file_is_told(reading, tmp_path):
    assert [p.code for p in reading.outcomes(tmp_path / "gone.html")] == ["missing"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize(("how", "code"), [("time.sleep(99)", "timeout"), ("os._exit(3)", "crashed"), ("ctypes.string_at(0)", "crashed"), ("bytearray(10 ** 11)", "oom")])
def test_what_a_reader_dies_of_costs_one_article(monkeypatch, tmp_path, how, code):
    """The child is told by its environment to misbehave at the article that says POISON."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, os, time, ctypes\n"
        "def trace(event, args):\n"
        "    pass\n"
        "import importlib.abc, importlib.util\n"
        "class Hook(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name != 'accordingto.reader.record': return None\n"
        "        sys.meta_path.remove(self)\n"
        "        spec = importlib.util.find_spec(name)\n"
        "        run = spec.loader.exec_module\n"
        "        def execute(module):\n"
        "            run(module)\n"
        "            real = module.article_from_record\n"
        "            def poisoned(record, *rest):\n"
        "                if 'POISON' in str(record):\n"
        f"                    {how}\n"
        "                return real(record, *rest)\n"
        "            module.article_from_record = poisoned\n"
        "        spec.loader.exec_module = execute\n"
        "        return spec\n"
        "sys.meta_path.insert(0, Hook())\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH")))))
    child = Sandbox(deadline=3)
    start = time.monotonic()
    try:
        assert outcomes(child, "a.csv", b"text\nOne.\nPOISON\nThree.\n") == ["One.", code, "Three."]
        assert outcomes(child, "b.csv", b"text\nPOISON\n") == [code]
    finally:
        child.close()
    assert time.monotonic() - start < 30


def test_child_goes_when_its_parent_is_killed(tmp_path):
    import signal
    import subprocess
    import sys

    script = tmp_path / "parent.py"
    script.write_text("from accordingto.sandbox import Sandbox\nimport time\nif __name__ == '__main__':\n    s = Sandbox()\n    list(s.outcomes(('a.csv', b'text\\nOne.\\n')))\n    print(s._child.pid, flush=True)\n    time.sleep(99)\n")
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 20
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_what_comes_out_of_the_child_is_json(reading):
    reading._send((("a.csv", b"text\nOne.\n"), None, 0, None))
    assert reading._pipe.recv_bytes()[:1] == b"["


def test_child_reads_many_files_and_is_renewed_after_its_share(reading, monkeypatch):
    monkeypatch.setattr("accordingto.sandbox.RENEW", 3)
    children = []
    for _ in range(7):
        assert outcomes(reading, "a.csv", b"text\nOne.\n") == ["One."]
        children.append(reading._child.pid)
    assert [len(set(children[i : i + 3])) for i in (0, 3, 6)] == [1, 1, 1]
    assert len(set(children)) == 3
