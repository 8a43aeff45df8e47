"""Storage: files by path or by address (s3://, gs://, file://), read in stretches and written whole or not at all."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

from accordingto.article import Inputs, find_inputs
from accordingto.errors import OutputError, RunError
from accordingto.reader.item import KINDS
from accordingto.schema import Problem
from accordingto.table import replacing

Answer = TypeVar("Answer")
WAITS = (1.0, 4.0, 10.0)  # seconds before an object store is asked again; its own package has tried several times by then
STEP = 8_000_000  # bytes that are copied at a time
OF_ONE_PROCESS = ("memory",)  # file systems that no other process sees


def is_remote(name: str) -> bool:
    """Return whether a name is an address of another storage than this machine's files."""
    return "://" in name and not name.startswith("file://")


def check_name(name: str) -> None:
    """Refuse an address that holds a password, which the manifest would keep, or that workers cannot reach; raises RunError."""
    parts = urlsplit(name) if is_remote(name) else None
    if parts is not None and parts.password:
        raise RunError(parts._replace(netloc=parts.hostname or "").geturl(), "its address holds a password, which would be kept in the archive", "give credentials as the storage's own library takes them, from the environment or its file")
    if parts is not None and parts.scheme in OF_ONE_PROCESS:
        raise RunError(name, f"{parts.scheme}:// lies in one process, and workers are others", "give a folder or an object store")


def local_path(name: str) -> Path:
    """Return the path of a name that is not remote."""
    return Path(name.removeprefix("file://"))


@lru_cache(maxsize=64)
def _filesystem(protocol: str) -> Any:
    try:
        import fsspec

        return fsspec.filesystem(protocol, use_listings_cache=False)
    except (ImportError, ValueError) as error:  # fsspec says both, the second of protocols that it does not know
        raise OutputError(f"{protocol}://", f"fsspec cannot open it ({error})", "pip install 'accordingto[archive]' and the package that it names (s3fs, gcsfs, adlfs)") from error


