"""The trained network: a seeded, resumable loop over windows of all corpora.

Knows no corpus file and no Doc: it takes examples (corpus.py) and gives a network (network.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accordingto.errors import TrainingError
from accordingto.label import LABELS, PARTS
from accordingto.training.batch import Window, collate, epoch_batches
from accordingto.training.corpus import Example
from accordingto.training.loss import batch_losses, label_weights
from accordingto.training.meaning import LabelConfig, LabelReader, Links, Network
from accordingto.training.network import NetworkConfig, Reader
from accordingto.training.stage import AVERAGE, TrainingConfig

LINK_WIDTH = 64


def parameter_groups(network: Network, config: TrainingConfig) -> list[dict]:
    """Return the optimizer's groups. The wordpiece vectors stay as they came: half of all parameters, seen too rarely to learn from."""
    reader = network.reader
    reader.piece.weight.requires_grad_(False)
    encoder: list[Tensor] = []
    heads: list[Tensor] = []
    for name, parameter in reader.named_parameters():
        if name == "transitions" or not parameter.requires_grad:
            continue
        in_encoder = name.startswith(("layers.", "position.", "segment", "embedding_norm."))
        (encoder if in_encoder else heads).append(parameter)
    heads += [parameter for module in (network.labels, network.links) if module is not None for parameter in module.parameters()]
    return [
        {"params": encoder, "lr": config.encoder_rate, "weight_decay": config.weight_decay},
        {"params": heads, "lr": config.head_rate, "weight_decay": config.weight_decay},
        {"params": [reader.transitions], "lr": config.transition_rate, "weight_decay": 0.0},
    ]


def rate_at(step: int, steps: int, warm_up: float) -> float:
    """Return the share of the full learning rate at a step: up to 1, then down to 0, both linear."""
    rise = max(1, int(steps * warm_up))
    return (step + 1) / rise if step < rise else max(0.0, (steps - step) / max(1, steps - rise))


def load_start_weights(reader: Reader, weights: dict[str, Tensor]) -> None:
    """Copy the weights of a BERT encoder, by the names of its published checkpoint, into the reader's encoder."""
    state = reader.state_dict()
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    new = {"piece.weight": weights["embeddings.word_embeddings.weight"], "position.weight": weights["embeddings.position_embeddings.weight"], "segment": segment}
    names = {"attend_out": "attention.output.dense", "attend_norm": "attention.output.LayerNorm", "inner": "intermediate.dense", "outer": "output.dense", "norm": "output.LayerNorm"}
    for kind in ("weight", "bias"):
        new[f"embedding_norm.{kind}"] = weights[f"embeddings.LayerNorm.{kind}"]
        for i in range(reader.config.layers):
            layer = f"encoder.layer.{i}."
            new[f"layers.{i}.attend_in.{kind}"] = torch.cat([weights[f"{layer}attention.self.{part}.{kind}"] for part in ("query", "key", "value")])
            new |= {f"layers.{i}.{ours}.{kind}": weights[f"{layer}{theirs}.{kind}"] for ours, theirs in names.items()}
    wrong = [name for name, value in new.items() if state[name].shape != value.shape]
    if wrong:
        raise ValueError(f"the start weights do not fit the network: {wrong}")
    reader.load_state_dict({**state, **new})


