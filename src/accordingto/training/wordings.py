"""The linear model of labels from words alone, beside the network: a logistic regression for each field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accordingto.label import LABELS
from accordingto.training.corpus import IGNORE
from accordingto.wording import ALWAYS, ROWS, SHARES

STRENGTH = 0.5  # C of the regressions, and
RARE = 0.25  # how much rare labels count (frequency to the power of -RARE): chosen on dev
LEANS: dict[tuple[str, str | bool], float] = {("attitude", "neutral"): -0.3}
"""What labels get on top. Two models that agree on *neutral* say it too often: without it 45.6 of 100 targets are named right on dev, with it 48, at an attitude of 65.5 instead of 66.1."""


def fit_wordings(marks: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Return what each number adds to each label's score, (ROWS, labels of all fields), shares included; marks: of the claims, labels: (C, fields) or IGNORE."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    ends = np.cumsum([0, *map(len, marks)])
    numbers = np.concatenate(marks)
    read = csr_matrix(((numbers != ALWAYS).astype(np.float32), numbers, ends), shape=(len(marks), ROWS))  # the regression has a constant of its own
    table, at = np.zeros((ROWS, sum(map(len, LABELS.values()))), np.float32), 0
    for field, (name, values) in enumerate(LABELS.items()):
        known = labels[:, field] != IGNORE
        gold = labels[known, field]
        if SHARES[name] and len(set(gold.tolist())) > 1:
            weights = np.bincount(gold, minlength=len(values)).clip(1) ** -RARE
            fit = LogisticRegression(C=STRENGTH, max_iter=100).fit(read[known], gold, sample_weight=weights[gold] / weights[gold].mean())
            both = len(fit.classes_) == 2  # scikit-learn gives one row for two labels
            rows, constants = (np.stack([-a[0] / 2, a[0] / 2]) if both else a for a in (fit.coef_, fit.intercept_))
            table[:, at + fit.classes_] = SHARES[name] * rows.T
            table[ALWAYS, at + fit.classes_] = SHARES[name] * constants
            table[ALWAYS, at : at + len(values)] += [LEANS.get((name, value), 0.0) for value in values]
        at += len(values)
    return table
