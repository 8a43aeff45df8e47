"""The decoding settings of a guideline, chosen and fitted on dev: the cue threshold, and the weights of the confidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from spacy.tokens import Doc

from accordingto.attribution import Attributions, confidence_features
from accordingto.calibration import Calibration
from accordingto.document import ROLES, attributions_of, encoding_of
from accordingto.evaluation import LABELS, Row, calibration_error, judge, score

Component = Callable[[Doc], Doc]
Examples = tuple[np.ndarray, np.ndarray]  # features (N, 4) of claims, and whether each is right (N,)

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)


def claim_rows(gold: Sequence[Row], docs: Sequence[Doc], component: Attributions, further: Sequence[Component] = ()) -> list[dict]:
    """Return the attributions of Docs as the rows that the scorer reads; with the labels and speakers of the further components."""
    rows = []
    for article, doc in zip(gold, docs, strict=True):
        found = component.predict([doc])[0]
        if further:
            component.set_annotations([doc], [found])
            for each in further:
                each(doc)
            found = attributions_of(doc)
        for a in found:
            spans = {role: {"spans": getattr(a, role)} for role in ROLES}
            labels = {field: getattr(a, field) for field in (*LABELS, "speaker", "attitude_target")}
            rows.append({"article_id": article["id"], "parent_id": None if a.parent is None else str(a.parent), "confidence": a.confidence, **spans, **labels})
    return rows


def calibrate_cues(gold: Sequence[Row], docs: Sequence[Doc], component: Attributions) -> None:
    """Choose the cue threshold of the Docs' guideline in the component's settings; the Docs are read already, sentences and all."""
    guideline = encoding_of(docs[0]).guideline
    start = component.settings[guideline]

    def value(threshold: float) -> float:
        component.settings[guideline] = replace(start, cue_threshold=threshold)
        figures = score(gold, claim_rows(gold, docs, component))
        return figures["cue_f1"] + figures["relation_f1"] + 0.5 * figures.get("nested_cue_f1", 0.0)  # nested ones are fewer

    component.settings[guideline] = replace(start, cue_threshold=max(THRESHOLDS, key=value))


def confidence_examples(gold: Sequence[Row], docs: Sequence[Doc], component: Attributions) -> Examples:
    """Return each claim's `confidence_features`, (N, 4), and whether it is right by `evaluation.judge`, (N,)."""
    features = np.array([confidence_features(r) for readings in component.read([encoding_of(doc) for doc in docs]) for r in readings]).reshape(-1, 4)
    return features, np.array([right for _, right in judge(gold, claim_rows(gold, docs, component))])


def fit_confidence(groups: Sequence[Examples]) -> list[float]:
    """Return the weights of a logistic regression from features to being right, the constant last; each group counts the same."""
    from sklearn.linear_model import LogisticRegression

    features, right = (np.concatenate([group[part] for group in groups]) for part in (0, 1))
    weight = np.concatenate([np.full(len(r), len(right) / len(groups) / max(1, len(r))) for _, r in groups])
    fit = LogisticRegression().fit(features[:, :-1], right, sample_weight=weight)  # the last feature is the constant, which it adds itself
    return [*fit.coef_[0].round(5).tolist(), round(float(fit.intercept_[0]), 5)]


def crossed_calibration_error(groups: Sequence[Sequence[Examples]], *, folds: int = 5) -> float:
    """Return the calibration error of confidences fitted on other articles than they are measured on; groups of articles."""
    judged: list[tuple[float, bool]] = []
    for fold in range(folds):
        rest = [[e for i, e in enumerate(group) if i % folds != fold and len(e[1])] for group in groups]
        weights = np.array(fit_confidence([(np.concatenate([f for f, _ in group]), np.concatenate([r for _, r in group])) for group in rest]))
        for features, right in (e for group in groups for i, e in enumerate(group) if i % folds == fold and len(e[1])):
            judged += zip((1 / (1 + np.exp(-features @ weights))).tolist(), right.tolist(), strict=True)
    return calibration_error(judged)


def fit_logit(chances: np.ndarray, right: np.ndarray) -> Calibration:
    """Return the logistic regression from the logit of a choice's probability, (N,), to its being right, (N,)."""
    from sklearn.linear_model import LogisticRegression

    clipped = np.clip(chances, 1e-4, 1 - 1e-4)
    fit = LogisticRegression().fit(np.log(clipped / (1 - clipped))[:, None], right)
    return Calibration(round(float(fit.coef_[0][0]), 5), round(float(fit.intercept_[0]), 5))
