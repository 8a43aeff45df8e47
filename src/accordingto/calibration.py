"""Calibrations: from the probability of a choice to the chance that it is right, as measured on dev."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

from accordingto.errors import ModelError


@dataclass(frozen=True)
class Calibration:
    """A logistic regression over the logit of a probability."""

    slope: float = 1.0
    constant: float = 0.0

    def __call__(self, chance: float) -> float:
        """Return the chance, rounded to four digits, that a choice of this probability is right."""
        clipped = min(max(chance, 1e-4), 1 - 1e-4)
        return round(1 / (1 + exp(-(self.slope * log(clipped / (1 - clipped)) + self.constant))), 4)


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write a calibration as JSON."""
    path.write_text(json.dumps({"confidence": [calibration.slope, calibration.constant]}) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> Calibration:
    """Return the calibration that a file holds; raises ModelError."""
    try:
        slope, constant = json.loads(path.read_text(encoding="utf-8"))["confidence"]
        return Calibration(float(slope), float(constant))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(path, str(error)) from error