def _remote(name: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    protocol, _, path = name.partition("://")
    return _filesystem(protocol), path.rstrip("/")


def _patient(call: Callable[[], Answer]) -> Answer:
    """Return what a call of an object store gives, asking again where it fails; raises OSError, whatever the storage's package raised."""
    for wait in (*WAITS, None):
        try:
            return call()
        except (FileNotFoundError, PermissionError):
            raise
        except Exception as error:
            if wait is None:
                raise OSError(f"the object store does not answer ({type(error).__name__}: {error})") from error
            time.sleep(wait)
    raise AssertionError


def find_files(names: Sequence[str]) -> tuple[Inputs, dict[str, int]]:
    """Return the files behind names, as `find_inputs` does, those of object stores by their addresses; and the bytes of each, -1 where there is none."""
    local = find_inputs([str(local_path(n)) for n in names if not is_remote(n)])
    sizes, problems, left_out = {str(path): size_of(str(path)) for path in local.paths}, list(local.problems), local.left_out
    for name in (n for n in names if is_remote(n)):
        found = _patient(lambda name=name: _find_remote(name))  # type: ignore[misc]
        known = {path: size for path, size in found.items() if path == name or path.lower().endswith(tuple(KINDS))}
        left_out += len(found) - len(known)
        sizes |= known
        if not known:
            problems.append(Problem(name, "missing", f"{name!r} was not read: there is no such file, or none of a kind that is read; check the path."))
    return Inputs(tuple(sorted(sizes)), tuple(problems), left_out), sizes


def _find_remote(name: str) -> dict[str, int]:
    """Return the addresses behind one with their bytes: itself, those below it, or those that its pattern matches."""
    system, path = _remote(name)
    protocol = name.partition("://")[0]
    found = system.glob(path, detail=True) if any(c in path for c in "*?[") else system.find(path, detail=True)  # of a file, `find` gives the file
    return {f"{protocol}://{each.lstrip('/')}": int(facts["size"] or 0) for each, facts in found.items() if facts["type"] == "file" and not each.rsplit("/", 1)[-1].startswith(".")}


def size_of(name: str) -> int:
    """Return the bytes of a file, -1 where there is none; raises OSError."""
    if is_remote(name):
        system, path = _remote(name)
        try:
            return int(_patient(lambda: system.info(path)["size"]))
        except FileNotFoundError:
            return -1
    path_ = local_path(name)
    return path_.stat().st_size if path_.is_file() else -1


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """Give a file to read from any place of it; raises OSError."""
    if is_remote(name):
        system, path = _remote(name)
        with system.open(path, "rb") as stream:
            yield stream
    else:
        with local_path(name).open("rb") as stream:
            yield stream


@contextmanager
def spooled(name: str, extents: Sequence[tuple[int, int]] | None = None) -> Iterator[tuple[Path, str]]:
    """Give a file on this machine's disk with the wanted stretches of another, all at their own places, and the SHA-256 over them; raises OSError."""
    if not is_remote(name) and (extents is None or list(extents) == [(0, size_of(name))]):
        path = local_path(name)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        yield path, sha256
        return
    with tempfile.TemporaryDirectory(prefix="accordingto-") as folder:
        copy = Path(folder) / "spool"
        yield copy, _patient(lambda: _copy(name, extents, copy)) if is_remote(name) else _copy(name, extents, copy)


def _copy(name: str, extents: Sequence[tuple[int, int]] | None, copy: Path) -> str:
    """Copy stretches of a file and return the SHA-256 over them."""
    digest = hashlib.sha256()
    with opened(name) as stream, copy.open("wb") as out:
        for start, end in extents or [(0, size_of(name))]:
            stream.seek(start)
            out.seek(start)
            left = end - start
            while left > 0 and (data := stream.read(min(STEP, left))):
                digest.update(data)
                out.write(data)
                left -= len(data)
    return digest.hexdigest()


class Place:
    """The folder of an archive, on the disk or in an object store."""

    def __init__(self, root: str) -> None:
        self.root = root if is_remote(root) else str(local_path(root))

    def name(self, name: str) -> str:
        """Return where a file of the archive lies."""
        return f"{self.root.rstrip('/')}/{name}"

    def write(self, name: str, data: bytes) -> None:
        """Write a file so that it is there whole or not at all. On a disk it is written beside its place, made to last and renamed; an object store shows nothing before the end."""
        if is_remote(self.root):
            system, path = _remote(self.name(name))
            _patient(lambda: system.pipe_file(path, data))
            return
        target = Path(self.name(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            file.write(data)

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """Return a file, or a stretch of it; raises OSError."""
        return _patient(lambda: self._read(name, start, end)) if is_remote(self.root) else self._read(name, start, end)

    def _read(self, name: str, start: int, end: int | None) -> bytes:
        with opened(self.name(name)) as stream:
            stream.seek(start)
            return stream.read() if end is None else stream.read(end - start)

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return the files of a folder with their bytes."""
        where = self.name(folder).rstrip("/")
        if is_remote(self.root):
            system, path = _remote(where)
            try:
                return {each["name"].rsplit("/", 1)[-1]: int(each["size"] or 0) for each in _patient(lambda: system.ls(path, detail=True)) if each["type"] == "file"}
            except FileNotFoundError:
                return {}
        return {p.name: p.stat().st_size for p in Path(where).iterdir() if p.is_file()} if Path(where).is_dir() else {}

    def has(self, name: str) -> bool:
        """Return whether a file is there."""
        return size_of(self.name(name)) >= 0

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        if is_remote(self.root):
            system, path = _remote(self.name(name))
            with suppress(FileNotFoundError):
                _patient(lambda: system.rm_file(path))
        else:
            Path(self.name(name)).unlink(missing_ok=True)


def copy_stretch(source: IO[bytes], target: Path, start: int, end: int) -> None:
    """Write a stretch of a stream that cannot go back to a file, from its beginning."""
    left = start
    while left > 0 and (data := source.read(min(STEP, left))):
        left -= len(data)
    with target.open("wb") as out:
        left = end - start
        while left > 0 and (data := source.read(min(STEP, left))):
            out.write(data)
            left -= len(data)
