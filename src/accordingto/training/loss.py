"""The losses of a batch, each summed over what it counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from accordingto.label import LABELS
from accordingto.training.corpus import IGNORE
from accordingto.training.meaning import LabelReader, Links, Network, StanceReader
from accordingto.training.network import IMPOSSIBLE, Reader, sequence_loss
from accordingto.training.stage import TrainingConfig


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


def _label_loss(labels: LabelReader | StanceReader, batch: dict[str, Tensor], words: Tensor, config: TrainingConfig, weights: Sequence[Tensor]) -> Tensor:
    """Return the summed loss of all labels of a batch, and of what attitudes aim at."""
    with torch.autocast("cpu", torch.bfloat16):
        scores, aim, *_ = labels(words.flatten(0, 1), batch["label_places"], batch["label_parts"], batch["label_offsets"])
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
