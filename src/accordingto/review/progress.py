"""Progress: how far a review is, and how precise the pipeline was on what was decided so far."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.959964  # of a normal distribution: 95 of 100 intervals hold the true share


@dataclass(frozen=True)
class Progress:
    """Counts of a run's claims; those that reviewers added are told apart, for they say nothing of the pipeline's precision."""

    total: int
    accepted: int
    rejected: int
    unsure: int
    conflicting: int
    added: int
    sampled: bool = False  # whether those that are decided are as good as drawn by lot

    @property
    def done(self) -> int:
        """Claims with a decision."""
        return self.accepted + self.rejected + self.unsure

    @property
    def left(self) -> int:
        """Claims without one."""
        return self.total - self.done

    @property
    def precision(self) -> tuple[float, float, float] | None:
        """Share of accepted ones among those accepted or rejected, with its 95 % interval; None before the first."""
        decided = self.accepted + self.rejected
        return (self.accepted / decided, *wilson_interval(self.accepted, decided)) if decided else None


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, which holds for few trials and near 0 and 1 too.

    Wilson 1927. 8 of 10  ->  0.490, 0.943
    """
    share, weight = successes / trials, Z * Z / trials
    centre = (share + weight / 2) / (1 + weight)
    half = Z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(0.0, centre - half), min(1.0, centre + half)
