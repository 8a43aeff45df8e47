"""The network: one encoder over wordpieces, and the heads that read attributions from its words.

Knows arrays, no Doc and no file. `Reader.encode` and `Reader.read_roles` are the two graphs that are exported.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROLE_TAGS = ("O", "B-source", "I-source", "B-content", "I-content")
CUE_TAGS = ("O", "B", "I")
IMPOSSIBLE = -1e4  # the score of a tag sequence that cannot be: an inside without its beginning


@dataclass(frozen=True)
class NetworkConfig:
    """The sizes; those of the encoder are all-MiniLM-L6-v2's."""

    vocabulary: int = 30522
    positions: int = 512
    width: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1536
    dropout: float = 0.1
    shapes: int = 16  # word features (window.py); one more each for [CLS] and [SEP]
    gaps: int = 3
    guidelines: int = 2  # habits of marking: PolNeAR's annotators, the steady ones of LABELS.md
    role_width: int = 128  # per cue and word, so it is paid for some eight times a window
    role_layers: int = 3  # convolutions of width 3 with gaps 1, 2, 4: each word sees 7 words to either side
    entities: int = 9  # B and I of four classes of names, and O
    relations: int = 48  # dependency labels (a training signal only)
    tags: int = 48  # parts of speech (a training signal only)
    arc_width: int = 64


