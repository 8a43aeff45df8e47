"""The trained reader of labels: on the finished encoder, from the labelled articles.

It goes on from the part that was trained with the encoder (train.py), now with the reasons, and with pronouns as aims.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from spacy.tokens import Doc
from torch import Tensor

from accordingto.calibration import Calibration
from accordingto.document import WIDTH, encoding_of
from accordingto.evaluation import Row
from accordingto.label import LABELS, claim_words, pad_claims
from accordingto.mention import PRONOUNS
from accordingto.training.calibrate import fit_logit
from accordingto.training.corpus import EMPTY_WORDS, IGNORE, gold_ranges
from accordingto.training.export import export_module
from accordingto.training.loss import aim_loss, label_loss, label_weights
from accordingto.training.meaning import LabelReader, StanceReader
from accordingto.training.wordings import fit_wordings
from accordingto.wording import marks_of_claim, pad_marks


@dataclass(frozen=True)
class StanceConfig:
    """The hyperparameters; chosen on dev."""

    seed: int = 3
    epochs: int = 5
    rate: float = 5e-4
    weight_decay: float = 0.02
    articles: int = 8  # a batch
    rare: float = 0.25  # as in train.TrainingConfig
    aim_weight: float = 0.5


@dataclass(frozen=True)
class StanceExample:
    """One labelled article: the vectors of its words, its claims' words, labels, and the words by which their attitudes' targets go."""

    vectors: np.ndarray  # (W, width)
    claims: list[tuple[np.ndarray, np.ndarray, np.ndarray]]  # claim_words
    labels: np.ndarray  # (C, fields) index into LABELS' values, or IGNORE
    aims: list[np.ndarray]  # C arrays, true for words of the claim that mean the target
    marks: list[np.ndarray]  # C arrays of marks_of_claim


def stance_examples(gold: Sequence[Row], docs: Sequence[Doc], silver: dict[str, dict]) -> list[StanceExample]:
    """Return the labelled articles; docs: the same articles with their encoding; silver: CoreNLP's coreference by article, where there is any."""
    out = []
    for row, doc in zip(gold, docs, strict=True):
        encoding = encoding_of(doc)
        lowered = [doc[int(i)].lower_ for i in encoding.tokens]
        ranges = gold_ranges(doc)
        claims, labels, aims, marks = [], [], [], []
        for a in row["attributions"]:
            source, cue, content = (ranges(a[role]) for role in ("source", "cue", "content"))
            known = [values.index(a[field]) if a.get(field) in values else IGNORE for field, values in LABELS.items()]
            if cue and a.get("stance"):
                words = claim_words((cue[0][0], cue[-1][1]), _places(source), _places(content), len(lowered))
                aim = set(re.findall(r"\w+", (a.get("attitude_target") or "").lower())) - EMPTY_WORDS
                meant = _pronouns_of(aim, doc, silver[row["id"]]) if aim and row["id"] in silver else set()
                claims.append(words)
                labels.append(known)
                marks.append(marks_of_claim(lowered, (cue[0][0], cue[-1][1]), _places(content), stated=bool(source), nested=a.get("parent") is not None))
                aims.append(np.array([lowered[i] in aim or doc[int(encoding.tokens[i])].idx in meant for i in words[0]], bool))
        if claims:
            out.append(StanceExample(encoding.vectors, claims, np.array(labels), aims, marks))
    return out


def _places(ranges: Sequence[tuple[int, int]]) -> np.ndarray:
    return np.array([i for start, end in ranges for i in range(start, end)], np.int64)


def _pronouns_of(aim: set[str], doc: Doc, silver: dict) -> set[int]:
    """Return where the pronouns begin that CoreNLP joins with a mention of which a word is in `aim`."""
    out: set[int] = set()
    for entity in silver["coref"]:
        spans = [(silver["tokens"][s][0], silver["tokens"][e - 1][1]) for s, e in entity]
        texts = [doc.text[s:e].lower() for s, e in spans]
        if any(t not in PRONOUNS and len(t) < 60 and aim & set(re.findall(r"\w+", t)) for t in texts):
            out |= {s for (s, _), t in zip(spans, texts, strict=True) if t in PRONOUNS}
    return out


def example_tensors(examples: Sequence[StanceExample]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Return the network's arguments for several articles together, their labels (C, fields) and aims (C, L)."""
    offsets = np.cumsum([0, *(len(e.vectors) for e in examples)])
    claims = [(places + offset, parts, distance) for e, offset in zip(examples, offsets, strict=False) for places, parts, distance in e.claims]
    places, parts, distances = pad_claims(claims)
    aims = np.zeros(places.shape, bool)
    for row, aim in enumerate(aim for e in examples for aim in e.aims):
        aims[row, : len(aim)] = aim
    arrays = {"words": np.concatenate([e.vectors for e in examples]), "places": places, "parts": parts, "offsets": distances, "marks": pad_marks([m for e in examples for m in e.marks])}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}, torch.from_numpy(np.concatenate([e.labels for e in examples])), torch.from_numpy(aims)


def train_stances(examples: Sequence[StanceExample], labels: LabelReader, config: StanceConfig) -> StanceReader:
    """Return the reader of labels, trained further on articles that are read as at run time."""
    torch.manual_seed(config.seed)
    network = fit_stances(StanceReader(deepcopy(labels)), examples, config)
    table = fit_wordings([m for e in examples for m in e.marks], np.concatenate([e.labels for e in examples]))
    with torch.no_grad():
        network.wording.weight.copy_(torch.from_numpy(table))
    return network


def fit_stances(network: StanceReader, examples: Sequence[StanceExample], config: StanceConfig) -> StanceReader:
    """Return the network after its rounds over the examples."""
    rng = np.random.default_rng(config.seed)
    network.train()
    weights = label_weights(np.concatenate([e.labels for e in examples]), config.rare)
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=config.rate, weight_decay=config.weight_decay)
    steps = config.epochs * -(-len(examples) // config.articles)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    for _ in range(config.epochs):
        order = rng.permutation(len(examples))
        for at in range(0, len(order), config.articles):
            tensors, gold, aims = example_tensors([examples[i] for i in order[at : at + config.articles]])
            scores, aim, _ = network(**{name: tensor for name, tensor in tensors.items() if name != "marks"})
            loss = label_loss(scores, gold, weights) + config.aim_weight * aim_loss(aim, aims)
            (loss / len(gold)).backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    return network.eval()


def export_stances(network: StanceReader, path: Path) -> None:
    """Write the reader of labels as an ONNX graph."""
    one = torch.zeros(2, 3, dtype=torch.long)
    inputs = {"words": torch.randn(4, WIDTH), "places": one, "parts": one, "offsets": one, "marks": torch.ones(2, 4, dtype=torch.long)}
    axes = {"words": {0: "w"}, **{name: {0: "c", 1: "l"} for name in ("places", "parts", "offsets")}, "marks": {0: "c", 1: "k"}, "labels": {0: "c"}, "aim": {0: "c", 1: "l"}, "reasons": {0: "c", 1: "l"}}
    export_module(network, inputs, ["labels", "aim", "reasons"], axes, path, quantize=False)


def fit_stance_confidence(network: StanceReader, examples: Sequence[StanceExample]) -> Calibration:
    """Return the calibration that turns a stance's probability into the chance that it is right."""
    tensors, labels, _ = example_tensors(examples)
    with torch.no_grad():
        best = torch.softmax(network(**tensors)[0][:, : len(LABELS["stance"])], 1).max(1)
    return fit_logit(best.values.numpy(), (best.indices == labels[:, 0]).numpy())
