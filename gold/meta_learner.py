"""How well do explanation metrics of the clean input forecast whether the corrupted one is answered correctly?

KI's experiment (METHODS 4), with the three baselines it must be read against (4.1): always the majority, which adapter it is, and the
plain confidence on the clean input, all on the same test rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gold.design import Design
from gold.learners import Learner, fit
from gold.protocols import GROUPED, Protocol, Split, folds, holdout, obstacle
from gold.scores import (
    Ordered,
    auroc,
    auroc_within,
    brier,
    clustered_auroc_interval,
    confusion,
)
from gold.settings import GoldSettings
from gold.statistics.estimate import Codes, Floats
from lake.identity import rng


@dataclass(frozen=True)
class Evaluation:
    """One learner under one protocol. All shares in [0, 1], positive class = correct, threshold 0.5; `reason` explains nulls."""

    n: int
    n_incomplete: int
    base_rate: float | None = None
    n_train: int | None = None
    n_test: int | None = None
    accuracy: float | None = None
    roc_auc: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    auc_within_adapter: float | None = None
    f1: float | None = None
    precision: float | None = None
    recall: float | None = None
    specificity: float | None = None
    brier: float | None = None
    avg_precision: float | None = None
    cv_auc_mean: float | None = None
    cv_auc_std: float | None = None
    tp: int | None = None
    tn: int | None = None
    fp: int | None = None
    fn: int | None = None
    majority_accuracy: float | None = None
    confidence_auc: float | None = None
    adapter_auc: float | None = None
    reason: str | None = None


def evaluate(data: Design, learner: Learner, protocol: Protocol, settings: GoldSettings) -> Evaluation:
    """Fit on the training side, score the test side once; cross-validate inside the training side, so the test rows choose nothing.

    Never raises for poor data: with one class or too few rows every figure is null and `reason` says why.
    """
    base_rate = float(data.correct.mean()) if len(data) else None
    sides = split(data, protocol, settings)
    if isinstance(sides, str):
        return Evaluation(len(data), data.n_incomplete, base_rate, reason=sides)
    train, test = sides
    forecast = fit(learner, data.x[train], data.correct[train], settings).probability(data.x[test])
    truth, ordered = data.correct[test], Ordered(forecast, data.correct[test])
    counts = confusion(forecast, truth)
    generator = rng(settings.seed, "", "gold", "auroc", protocol.name)
    clusters, level = data.examples[test], settings.confidence_level
    ends = clustered_auroc_interval(forecast, truth, clusters, settings.bootstrap_resamples, level, generator)
    cv_mean, cv_std, cv_reason = cross_validated(data, train, learner, protocol, settings)
    one_class = "the test rows hold one class only" if ordered.auroc() is None else None
    return Evaluation(
        n=len(data), n_incomplete=data.n_incomplete, base_rate=base_rate, n_train=len(train), n_test=len(test),
        accuracy=counts.accuracy, roc_auc=ordered.auroc(), ci_low=ends.low, ci_high=ends.high,
        auc_within_adapter=auroc_within(forecast, truth, data.adapters[test]),
        f1=counts.f1, precision=counts.precision, recall=counts.recall, specificity=counts.specificity,
        brier=brier(forecast, truth), avg_precision=ordered.average_precision(), cv_auc_mean=cv_mean, cv_auc_std=cv_std,
        tp=counts.tp, tn=counts.tn, fp=counts.fp, fn=counts.fn,
        majority_accuracy=float(np.mean(truth == (data.correct[train].mean() >= 0.5))),
        confidence_auc=auroc(data.confidence[test], truth),
        adapter_auc=auroc(adapter_score(data, train)[test], truth),
        reason="; ".join(part for part in (one_class, ends.reason, cv_reason) if part) or None,
    )  # fmt: skip


def split(data: Design, protocol: Protocol, settings: GoldSettings) -> Split | str:
    """Row positions (train, test) with both classes in train, or why the dataset cannot be split so under the protocol."""
    if not data.features:
        return "no row has an explanation metric"
    parts = round(1.0 / settings.test_share) if protocol is GROUPED else 2
    if reason := obstacle(protocol, data.correct, data.examples, parts, settings.min_n):
        return reason
    if protocol is not GROUPED and len(data) * settings.test_share < 2:  # scikit-learn stratifies no test of fewer rows than classes
        return f"a test share of {settings.test_share} of {len(data)} rows is less than one row per class"
    train, test = holdout(protocol, data.correct, data.examples, settings)
    if data.correct[train].all() or not data.correct[train].any():  # folds of groups balance classes only as far as groups allow
        return "the training rows hold one class only"
    return train, test


def cross_validated(
    data: Design, train: Codes, learner: Learner, protocol: Protocol, settings: GoldSettings
) -> tuple[float | None, float | None, str | None]:
    """Mean and population sd (KI) of the AUROC over the folds of the training side, and why it is null.

    A fold whose rows hold one class has no AUROC and is left out; its number is said in the reason.
    """
    correct, examples = data.correct[train], data.examples[train]
    if reason := obstacle(protocol, correct, examples, settings.n_folds, settings.min_n):
        return None, None, f"cross-validation: {reason}"
    found = []
    for inner, outer in folds(protocol, correct, examples, settings, settings.n_folds):
        if 0 < correct[inner].sum() < len(inner):
            model = fit(learner, data.x[train[inner]], correct[inner], settings)
            found.append(auroc(model.probability(data.x[train[outer]]), correct[outer]))
    values = [value for value in found if value is not None]
    missing = settings.n_folds - len(values)
    reason = f"cross-validation: {missing} of {settings.n_folds} folds hold one class only" if missing else None
    return (float(np.mean(values)), float(np.std(values)), reason) if values else (None, None, reason)


def adapter_score(data: Design, train: Codes) -> Floats:
    """Per row the accuracy of its adapter over the training rows; the overall one for an adapter not seen there. float64[n]."""
    size = int(data.adapters.max()) + 1
    seen = np.bincount(data.adapters[train], minlength=size)
    right = np.bincount(data.adapters[train], weights=data.correct[train], minlength=size)
    overall = data.correct[train].mean()
    return np.where(seen > 0, right / np.maximum(seen, 1), overall)[data.adapters]
