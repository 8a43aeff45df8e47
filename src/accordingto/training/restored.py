"""Restored networks: the graphs of a pipeline read back as the networks that they were exported from, to be trained on.

A matrix in int8 comes back as its numbers times their scales, so the network gives the graph's scores but for the rounding of
activations, which the graph does as it runs. What a graph does not hold (the syntax heads, a training signal) is drawn anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from accordingto.attribution import GRAPH as ROLE_GRAPH
from accordingto.attribution import SETTINGS as DECODING
from accordingto.encoder import GRAPH as ENCODER_GRAPH
from accordingto.encoder import TAGS
from accordingto.errors import TrainingError
from accordingto.label import LABELS, PARTS
from accordingto.speaker import GRAPH as SPEAKER_GRAPH
from accordingto.stance import GRAPH as STANCE_GRAPH
from accordingto.training.export import CONTENT_ENTRY
from accordingto.training.meaning import LabelConfig, LabelReader, Links, Network, StanceReader
from accordingto.training.network import NetworkConfig, Reader, allowed_transitions
from accordingto.training.speakers import SpeakerConfig, SpeakerNetwork
from accordingto.training.train import LINK_WIDTH

NOT_IN_GRAPHS = ("relation.", "arc_head.", "arc_child.", "transitions")  # of the reader; the last stands in decoding.json
Arrays = dict[str, np.ndarray]


def restore_network(folder: Path, config: NetworkConfig | None = None) -> tuple[Network, SpeakerNetwork, list[str]]:
    """Return the networks of a pipeline's folder, and its parts of speech by number; raises TrainingError."""
    reader = restore_reader(folder, config)
    speakers = SpeakerNetwork(SpeakerConfig(), Links(reader.config.width, LINK_WIDTH), nn.Linear(reader.config.width, 1))
    _fill(speakers, _arrays_of(folder / "speakers" / SPEAKER_GRAPH), folder / "speakers")
    stances = StanceReader(LabelReader(LabelConfig(sum(map(len, LABELS.values())), len(PARTS), reader.config.width)))
    _fill(stances, _arrays_of(folder / "stances" / STANCE_GRAPH), folder / "stances")
    links = Links(reader.config.width, LINK_WIDTH)
    links.load_state_dict(speakers.links.state_dict())
    tags = json.loads((folder / "encoder" / TAGS).read_text(encoding="utf-8"))
    return Network(reader, stances, links).eval(), speakers.eval(), tags


def restore_reader(folder: Path, config: NetworkConfig | None = None) -> Reader:
    """Return the reader of a pipeline's folder, its syntax heads drawn by a seed."""
    torch.manual_seed(1)
    reader = Reader(config or NetworkConfig())
    encoder = _arrays_of(folder / "encoder" / ENCODER_GRAPH)
    encoder["piece.weight"] = encoder.pop("rows").astype(np.float32) * encoder.pop("scale")
    _fill(reader, encoder | _arrays_of(folder / "attributions" / ROLE_GRAPH), folder, NOT_IN_GRAPHS)
    settings = json.loads((folder / "attributions" / DECODING).read_text(encoding="utf-8"))
    scores = torch.tensor(next(iter(settings.values()))["transitions"]) - allowed_transitions()[0]
    scores[:3, 3] -= CONTENT_ENTRY
    with torch.no_grad():
        reader.transitions.copy_(scores)
    return reader.eval()


def _fill(network: nn.Module, arrays: Arrays, folder: Path, missing: tuple[str, ...] = ()) -> None:
    """Copy arrays into the parameters of their names; each must be there once, and fit."""
    state = network.state_dict()
    wanted = {name for name in state if not name.startswith(missing)}
    if missing_ones := sorted(wanted ^ set(arrays)):
        raise TrainingError(f"the graphs in {str(folder)!r} are not those of this version's networks ({', '.join(missing_ones[:3])})", "name a pipeline that this version trained with --model")
    for name, array in arrays.items():
        value = torch.from_numpy(array.astype(np.float32))
        if state[name].dim() == 3:  # a convolution that was exported as a matrix product (network.py)
            value = value.T.reshape(state[name].shape[2], state[name].shape[1], state[name].shape[0]).permute(2, 1, 0)
        if state[name].shape != value.shape:
            raise TrainingError(f"{name} of {str(folder)!r} is {tuple(value.shape)}, not {tuple(state[name].shape)}", "name a pipeline that this version trained with --model")
        state[name] = value.contiguous()
    network.load_state_dict(state)


def _arrays_of(path: Path) -> Arrays:
    """Return the weights of a graph by the names of the network's parameters; matrices as `nn.Linear` holds them."""
    import onnx
    from onnx.numpy_helper import to_array

    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf raises kinds of its own for a damaged file
        raise TrainingError(f"the graph {str(path)!r} cannot be read", "name a folder that holds a pipeline with --model") from error
    constants = {c.name: to_array(c) for c in graph.initializer}
    out = {_plain(name): array for name, array in constants.items() if re.fullmatch(r"[a-z_]\w*(\.\w+)*\.(weight|bias)|\w+\.segment|rows|scale", name)}
    return out | dict(_matrices(graph.node, constants))


def _plain(name: str) -> str:
    """Return a parameter's name without the module that was exported around the network."""
    return re.sub(r"^(reader|network)\.", "", name)


def _matrices(nodes: Any, constants: Arrays) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the matrices that have no name of their own, with the one that their product's bias, or its place in the network, gives them."""
    readers = {name: node for node in reversed(nodes) for name in node.input}  # of several the first
    for node in nodes:
        if node.op_type not in ("MatMul", "MatMulInteger") or node.input[1] not in constants:
            continue
        matrix = constants[node.input[1]]
        if node.op_type == "MatMulInteger":
            stem = node.input[1].removesuffix("_quantized")
            matrix = (matrix.astype(np.float32) - constants[f"{stem}_zero_point"]) * constants[f"{stem}_scale"]
        yield f"{_bias_behind(node, readers, constants) or _scope(node.output[0])}.weight", matrix.T


def _bias_behind(node: Any, readers: dict[str, Any], constants: Arrays) -> str | None:
    """Return the name of the layer whose bias is added to a product, over the scalings of int8; None where none is."""
    while node.output[0] in readers:
        node = readers[node.output[0]]
        biases = [name for name in node.input if name in constants and name.endswith(".bias")]
        if node.op_type == "Add":
            return _plain(biases[0]).removesuffix(".bias") if biases else None
        if node.op_type not in ("Cast", "Mul"):
            return None
    return None


def _scope(output: str) -> str:
    """Return the layer that a node's output is named by: `/role_between/MatMul_output_0` -> role_between."""
    return ".".join(output.strip("/").split("/")[:-1])