def save_checkpoint(path: Path, state: dict) -> None:
    """Write a checkpoint whole or not at all: after every step, so that a kill costs one.

    It takes 0.15 seconds of a step's 2.2, since it is not forced to the disk: a power cut may cost it, a killed process does not.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> dict:
    """Return a checkpoint; raises TrainingError where it is damaged."""
    try:
        return torch.load(path, weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise TrainingError(f"{path} is damaged", "remove it: its stage begins anew, the stages before it stay") from error


def _trained_state(network: Network) -> dict[str, Tensor]:
    """Return the weights that training changes, and the buffers: the wordpiece vectors stay as they came."""
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    return {name: value for name, value in network.state_dict().items() if name not in frozen}


def new_reader(start_weights: dict[str, Tensor] | None, seed: int, config: NetworkConfig | None = None) -> Reader:
    """Return a reader with the start weights; its heads are drawn by the seed."""
    torch.manual_seed(seed)
    reader = Reader(config or NetworkConfig())
    if start_weights is not None:
        load_start_weights(reader, start_weights)
    return reader


def with_meanings(reader: Reader, seed: int) -> Network:
    """Return a reader with fresh parts for labels and links, drawn by the seed."""
    torch.manual_seed(seed)
    width = reader.config.width
    return Network(reader, LabelReader(LabelConfig(sum(map(len, LABELS.values())), len(PARTS), width)), Links(width, LINK_WIDTH))


def averaged(stages: dict[str, Network]) -> Network:
    """Return the last stage's network with the weights of all stages averaged by AVERAGE; parts that a stage lacks are averaged over the others."""
    last = deepcopy(next(reversed(stages.values())))
    states = {name: network.state_dict() for name, network in stages.items()}
    mixed = {}
    for key in last.state_dict():
        having = {name: state[key] for name, state in states.items() if key in state}
        total = sum(AVERAGE[name] for name in having)
        mixed[key] = torch.stack([value * (AVERAGE[name] / total) for name, value in having.items()]).sum(0)
    last.load_state_dict(mixed)
    return last


def train(network: Network, corpora: dict[str, list[Example]], work: Path, config: TrainingConfig, *, report: Callable[[dict], None]) -> Network:
    """Return the network after a stage of training. A killed run goes on from its last checkpoint in `work`."""
    optimizer = torch.optim.AdamW(parameter_groups(network, config))
    full_rates = [group["lr"] for group in optimizer.param_groups]
    lengths = [len(epoch_batches(corpora, config, epoch)) for epoch in range(config.epochs)]
    steps, done = sum(lengths), 0
    checkpoint = work / f"{config.name}.pt"
    if checkpoint.exists():
        state = load_checkpoint(checkpoint)
        if state["config"] != asdict(config):
            raise TrainingError(f"{checkpoint} was made with other settings: {state['config']}", "give another folder with --work, or remove it")
        network.load_state_dict(state["network"], strict=False)  # without the frozen ones
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
        done = state["step"]
    network.train()
    weights = label_weights(np.concatenate([example.labels for examples in corpora.values() for example in examples]), config.rare)
    for step, batch in _remaining_batches(corpora, config, lengths, done):
        for group, rate in zip(optimizer.param_groups, full_rates, strict=True):
            group["lr"] = rate * rate_at(step, steps, config.warm_up)
        began = time.perf_counter()
        losses = batch_losses(network, collate(batch, np.random.default_rng([config.seed, step, 1]), config.shaken_cues), config, weights)
        total = losses["cue"] + losses["role"] + config.sentence_weight * losses["sentence"] + config.syntax_weight * losses["syntax"]
        total = total + config.label_weight * losses.get("labels", 0.0) + config.link_weight * losses.get("links", 0.0)
        (total / losses["words"]).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        report({"stage": config.name, "step": step + 1, "steps": steps, "seconds": time.perf_counter() - began, **{name: float(value.detach()) for name, value in losses.items()}})
        save_checkpoint(checkpoint, {"config": asdict(config), "step": step + 1, "network": _trained_state(network), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()})
    return network.eval()


def _remaining_batches(corpora: dict[str, list[Example]], config: TrainingConfig, lengths: list[int], done: int) -> Iterator[tuple[int, list[Window]]]:
    """Yield the steps that are not done yet with their batches."""
    before = 0
    for epoch, length in enumerate(lengths):
        if before + length > done:
            for i, batch in enumerate(epoch_batches(corpora, config, epoch)):
                if before + i >= done:
                    yield before + i, batch
        before += length


def write_progress(path: Path) -> Callable[[dict], None]:
    """Return a report function that appends one JSON line a step."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def report(row: dict) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    return report
