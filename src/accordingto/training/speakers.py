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

from accordingto.calibration import Calibration
from accordingto.document import WIDTH, encoding_of
from accordingto.evaluation import Row, same_speaker
from accordingto.label import SOURCE_KINDS
from accordingto.mention import PRONOUNS, find_names
from accordingto.situation import ARRAYS, FEATURES, Situation, Source, describe_situation
from accordingto.training.calibrate import fit_logit
from accordingto.training.corpus import gold_ranges
from accordingto.training.export import export_module
from accordingto.training.meaning import Links
from accordingto.training.network import IMPOSSIBLE

LINK_FEATURES = 5


@dataclass(frozen=True)
class SpeakerConfig:
    """The hyperparameters; chosen on dev."""

    seed: int = 1
    readers: int = 2  # whose scores are averaged
    shared: int = 32  # width in which vectors of source and mention are compared
    inner: int = 96
    dropout: float = 0.3
    vector_dropout: float = 0.5
    epochs: int = 10
    rate: float = 2e-3
    weight_decay: float = 0.1
    batch: int = 8  # articles
    kind_weight: float = 1.0


class PairReader(nn.Module):
    """Scores each pair of source and choice, and for each pair the kind that the source would be."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.source = nn.Linear(3 * WIDTH, config.shared)
        self.mention = nn.Linear(2 * WIDTH, config.shared)
        inputs = FEATURES + LINK_FEATURES
        self.pair = nn.Sequential(nn.Linear(3 * config.shared + inputs, config.inner), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(config.inner, config.inner), nn.GELU())
        self.score = nn.Linear(config.inner, 1)
        self.direct = nn.Linear(inputs, 1)
        self.kind = nn.Linear(config.inner, len(SOURCE_KINDS))
        self.dropout = nn.Dropout(config.vector_dropout)

    def forward(self, sources: Tensor, mentions: Tensor, pointer: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores (S, N) and kinds (S, N, 6); sources: (S, 3 * WIDTH), mentions: (M, 2 * WIDTH), given: (S, N, features)."""
        s = self.source(self.dropout(sources)).unsqueeze(1).expand(-1, pointer.shape[1], -1)  # (S, N, shared)
        m = self.mention(self.dropout(mentions))[pointer]  # (S, N, shared)
        hidden = self.pair(torch.cat([s, m, s * m, given], -1))
        return (self.score(hidden) + self.direct(given)).squeeze(-1), self.kind(hidden)


