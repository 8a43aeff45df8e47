"""ONNX graphs, loaded for one thread each and checked against the digest that was written beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from accordingto.errors import ModelError


class Graph:
    """A graph that runs on the CPU; safe to call from several threads at once."""

    def __init__(self, path: Path) -> None:
        import onnxruntime  # here: half a second that `--help` need not pay

        self.path = path
        _check_digest(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # windows run side by side instead: no waiting inside a window
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # windows differ in length: patterns would be kept for each
        options.log_severity_level = 3
        options.add_session_config_entry("session.set_denormal_as_zero", "1")  # attention to far words is that small, and the processor slow with it: 3 % of the encoder
        try:  # the fused layer norm takes nine times as long as an addition and a layer norm: 7 % of the encoder
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"])
        except Exception as error:  # onnxruntime has no common class for what a damaged file raises
            raise ModelError(path, f"onnxruntime says {str(error).splitlines()[0]}") from error

    def __call__(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Return the graph's outputs in their order."""
        return self._session.run(None, inputs)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_digest(path: Path) -> None:
    """Refuse a file that is not what was written: a damaged weight gives wrong claims, not an error."""
    beside = path.with_suffix(".sha256")
    try:
        expected = beside.read_text(encoding="ascii").strip()
        found = digest(path)
    except OSError as error:
        raise ModelError(path, error.strerror or str(error)) from error
    if found != expected:
        raise ModelError(path, f"its SHA-256 is {found[:12]}… where {beside.name} says {expected[:12]}…")


def write_digest(path: Path) -> None:
    """Write the digest of a graph beside it."""
    path.with_suffix(".sha256").write_text(digest(path) + "\n", encoding="ascii")


def copy_graph(graph: Graph, folder: Path) -> None:
    """Write a loaded graph and its digest into a folder."""
    for source in (graph.path, graph.path.with_suffix(".sha256")):
        target = folder / source.name
        if source.resolve() != target.resolve():
            target.write_bytes(source.read_bytes())
