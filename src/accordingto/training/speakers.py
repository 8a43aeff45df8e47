"""The trained scorer of speakers: on the finished encoder, from the labelled articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from spacy.tokens import Doc
from torch import Tensor, nn
from torch.nn import functional as F

from accordingto.document import WIDTH, encoding_of
from accordingto.evaluation import Row, same_speaker
from accordingto.mention import find_names
from accordingto.situation import FEATURES, Situation, Source, describe_situation
from accordingto.speaker import SOURCE_KINDS
from accordingto.training.corpus import word_finder
from accordingto.training.export import export_module
from accordingto.window import Words


@dataclass(frozen=True)
class SpeakerConfig:
    """The hyperparameters; chosen on dev."""

    seed: int = 1
    shared: int = 64  # width in which vectors of source and mention are compared
    inner: int = 96
    dropout: float = 0.2
    epochs: int = 14
    rate: float = 2e-3
    weight_decay: float = 0.02
    batch: int = 8  # articles
    kind_weight: float = 0.5


class SpeakerNetwork(nn.Module):
    """Scores each pair of source and candidate, and for each pair the kind that the source would be."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.source = nn.Linear(2 * WIDTH, config.shared)
        self.mention = nn.Linear(WIDTH, config.shared)
        self.pair = nn.Sequential(nn.Linear(3 * config.shared + FEATURES, config.inner), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(config.inner, config.inner), nn.GELU())
        self.score = nn.Linear(config.inner, 1)
        self.kind = nn.Linear(config.inner, len(SOURCE_KINDS))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, source: Tensor, cue: Tensor, mentions: Tensor, pointer: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores (S, K + 1) and kinds (S, K + 1, 6); the arguments are `Situation`'s arrays."""
        s = self.source(self.dropout(torch.cat([source, cue], -1))).unsqueeze(1).expand(-1, pointer.shape[1], -1)  # (S, K + 1, shared)
        m = self.mention(self.dropout(mentions))[pointer]  # (S, K + 1, shared)
        hidden = self.pair(torch.cat([s, m, s * m, features], -1))
        return self.score(hidden).squeeze(-1), self.kind(hidden)


@dataclass(frozen=True)
class SpeakerExample:
    """One labelled article: its situation, which choices name the gold speaker, and the gold kinds."""

    situation: Situation
    right: np.ndarray  # (S, K + 1) bool
    kind: np.ndarray  # (S,) index into SOURCE_KINDS
    gold: list[Row]


def speaker_examples(gold: Sequence[Row], docs: Sequence[Doc]) -> list[SpeakerExample]:
    """Return the labelled articles among the gold with their marked sources; docs: the same articles with their encoding."""
    out = []
    for row, doc in zip(gold, docs, strict=True):
        situation, kept = _labelled_sources(row, doc)
        right = [[same_speaker(situation.name(i, k), a.get("speaker")) for k in range(len(situation.candidates) + 1)] for i, a in enumerate(kept)]
        if kept:
            out.append(SpeakerExample(situation, np.array(right, bool), np.array([SOURCE_KINDS.index(a["source_kind"]) for a in kept]), kept))
    return out


def _labelled_sources(row: Row, doc: Doc) -> tuple[Situation, list[Row]]:
    """Return the situation of an article's marked sources whose speaker is labelled, and their attributions."""
    encoding = encoding_of(doc)
    start = np.array([doc[int(i)].idx for i in encoding.tokens])
    end = np.array([doc[int(i)].idx + len(doc[int(i)]) for i in encoding.tokens])
    empty = np.zeros(len(start), np.int64)
    inside = word_finder(Words(encoding.tokens, start, end, (), empty, empty, empty))

    def ranges(spans: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
        found = [inside(span) for span in spans]
        return tuple((places[0], places[-1] + 1) for places in found if places)

    sources, kept = [], []
    for a in row["attributions"]:
        source, cue, content = (ranges(a[role]) for role in ("source", "cue", "content"))
        if source and cue and a.get("source_kind") in SOURCE_KINDS:
            parent = row["attributions"][a["parent"]] if a.get("parent") is not None else None
            above = ranges(parent["source"]) if parent else ()
            sources.append(Source(source[0], cue[0], content, above[0] if above else None, ranges(parent["content"]) if parent else ()))
            kept.append(a)
    return describe_situation(doc, encoding, sources, find_names(doc, encoding)), kept


def situation_tensors(situation: Situation) -> dict[str, Tensor]:
    """Return the network's arguments."""
    return {name: torch.from_numpy(getattr(situation, name)) for name in ("source", "cue", "mentions", "pointer", "features")}


def train_speakers(examples: Sequence[SpeakerExample], config: SpeakerConfig) -> SpeakerNetwork:
    """Return the trained scorer: the right choices together against all others, and the kind by the right choice."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    network = SpeakerNetwork(config)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=config.weight_decay)
    steps = config.epochs * -(-len(examples) // config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    for _ in range(config.epochs):
        order = rng.permutation(len(examples))
        for at in range(0, len(order), config.batch):
            loss, count = torch.zeros(()), 0
            for i in order[at : at + config.batch]:
                loss = loss + _loss(network, examples[i], config)
                count += len(examples[i].gold)
            (loss / count).backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    return network.eval()


def _loss(network: SpeakerNetwork, example: SpeakerExample, config: SpeakerConfig) -> Tensor:
    scores, kinds = network(**situation_tensors(example.situation))
    right = torch.from_numpy(example.right)
    known = right.any(1)
    gold = torch.logsumexp(scores.masked_fill(~right, -1e4), 1)
    choice = torch.logsumexp(scores, 1) - gold
    best = scores.masked_fill(~right, -1e4).argmax(1)  # own words (0) where no choice is right
    by_choice = kinds[torch.arange(len(best)), torch.where(known, best, 0)]
    return choice[known].sum() + config.kind_weight * F.cross_entropy(by_choice, torch.from_numpy(example.kind), reduction="sum")


def export_speakers(network: SpeakerNetwork, path: Path) -> None:
    """Write the scorer as an ONNX graph."""
    inputs = {
        "source": torch.randn(2, WIDTH), "cue": torch.randn(2, WIDTH), "mentions": torch.randn(4, WIDTH),
        "pointer": torch.zeros(2, 3, dtype=torch.long), "features": torch.zeros(2, 3, FEATURES),
    }  # fmt: skip
    axes = {"source": {0: "s"}, "cue": {0: "s"}, "mentions": {0: "m"}, "pointer": {0: "s", 1: "k"}, "features": {0: "s", 1: "k"}}
    export_module(network, inputs, ["scores", "kinds"], axes, path, quantize=False)


def fit_speaker_confidence(network: SpeakerNetwork, examples: Sequence[SpeakerExample]) -> list[float]:
    """Return slope and constant of the logistic regression from the logit of a choice's probability to its being right."""
    from sklearn.linear_model import LogisticRegression

    logits, right = [], []
    for example in examples:
        with torch.no_grad():
            chances = torch.softmax(network(**situation_tensors(example.situation))[0], 1).clamp(1e-4, 1 - 1e-4)
        best = chances.argmax(1)
        logits.append(torch.logit(chances.gather(1, best.unsqueeze(1))).numpy())
        right.append(example.right[np.arange(len(best)), best.numpy()])
    fit = LogisticRegression().fit(np.concatenate(logits), np.concatenate(right))
    return [round(float(fit.coef_[0][0]), 5), round(float(fit.intercept_[0]), 5)]
