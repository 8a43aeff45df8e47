"""The parts of the network that read what is meant: labels of claims, and which words mean the same entity.

Knows arrays, no Doc and no file. They read the word vectors of `network.Reader`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from accordingto.training.network import DISTANCES, IMPOSSIBLE, Reader, distance_bucket
from accordingto.wording import NOTHING, ROWS


@dataclass(frozen=True)
class LabelConfig:
    """The sizes of the reader of labels."""

    labels: int  # scores of all fields together
    parts: int  # of a claim that a word may belong to
    input_width: int = 384
    width: int = 160
    queries: int = 6
    inner: int = 256
    dropout: float = 0.2


class LabelReader(nn.Module):
    """Reads the labels of claims (stance, certainty, …) from the words that each claim covers, and which of them its attitude aims at."""

    def __init__(self, config: LabelConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.word = nn.Linear(config.input_width, width)
        self.part = nn.Embedding(config.parts, width)
        self.distance = nn.Embedding(2 * DISTANCES + 1, width)
        self.attend = nn.Linear(width, config.queries)
        self.claim = nn.Linear((config.queries + config.parts) * width, config.inner)
        self.labels = nn.Linear(config.inner, config.labels)
        self.aim_word = nn.Linear(width, width)
        self.aim_claim = nn.Linear(config.inner, width)
        self.aim = nn.Linear(width, 1)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, words: Tensor, places: Tensor, parts: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the labels' scores (C, labels) and each word's score as what the attitude aims at (C, L).

        words: (N, input_width); places: (C, L) rows of `words`; parts: (C, L) index into label.PARTS, -1 where no word is;
        offsets: (C, L) signed distance from the cue in words.
        """
        x = self.read_words(words, places, parts, offsets)
        return self.read_claims(x, parts)

    def read_words(self, words: Tensor, places: Tensor, parts: Tensor, offsets: Tensor) -> Tensor:
        """Return each claim's words as the claim sees them, (C, L, width), zero where no word is."""
        x = self.word(self.dropout(words))[places] + self.part(parts.clamp(min=0)) + self.distance(distance_bucket(offsets))
        return F.gelu(x) * (parts >= 0).unsqueeze(-1)

    def read_claims(self, x: Tensor, parts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of `forward` from `read_words`."""
        mask = parts >= 0
        shares = torch.softmax(self.attend(x).masked_fill(~mask.unsqueeze(-1), IMPOSSIBLE), 1)  # (C, L, queries)
        of_part = (parts.unsqueeze(-1) == torch.arange(self.config.parts, device=parts.device)).to(x.dtype)  # (C, L, parts)
        means = of_part / of_part.sum(1, keepdim=True).clamp(min=1)
        pooled = torch.cat([shares, means], -1).transpose(1, 2) @ x  # (C, queries + parts, width)
        claim = F.gelu(self.claim(self.dropout(pooled.flatten(1))))
        aim = self.aim(F.gelu(self.aim_word(x) + self.aim_claim(claim).unsqueeze(1))).squeeze(-1)
        return self.labels(self.dropout(claim)), aim.masked_fill(~mask, IMPOSSIBLE)


class StanceReader(nn.Module):
    """The reader of labels in its last shape: each label's score has a share from one word, which is the reason that is shown, and one from a linear model of the words."""

    def __init__(self, labels: LabelReader) -> None:
        super().__init__()
        self.labels = labels
        self.reason = nn.Linear(labels.config.width, labels.config.labels)
        nn.init.zeros_(self.reason.weight)
        nn.init.zeros_(self.reason.bias)
        self.wording = nn.Embedding(ROWS, labels.config.labels, padding_idx=NOTHING).requires_grad_(False)  # fitted for itself (wordings.py)
        nn.init.zeros_(self.wording.weight)

    def forward(self, words: Tensor, places: Tensor, parts: Tensor, offsets: Tensor, marks: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the labels' scores (C, labels), the aim's (C, L), and how much each word speaks for each label, (C, L, labels).

        The arguments are those of `LabelReader`; marks: (C, K) of `wording.marks_of_claim`. It is trained without them: each of the two learns as if it were alone.
        """
        x = self.labels.read_words(words, places, parts, offsets)
        scores, aim = self.labels.read_claims(x, parts)
        shares = self.reason(x).masked_fill((parts < 0).unsqueeze(-1), IMPOSSIBLE)  # (C, L, labels)
        scores = scores + shares.amax(1)
        return scores if marks is None else scores + self.wording(marks).sum(1), aim, shares


class Links(nn.Module):
    """Scores which words mean the same entity: a training signal for the encoder's vectors, and a feature of the speakers."""

    def __init__(self, width: int, link_width: int) -> None:
        super().__init__()
        self.mention = nn.Linear(width, link_width)
        self.other = nn.Linear(width, link_width)

    def forward(self, words: Tensor) -> Tensor:
        """Return the score of each pair of words, (B, W, W); words: (B, W, width)."""
        return self.mention(words) @ self.other(words).transpose(1, 2) / self.other.out_features**0.5


class Network(nn.Module):
    """All that a stage trains: the reader, and in the second stage what reads labels and coreference from its vectors."""

    def __init__(self, reader: Reader, labels: LabelReader | StanceReader | None = None, links: Links | None = None) -> None:
        super().__init__()
        self.reader, self.labels, self.links = reader, labels, links
