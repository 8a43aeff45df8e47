"""Batches: windows of the examples of all corpora, as the tensors that the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accordingto.label import LABELS, claim_words, pad_claims
from accordingto.training.corpus import IGNORE, Example
from accordingto.training.stage import TrainingConfig
from accordingto.window import MAX_WINDOW_PIECES, cut_windows, encoder_inputs


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
