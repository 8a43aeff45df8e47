"""The trained network: a seeded, resumable loop over windows of all corpora.

Knows no corpus file and no Doc: it takes examples (corpus.py) and gives a network (network.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from accordingto.errors import TrainingError
from accordingto.label import LABELS, PARTS, claim_words, pad_claims
from accordingto.training.corpus import IGNORE, Example
from accordingto.training.network import IMPOSSIBLE, LabelConfig, LabelReader, Links, NetworkConfig, Reader, sequence_loss
from accordingto.window import MAX_WINDOW_PIECES, cut_windows, encoder_inputs

LINK_WIDTH = 64


@dataclass(frozen=True)
class TrainingConfig:
    """The hyperparameters; each was taken from MODEL.md or chosen on dev."""

    name: str  # of the checkpoint
    seed: int = 1
    epochs: int = 8
    pieces_per_batch: int = 4608  # some 16 windows
    encoder_rate: float = 1.5e-4  # MODEL.md
    head_rate: float = 1e-3  # MODEL.md
    transition_rate: float = 5e-3
    warm_up: float = 0.06  # of all steps; then linear decay to zero
    weight_decay: float = 0.01
    clip: float = 1.0
    steady_repeats: int = 3  # clean_* and written_* against polnear, which is ten times as large
    sentence_weight: float = 0.3
    syntax_weight: float = 0.05  # of names, tags, relations and arcs together: silver, and only a help
    shaken_cues: float = 0.1  # of the cues get a wrong border of one word: at run time borders are predicted
    labelled_repeats: int = 1  # labelled articles of polnear against the others
    label_weight: float = 0.0
    aim_weight: float = 0.3  # of what the attitude aims at, against the labels
    link_weight: float = 0.0
    rare: float = 0.5  # a label counts by its frequency to the power of -rare: the score is macro F1


READING = TrainingConfig("reading")
MEANING = TrainingConfig("meaning", seed=2, epochs=4, encoder_rate=1e-4, head_rate=6e-4, labelled_repeats=2, label_weight=0.5, link_weight=0.1)
LABELLING = TrainingConfig("labelling", seed=4, epochs=8, encoder_rate=1e-4, head_rate=6e-4, steady_repeats=1, label_weight=1.5, link_weight=0.1, rare=0.25)
"""The stages: first to read attributions; then labels and coreference too, while reading goes on; then the same on labelled articles alone."""

AVERAGE = {"reading": 0.25, "meaning": 0.1, "labelling": 0.65}
"""How much each stage's weights count in the shipped ones: reading forgets a little in each later stage. On dev (cue F1 by `steady` on PolNeAR, clean;
macro F1 of stance): the last stage alone 82.9, 87.7, 59.8; this 83.8, 88.5, 57.2, and 58.7 after the last fit of the labels."""


class Network(nn.Module):
    """All that a stage trains: the reader, and in the second stage what reads labels and coreference from its vectors."""

    def __init__(self, reader: Reader, labels: LabelReader | None = None, links: Links | None = None) -> None:
        super().__init__()
        self.reader, self.labels, self.links = reader, labels, links


@dataclass(frozen=True)
class Window:
    """A stretch of one example, ready for the encoder."""

    example: Example
    start: int
    end: int
    inputs: dict[str, np.ndarray]


def epoch_batches(corpora: dict[str, list[Example]], config: TrainingConfig, epoch: int) -> list[list[Window]]:
    """Return the batches of an epoch: the same for the same seed and epoch, cut elsewhere in each epoch."""
    rng = np.random.default_rng([config.seed, epoch])
    windows = []
    for name, examples in corpora.items():
        for example in examples:
            labelled = config.labelled_repeats if (example.labels != IGNORE).any() else 1
            for _ in range(config.steady_repeats if name in ("clean", "written") else labelled):
                first = int(rng.integers(MAX_WINDOW_PIECES // 3, MAX_WINDOW_PIECES - 1))
                cuts = cut_windows(example.words, first=first)
                windows += [Window(example, start, end, encoder_inputs(example.words, start, end)) for start, end in cuts]
    order = rng.permutation(len(windows))
    batches: list[list[Window]] = []
    for pool in np.array_split(order, max(1, len(order) // 400)):  # sorted by length within a pool: little padding, still mixed
        by_length = sorted(pool, key=lambda i: len(windows[i].inputs["pieces"]))
        batch: list[Window] = []
        for i in by_length:
            if batch and (len(batch) + 1) * len(windows[i].inputs["pieces"]) > config.pieces_per_batch:
                batches.append(batch)
                batch = []
            batch.append(windows[i])
        batches.append(batch)
    return [batches[i] for i in rng.permutation(len(batches))]


def labelled_only(corpora: dict[str, list[Example]]) -> dict[str, list[Example]]:
    """Return the examples whose attributions have labels."""
    return {name: [e for e in examples if (e.labels != IGNORE).any()] for name, examples in corpora.items()}


def _padded(rows: Sequence[np.ndarray], fill: int) -> Tensor:
    """Return rows of different lengths as one tensor, (B, longest)."""
    out = np.full((len(rows), max(len(r) for r in rows)), fill, np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return torch.from_numpy(out)


def collate(batch: list[Window], rng: np.random.Generator, shaken: float) -> dict[str, Tensor]:
    """Return the tensors of a batch: B windows of at most P wordpieces and W words, C cues."""
    out = {name: _padded([w.inputs[name] for w in batch], 0) for name in ("pieces", "shape", "gap", "quoted", "first_piece")}
    out["mask"] = (out["pieces"] != 0)[:, None, None, :]
    out["guideline"] = torch.tensor([w.example.guideline for w in batch])
    for name in ("cue_tags", "sentence", "entity", "tag", "relation"):
        out[name] = _padded([getattr(w.example, name)[w.start : w.end] for w in batch], IGNORE)
    heads = [w.example.head[w.start : w.end] - w.start for w in batch]
    out["head"] = _padded([np.where((h >= 0) & (h < w.end - w.start), h, IGNORE) for h, w in zip(heads, batch, strict=True)], IGNORE)
    out["lines"] = _padded([w.example.words.gap[w.start : w.end] == 2 for w in batch], 0)
    length = out["first_piece"].shape[1]
    rows, cues, roles, labels, claims, aims = [], [], [], [], [], []
    for row, w in enumerate(batch):
        for number, ((start, end), tags) in enumerate(zip(w.example.cues, w.example.roles, strict=True)):
            if w.start <= start and end <= w.end:
                known = w.example.labels[number]
                if (known != IGNORE).any():
                    places, parts, offsets = _claim_words(tags[w.start : w.end], start - w.start, end - w.start)
                    labels.append(known)
                    claims.append((places + row * length, parts, offsets))
                    aims.append(np.isin(places + w.start, w.example.aims[number]))
                rows.append(row)
                cues.append(_shake(start - w.start, end - w.start, w.end - w.start, rng, shaken))
                roles.append(_whole_tags(tags[w.start : w.end]))
    out["window"] = torch.tensor(rows, dtype=torch.long)
    out["cues"] = torch.tensor(cues, dtype=torch.long).reshape(-1, 2)
    out["roles"] = _padded([*roles, np.zeros(length)], 0)[:-1]
    out["words_of_cue"] = torch.tensor([batch[r].end - batch[r].start for r in rows], dtype=torch.long)
    out["labels"] = torch.from_numpy(np.array(labels, np.int64).reshape(-1, len(LABELS)))
    out["aims"] = _padded([*aims, np.zeros(1)], 0)[:-1].bool()
    out |= {f"label_{name}": torch.from_numpy(array) for name, array in zip(("places", "parts", "offsets"), pad_claims(claims), strict=True)}
    links = [(row, i - w.start, mates[(mates >= w.start) & (mates < w.end)] - w.start) for row, w in enumerate(batch) for i, mates in w.example.links if w.start <= i < w.end]
    links = [link for link in links if len(link[2])]
    out["link_row"], out["link_word"] = (torch.tensor([link[i] for link in links], dtype=torch.long) for i in (0, 1))
    mates = np.zeros((len(links), length), bool)
    for number, link in enumerate(links):
        mates[number, link[2]] = True
    out["link_mates"] = torch.from_numpy(mates)
    return out


def _claim_words(tags: np.ndarray, start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the words that an attribution's labels are read from; tags: (W,) the window's role tags."""
    source, content = (np.flatnonzero((tags == first) | (tags == first + 1)) for first in (1, 3))
    return claim_words((start, end), source, content, len(tags))