class EncoderLayer(nn.Module):
    """One layer of BERT, post-norm, with the three projections of attention in one matrix."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attend_in = nn.Linear(config.width, 3 * config.width)
        self.attend_out = nn.Linear(config.width, config.width)
        self.attend_norm = nn.LayerNorm(config.width, eps=1e-12)
        self.inner = nn.Linear(config.width, config.inner)
        self.outer = nn.Linear(config.inner, config.width)
        self.norm = nn.LayerNorm(config.width, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the layer's vectors, (B, P, width); mask: (B, 1, 1, P) true where a wordpiece stands."""
        batch, length, width = x.shape
        parts = self.attend_in(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (B, heads, P, width / heads) each
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        read = read.transpose(1, 2).reshape(batch, length, width)  # (B, P, width)
        x = self.attend_norm(x + self.dropout(self.attend_out(read)))
        return self.norm(x + self.dropout(self.outer(F.gelu(self.inner(x)))))


class Reader(nn.Module):
    """Encoder, heads over words (sentence starts, cues, names), and the role head over pairs of cue and word."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width, role = config.width, config.role_width
        self.config = config
        self.piece = nn.Embedding(config.vocabulary, width)
        self.position = nn.Embedding(config.positions, width)
        self.segment = nn.Parameter(torch.zeros(width))
        self.shape = nn.Embedding(config.shapes + 1, width)
        self.gap = nn.Embedding(config.gaps + 1, width)
        self.quoted = nn.Embedding(3, width)
        self.guideline = nn.Embedding(config.guidelines, width)
        self.embedding_norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        for features in (self.shape, self.gap, self.quoted, self.guideline):
            nn.init.normal_(features.weight, std=0.01)  # small: the start weights know nothing of them

        self.sentence = nn.Linear(width, 1)
        self.entity = nn.Linear(width, config.entities)
        self.cue = nn.Sequential(nn.Linear(width, width // 2), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(width // 2, len(CUE_TAGS)))

        self.role_word = nn.Linear(width, role)
        self.role_cue = nn.Linear(width, role)
        self.role_gate = nn.Linear(width, role)
        self.role_cue_tags = nn.Linear(len(CUE_TAGS), role, bias=False)
        self.role_distance = nn.Embedding(2 * DISTANCES + 1, role)
        self.role_between = nn.Linear(4, role, bias=False)
        self.role_mix = nn.ModuleList(nn.Conv1d(role, role, 3, padding=2**i, dilation=2**i) for i in range(config.role_layers))
        self.role_norm = nn.ModuleList(nn.LayerNorm(role) for _ in range(config.role_layers))
        self.role_out = nn.Linear(role, len(ROLE_TAGS))
        self.transitions = nn.Parameter(torch.zeros(len(ROLE_TAGS), len(ROLE_TAGS)))

        # Syntax, from silver parses: a training signal that teaches the encoder where phrases end; not exported.
        self.tag = nn.Linear(width, config.tags)
        self.relation = nn.Linear(width, config.relations)
        self.arc_head = nn.Linear(width, config.arc_width)
        self.arc_child = nn.Linear(width, config.arc_width)

    def encode(self, pieces: Tensor, shape: Tensor, gap: Tensor, quoted: Tensor, first_piece: Tensor, guideline: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the words' vectors, (B, W, width).

        pieces, shape, gap, quoted: (B, P), or pieces their vectors already, (B, P, width); first_piece: (B, W) the place of each word's first wordpiece; guideline: (B,);
        mask: (B, 1, 1, P) true where a wordpiece stands, None where all do.
        """
        place = torch.arange(pieces.shape[1], device=pieces.device)
        x = (pieces if pieces.is_floating_point() else self.piece(pieces)) + self.position(place) + self.segment
        x = x + self.shape(shape) + self.gap(gap) + self.quoted(quoted) + self.guideline(guideline).unsqueeze(1)
        x = self.dropout(self.embedding_norm(x))
        for layer in self.layers:
            x = layer(x, mask)
        return torch.gather(x, 1, first_piece.unsqueeze(-1).expand(-1, -1, x.shape[-1]))  # (B, W, width)

    def read_words(self, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the scores of sentence starts (B, W), of cue tags (B, W, 3) and of names (B, W, 9)."""
        return self.sentence(words).squeeze(-1), self.cue(words), self.entity(words)

    def read_roles(self, words: Tensor, cue_scores: Tensor, sentence_scores: Tensor, lines: Tensor, window: Tensor, cues: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the role scores of each cue's words, (C, W, 5).

        words: (B, W, width); cue_scores: (B, W, 3); sentence_scores: (B, W); lines: (B, W) 1 where a paragraph begins;
        window: (C,) the cue's row of the batch; cues: (C, 2) word ranges [start, end); mask: (C, W) 1 for words, None where all are.
        """
        place = torch.arange(words.shape[1], device=words.device)
        start, end = cues[:, :1], cues[:, 1:]
        in_cue = (place >= start) & (place < end)  # (C, W)
        share = in_cue.to(words.dtype) / (end - start).to(words.dtype)
        cue_mean = (share.unsqueeze(1) @ words[window]).squeeze(1)  # (C, width)
        offset = torch.where(place < start, place - start, torch.where(in_cue, torch.zeros_like(place), place - end + 1))
        between = between_features(sentence_scores[window], lines[window], start)

        base = self.role_word(words) + self.role_cue_tags(torch.softmax(cue_scores, -1))  # (B, W, R)
        x = base[window] + self.role_cue(cue_mean).unsqueeze(1) + self.role_distance(distance_bucket(offset)) + self.role_between(between)
        x = F.gelu(x) * torch.sigmoid(self.role_gate(cue_mean)).unsqueeze(1)  # (C, W, R)
        for mix, norm in zip(self.role_mix, self.role_norm, strict=True):
            x = x if mask is None else x * mask.unsqueeze(-1)  # as the zeros beyond the end of a window that stands alone
            x = norm(x + F.gelu(_mixed(x, mix)))
        return self.role_out(x)

    def score_arcs(self, words: Tensor) -> Tensor:
        """Return for each word the score of each word as its head, (B, W, W)."""
        return self.arc_child(words) @ self.arc_head(words).transpose(1, 2) / self.config.arc_width**0.5


def _mixed(x: Tensor, mix: nn.Module) -> Tensor:
    """Return a convolution of width 3 over the words, (C, W, R), as one matrix product: onnxruntime computes that in int8."""
    assert isinstance(mix, nn.Conv1d)
    assert mix.bias is not None
    gap = int(mix.dilation[0])
    wide = F.pad(x, (0, 0, gap, gap))  # (C, W + 2 gap, R)
    length = x.shape[1]
    three = torch.cat([wide[:, :length], x, wide[:, 2 * gap :]], -1)  # (C, W, 3 R)
    return three @ mix.weight.permute(2, 1, 0).flatten(0, 1) + mix.bias


DISTANCES = 16  # buckets to either side of the cue


def distance_bucket(offset: Tensor) -> Tensor:
    """Return the bucket, 0 to 2 * DISTANCES, of a signed distance in words: exact up to 8, then logarithmic; 0 is the cue itself -> DISTANCES."""
    size = offset.abs()
    far = 8 + torch.floor(torch.log2(size.clamp(min=8).float() / 8) * 2).long()
    bucket = torch.where(size <= 8, size, far.clamp(min=9)).clamp(max=DISTANCES)
    return DISTANCES + torch.sign(offset) * bucket


def between_features(sentence_scores: Tensor, lines: Tensor, cue_start: Tensor) -> Tensor:
    """Return what lies between a cue and each word, (C, W, 4): sentences and paragraphs, signed up to 3, and 1 where none.

    sentence_scores: (C, W) of the cue's window; lines: (C, W) 1 where a paragraph begins; cue_start: (C, 1) the cue's first word.
    """
    parts = []
    for starts in (torch.sigmoid(sentence_scores), lines.to(sentence_scores.dtype)):
        count = starts.cumsum(-1)
        gap = count - count.gather(1, cue_start)  # (C, W)
        parts += [gap.clamp(-3, 3) / 3, torch.exp(-2 * gap.abs())]
    return torch.stack(parts, -1)


def allowed_transitions() -> tuple[Tensor, Tensor]:
    """Return which role tag may follow which, (5, 5) scores of 0 or IMPOSSIBLE, and which may begin, (5,)."""
    follow, begin = torch.zeros(len(ROLE_TAGS), len(ROLE_TAGS)), torch.zeros(len(ROLE_TAGS))
    for j, tag in enumerate(ROLE_TAGS):
        if tag.startswith("I-"):
            begin[j] = IMPOSSIBLE
            for i, before in enumerate(ROLE_TAGS):
                if before[2:] != tag[2:]:
                    follow[i, j] = IMPOSSIBLE
    return follow, begin


def sequence_loss(scores: Tensor, tags: Tensor, mask: Tensor, transitions: Tensor) -> Tensor:
    """Return the negative log-likelihood of each cue's tag sequence under a linear-chain CRF, (C,).

    scores: (C, W, 5); tags: (C, W); mask: (C, W) true for words, which come first in each row; transitions: (5, 5) learned.
    """
    follow, begin = allowed_transitions()
    follow = follow + transitions
    total = scores[:, 0] + begin  # (C, 5) log of the summed sequences that end in each tag
    for t in range(1, scores.shape[1]):
        step = torch.logsumexp(total.unsqueeze(2) + follow, 1) + scores[:, t]
        total = torch.where(mask[:, t : t + 1], step, total)
    gold = scores.gather(2, tags.unsqueeze(2)).squeeze(2)  # (C, W)
    moves = follow[tags[:, :-1], tags[:, 1:]]  # (C, W - 1)
    return torch.logsumexp(total, 1) - (gold * mask).sum(1) - (moves * mask[:, 1:]).sum(1)
