"""The network as two ONNX graphs: `encoder` (one window to its words) and `roles` (a window's cues to their words' roles)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from accordingto.graph import write_digest
from accordingto.training.network import Reader, allowed_transitions

CONTENT_ENTRY = -2.5  # for each stretch of content: chosen on dev; against -1, relation F1 +0.2 on PolNeAR, 0.0 on clean, +0.9 on written


class _EncoderGraph(nn.Module):
    """A window's wordpieces to (1, W, 398): vectors, sentence, cue and name scores, and the number of the part of speech. The wordpieces' vectors are kept in int8."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader
        rows = reader.piece.weight.detach()
        self.scale = nn.Buffer(rows.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127)  # (vocabulary, 1)
        self.rows = nn.Buffer(torch.round(rows / self.scale).to(torch.int8))  # one scale for all rows cost 0.4 to 1.0 points of cue F1

    def forward(self, pieces: Tensor, shape: Tensor, gap: Tensor, quoted: Tensor, first_piece: Tensor, guideline: Tensor) -> Tensor:
        vectors = self.rows[pieces].float() * self.scale[pieces]
        words = self.reader.encode(vectors, shape, gap, quoted, first_piece, guideline)
        sentence, cue, entity = self.reader.read_words(words)
        tag = self.reader.tag(words).argmax(-1, keepdim=True).to(words.dtype)
        return torch.cat([words, sentence.unsqueeze(-1), cue, entity, tag], -1)


class _RoleGraph(nn.Module):
    """A window's words and cues to (C, W, 5)."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, words: Tensor, cue_scores: Tensor, sentence_scores: Tensor, lines: Tensor, cues: Tensor) -> Tensor:
        return self.reader.read_roles(words, cue_scores, sentence_scores, lines, torch.zeros_like(cues[:, 0]), cues)


def export_graphs(reader: Reader, folder: Path, *, quantize: bool) -> None:
    """Write `encoder.onnx` and `roles.onnx` with their digests; with `quantize` their matrices in int8."""
    folder.mkdir(parents=True, exist_ok=True)
    width, pieces, words, _cues = reader.config.width, 12, 9, 2
    integers = {name: torch.ones(1, pieces, dtype=torch.long) for name in ("pieces", "shape", "gap", "quoted")}
    encoder_inputs = {**integers, "first_piece": torch.arange(1, words + 1)[None], "guideline": torch.zeros(1, dtype=torch.long)}
    role_inputs = {
        "words": torch.randn(1, words, width),
        "cue_scores": torch.randn(1, words, 3),
        "sentence_scores": torch.randn(1, words),
        "lines": torch.zeros(1, words),
        "cues": torch.tensor([[1, 2], [4, 6]]),
    }
    axes = {**{name: {1: "pieces"} for name in integers}, "first_piece": {1: "words"}, "encoded": {1: "words"}}
    export_module(_EncoderGraph(reader), encoder_inputs, ["encoded"], axes, folder / "encoder.onnx", quantize=quantize)
    axes = {**{name: {1: "words"} for name in role_inputs if name != "cues"}, "cues": {0: "cues"}, "scores": {0: "cues", 1: "words"}}
    export_module(_RoleGraph(reader), role_inputs, ["scores"], axes, folder / "roles.onnx", quantize=quantize)


def export_module(module: nn.Module, inputs: dict[str, Tensor], outputs: list[str], axes: dict, path: Path, *, quantize: bool) -> None:
    """Write a module as an ONNX graph with its digest; axes: which dimensions vary, by input and output."""
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        plain = Path(scratch) / "plain.onnx"
        torch.onnx.export(module.eval(), tuple(inputs.values()), str(plain), input_names=list(inputs), output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
        if quantize:
            _quantize(plain, path)
        else:
            path.write_bytes(plain.read_bytes())
    write_digest(path)


def _quantize(plain: Path, path: Path) -> None:
    """Write a graph with its matrices in int8, each column scaled for itself; activations are scaled as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready = plain.with_name("ready.onnx")
    quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
    quantize_dynamic(str(ready), str(path), per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])


def transitions_of(reader: Reader) -> list[list[float]]:
    """Return the scores of role tag after role tag, (5, 5), the impossible ones included, as decoding uses them."""
    scores = allowed_transitions()[0] + reader.transitions.detach()
    scores[:3, 3] += CONTENT_ENTRY
    return scores.tolist()