def _shake(start: int, end: int, length: int, rng: np.random.Generator, shaken: float) -> tuple[int, int]:
    """Return a cue's range, now and then with one border a word off."""
    if rng.random() < shaken:
        move = int(rng.choice((-1, 1)))
        start, end = (start + move, end) if rng.random() < 0.5 else (start, end + move)
        if not 0 <= start < end <= length:
            return max(0, min(start, length - 1)), max(1, min(max(end, start + 1), length))
    return start, end


def _whole_tags(tags: np.ndarray) -> np.ndarray:
    """Return tags that begin with a beginning: a part that a window cuts begins anew."""
    if len(tags) and tags[0] in (2, 4):
        tags = tags.copy()
        tags[0] -= 1
    return tags


def batch_losses(network: Network, batch: dict[str, Tensor], config: TrainingConfig, label_weights: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the summed losses of a batch: cue, role, sentence, syntax, labels, links; and `words`, their number.

    label_weights: of each field, how much each label counts.
    """
    reader = network.reader
    with torch.autocast("cpu", torch.bfloat16):
        words = reader.encode(batch["pieces"], batch["shape"], batch["gap"], batch["quoted"], batch["first_piece"], batch["guideline"], batch["mask"])
        sentence, cue, entity = reader.read_words(words)
        tag, relation, arcs = reader.tag(words), reader.relation(words), reader.score_arcs(words)
    sentence, cue = sentence.float(), cue.float()
    known = batch["sentence"] != IGNORE
    losses = {
        "cue": _cross_entropy(cue, batch["cue_tags"]),
        "sentence": F.binary_cross_entropy_with_logits(sentence[known], batch["sentence"][known].float(), reduction="sum"),
        "syntax": _cross_entropy(entity, batch["entity"]) + _cross_entropy(tag, batch["tag"]) + _cross_entropy(relation, batch["relation"]) + _cross_entropy(arcs, batch["head"]),
        "role": torch.zeros(()),
    }
    if len(batch["window"]):
        losses["role"] = _role_loss(reader, batch, words, sentence.detach(), cue.detach())
    if network.labels is not None and len(batch["labels"]):
        losses["labels"] = _label_loss(network.labels, batch, words, config, label_weights)
    if network.links is not None and len(batch["link_word"]):
        losses["links"] = _link_loss(network.links, batch, words)
    losses["words"] = (batch["first_piece"] > 0).sum()
    return losses


def _label_loss(labels: LabelReader, batch: dict[str, Tensor], words: Tensor, config: TrainingConfig, weights: Sequence[Tensor]) -> Tensor:
    """Return the summed loss of all labels of a batch, and of what attitudes aim at."""
    with torch.autocast("cpu", torch.bfloat16):
        scores, aim = labels(words.flatten(0, 1), batch["label_places"], batch["label_parts"], batch["label_offsets"])
    return label_loss(scores.float(), batch["labels"], weights) + config.aim_weight * aim_loss(aim.float(), batch["aims"])


def label_loss(scores: Tensor, labels: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Return the summed loss of all fields; scores: (C, all fields' values), labels: (C, fields), weights: of each field's values."""
    parts = scores.split([len(weight) for weight in weights], 1)
    return sum((F.cross_entropy(part, labels[:, i], weight, ignore_index=IGNORE, reduction="sum") for i, (part, weight) in enumerate(zip(parts, weights, strict=True))), torch.zeros(()))


def aim_loss(scores: Tensor, aims: Tensor) -> Tensor:
    """Return the summed loss of the words that name what attitudes aim at, together against all others; (C, L) each."""
    known = aims.any(1)
    return (torch.logsumexp(scores, 1) - torch.logsumexp(scores.masked_fill(~aims, IMPOSSIBLE), 1))[known].sum()


def _link_loss(links: Links, batch: dict[str, Tensor], words: Tensor) -> Tensor:
    """Return the summed loss of the mentions' links: all mates in the window together against every other word."""
    with torch.autocast("cpu", torch.bfloat16):
        scores = links(words)[batch["link_row"], batch["link_word"]].float()  # (links, W)
    place = torch.arange(scores.shape[1])
    possible = (batch["first_piece"][batch["link_row"]] > 0) & (place != batch["link_word"].unsqueeze(1))
    gold = torch.logsumexp(scores.masked_fill(~batch["link_mates"], IMPOSSIBLE), 1)
    return (torch.logsumexp(scores.masked_fill(~possible, IMPOSSIBLE), 1) - gold).sum()


def label_weights(known: np.ndarray, rare: float) -> list[Tensor]:
    """Return how much each label counts, a tensor a field: frequency to the power of -rare, 1 on the average claim; known: (C, fields)."""
    out = []
    for field, values in enumerate(LABELS.values()):
        counts = np.bincount(known[:, field][known[:, field] != IGNORE], minlength=len(values)).clip(min=1)
        weights = (counts / counts.sum()) ** -rare
        out.append(torch.tensor(weights / (weights * counts).sum() * counts.sum(), dtype=torch.float32))
    return out


def _cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(scores.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum")


def _role_loss(reader: Reader, batch: dict[str, Tensor], words: Tensor, sentence: Tensor, cue_scores: Tensor) -> Tensor:
    """Return the summed loss of the role tags of all cues of a batch."""
    mask = torch.arange(words.shape[1]) < batch["words_of_cue"].unsqueeze(1)
    with torch.autocast("cpu", torch.bfloat16):
        scores = reader.read_roles(words, cue_scores, sentence, batch["lines"], batch["window"], batch["cues"], mask.to(words.dtype))
    return sequence_loss(scores.float(), batch["roles"], mask, reader.transitions).sum()


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