class SpeakerNetwork(nn.Module):
    """Several pair readers that differ by chance alone, whose scores are averaged: one of them changes its mind on a point of a hundred from seed to seed."""

    def __init__(self, config: SpeakerConfig, links: Links, gender: nn.Linear) -> None:
        super().__init__()
        self.links, self.gender = links.requires_grad_(False), gender.requires_grad_(False)  # trained before: links with the encoder
        self.readers = nn.ModuleList(PairReader(config) for _ in range(config.readers))

    def link(self, head: Tensor, mentions: Tensor, mention_heads: Tensor, member: Tensor, pointer: Tensor, features: Tensor) -> Tensor:
        """Return what links and gender say of each pair, (S, N, LINK_FEATURES); nothing in it is trained here."""
        link = self.links.mention(head) @ self.links.other(mention_heads).T / self.links.other.out_features**0.5  # (S, M)
        entity = member.amax(1)  # (N,) 0 for the own forms, which have no mentions of their own
        best = (link.unsqueeze(1) + (member - 1) * -IMPOSSIBLE).amax(2)  # (S, N)
        share = (torch.softmax(link, 1) @ member.T).clamp(min=1e-4).log()  # (S, N)
        near = link.gather(1, pointer)
        person = (member @ torch.tanh(self.gender(mentions))).squeeze(1) / member.sum(1).clamp(min=1)  # (N,) 1 he, -1 she
        pronoun = features[:, :, 0] - features[:, :, 1]
        return torch.stack([best / 8, share / 8, near / 8, pronoun * person, person * torch.ones_like(pronoun)], -1) * entity.view(1, -1, 1)

    def read(self, source: Tensor, head: Tensor, cue: Tensor, mentions: Tensor, mention_heads: Tensor, pointer: Tensor, possible: Tensor, features: Tensor, linked: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return each reader's log chances (S, N) and kinds (S, N, 6); the arguments are `Situation`'s arrays, and `link`'s."""
        sources, others, given = torch.cat([source, head, cue], -1), torch.cat([mentions, mention_heads], -1), torch.cat([features, linked], -1)
        read = [reader(sources, others, pointer, given) for reader in self.readers]
        return [(torch.log_softmax(scores + (possible - 1) * -IMPOSSIBLE, 1), kinds) for scores, kinds in read]

    def forward(self, **arrays: Tensor) -> tuple[Tensor, Tensor]:
        """Return the readers' mean log chances (S, N) and kinds (S, N, 6); the arguments are those of `read`."""
        scores, kinds = zip(*self.read(**arrays), strict=True)
        return torch.stack(scores).mean(0), torch.stack(kinds).mean(0)


@dataclass(frozen=True)
class SpeakerExample:
    """One labelled article: its situation, which choices name the gold speaker, and the gold kinds."""

    situation: Situation
    right: np.ndarray  # (S, N) bool
    kind: np.ndarray  # (S,) index into SOURCE_KINDS
    gold: list[Row]


def speaker_examples(gold: Sequence[Row], docs: Sequence[Doc]) -> list[SpeakerExample]:
    """Return the labelled articles among the gold with their marked sources; docs: the same articles with their encoding."""
    out = []
    for row, doc in zip(gold, docs, strict=True):
        sources, kept = _labelled_sources(row, doc)
        if not kept:
            continue
        encoding = encoding_of(doc)
        situation = describe_situation(doc, encoding, sources, find_names(doc, encoding))
        right = np.array([_right_choices(situation, i, a.get("speaker")) for i, a in enumerate(kept)], bool)
        out.append(SpeakerExample(situation, right & (situation.possible > 0), np.array([SOURCE_KINDS.index(a["source_kind"]) for a in kept]), kept))
    return out


def _right_choices(situation: Situation, source: int, speaker: str | None) -> list[bool]:
    """Return which choices name the gold speaker; of several people all, where a choice does."""
    names = [situation.name(source, k) for k in range(situation.pointer.shape[1])]
    right = [same_speaker(name, speaker) for name in names]
    whole = [yes and " and " in name for yes, name in zip(right, names, strict=True)]
    return whole if " and " in (speaker or "") and any(whole) else right


def _labelled_sources(row: Row, doc: Doc) -> tuple[list[Source], list[Row]]:
    """Return an article's marked sources whose speaker is labelled, and their attributions."""
    ranges = gold_ranges(doc)
    sources, kept = [], []
    for a in row["attributions"]:
        source, cue, content = (ranges(a[role]) for role in ("source", "cue", "content"))
        if source and cue and a.get("source_kind") in SOURCE_KINDS:
            parent = row["attributions"][a["parent"]] if a.get("parent") is not None else None
            above = ranges(parent["source"]) if parent else ()
            sources.append(Source(source[0], cue[0], content, above[0] if above else None, ranges(parent["content"]) if parent else ()))
            kept.append(a)
    return sources, kept


def situation_tensors(situation: Situation, network: SpeakerNetwork) -> dict[str, Tensor]:
    """Return the network's arguments."""
    arrays = {name: torch.from_numpy(getattr(situation, name)) for name in ARRAYS}
    with torch.no_grad():
        linked = network.link(**{name: arrays[name] for name in ("head", "mentions", "mention_heads", "member", "pointer", "features")})
    del arrays["member"]
    return arrays | {"linked": linked}


def gender_examples(doc: Doc, silver: dict) -> tuple[list[np.ndarray], list[float]]:
    """Return the vectors of the names of people that CoreNLP's coreference joins with *he* or with *she*, and 1 or -1 for each."""
    encoding = encoding_of(doc)
    start = np.array([doc[int(i)].idx for i in encoding.tokens])
    vectors, genders = [], []
    for entity in silver["coref"]:
        texts = [doc.text[silver["tokens"][s][0] : silver["tokens"][e - 1][1]].lower() for s, e in entity]
        he, she = (sum(PRONOUNS.get(text) == pronoun for text in texts) for pronoun in ("he", "she"))
        if bool(he) == bool(she):
            continue
        for s, e in entity:
            if all(kind == "PERSON" for kind in silver["ner"][s:e]):
                first, last = np.searchsorted(start, [silver["tokens"][s][0], silver["tokens"][e - 1][1]])
                if first < last:
                    vectors.append(encoding.vectors[first:last].mean(0))
                    genders.append(1.0 if he else -1.0)
    return vectors, genders


def train_gender(vectors: Sequence[np.ndarray], genders: Sequence[float]) -> nn.Linear:
    """Return the logistic regression from a name's vector to *he* (positive) or *she*."""
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=0.1, max_iter=1000, class_weight="balanced").fit(np.array(vectors), np.array(genders))
    out = nn.Linear(WIDTH, 1)
    with torch.no_grad():
        out.weight.copy_(torch.from_numpy(fit.coef_))
        out.bias.copy_(torch.from_numpy(fit.intercept_))
    return out


def train_speakers(examples: Sequence[SpeakerExample], config: SpeakerConfig, links: Links, gender: nn.Linear) -> SpeakerNetwork:
    """Return the trained scorer: the right choices together against all others, and the kind by the right choice."""
    torch.manual_seed(config.seed)
    return fit_speakers(SpeakerNetwork(config, links, gender), examples, config)


def fit_speakers(network: SpeakerNetwork, examples: Sequence[SpeakerExample], config: SpeakerConfig) -> SpeakerNetwork:
    """Return the network after its rounds over the examples."""
    rng = np.random.default_rng(config.seed)
    network.train()
    tensors = [situation_tensors(example.situation, network) for example in examples]
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=config.rate, weight_decay=config.weight_decay)
    steps = config.epochs * -(-len(examples) // config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    for _ in range(config.epochs):
        order = rng.permutation(len(examples))
        for at in range(0, len(order), config.batch):
            loss, count = torch.zeros(()), 0
            for i in order[at : at + config.batch]:
                loss = loss + _loss(network, tensors[i], examples[i], config)
                count += len(examples[i].gold)
            (loss / count).backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    return network.eval()


def _loss(network: SpeakerNetwork, tensors: dict[str, Tensor], example: SpeakerExample, config: SpeakerConfig) -> Tensor:
    right, kind = torch.from_numpy(example.right), torch.from_numpy(example.kind)
    known = right.any(1)
    loss = torch.zeros(())
    for chances, kinds in network.read(**tensors):  # each reader learns for itself
        among_right = chances.masked_fill(~right, -1e4)
        best = torch.where(known, among_right.argmax(1), 0)  # own words (0) where no choice is right
        loss = loss - torch.logsumexp(among_right, 1)[known].sum() + config.kind_weight * F.cross_entropy(kinds[torch.arange(len(best)), best], kind, reduction="sum")
    return loss


class _SpeakerGraph(nn.Module):
    """`Situation`'s arrays to scores (S, N) and kinds (S, N, 6)."""

    def __init__(self, network: SpeakerNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: Tensor, head: Tensor, cue: Tensor, mentions: Tensor, mention_heads: Tensor, member: Tensor, pointer: Tensor, possible: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        linked = self.network.link(head, mentions, mention_heads, member, pointer, features)
        return self.network(source=source, head=head, cue=cue, mentions=mentions, mention_heads=mention_heads, pointer=pointer, possible=possible, features=features, linked=linked)


def export_speakers(network: SpeakerNetwork, path: Path) -> None:
    """Write the scorer as an ONNX graph."""
    inputs = {
        **{name: torch.randn(2, WIDTH) for name in ("source", "head", "cue")}, **{name: torch.randn(5, WIDTH) for name in ("mentions", "mention_heads")},
        "member": torch.ones(4, 5), "pointer": torch.zeros(2, 4, dtype=torch.long), "possible": torch.ones(2, 4), "features": torch.zeros(2, 4, FEATURES),
    }  # fmt: skip
    pairs = {name: {0: "s", 1: "n"} for name in ("pointer", "possible", "features", "scores", "kinds")}
    axes = {**{name: {0: "s"} for name in ("source", "head", "cue")}, **{name: {0: "m"} for name in ("mentions", "mention_heads")}, "member": {0: "n", 1: "m"}, **pairs}
    export_module(_SpeakerGraph(network), inputs, ["scores", "kinds"], axes, path, quantize=False)


def fit_speaker_confidence(network: SpeakerNetwork, examples: Sequence[SpeakerExample]) -> Calibration:
    """Return the calibration that turns a choice's probability into the chance that it is right."""
    chances, right = [], []
    for example in examples:
        with torch.no_grad():
            scores = torch.softmax(network(**situation_tensors(example.situation, network))[0], 1)
        joined = example.situation.joined(scores.numpy())
        chances.append(joined.max(1))
        right.append(example.right[np.arange(len(joined)), joined.argmax(1)])
    return fit_logit(np.concatenate(chances), np.concatenate(right))
