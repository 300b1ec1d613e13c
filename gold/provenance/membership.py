"""How well does a network's answer give away which examples it was trained on? A leak of privacy as much as a feature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gold.scores import Ordered
from gold.statistics import Interval, cluster_counts, percentile_interval
from gold.statistics.estimate import Codes

NEAR_ONE = 0.9  # AUC from which the sentence speaks of a network that tells members from others


@dataclass(frozen=True)
class Membership:
    """What a score, higher for members, tells of `n_members` training examples and `n_others` others.

    `auc`: chance that a member scores above another, ties one half; in [0, 1], 0.5 tells nothing. `tpr`: the largest share of members that
    some threshold finds while it takes at most `fpr` of the others for members; in [0, 1].
    """

    n_members: int
    n_others: int
    fpr: float
    auc: float
    auc_interval: Interval
    tpr: float
    tpr_interval: Interval


def membership(
    members: npt.ArrayLike, others: npt.ArrayLike, resamples: int, rng: np.random.Generator, fpr: float = 0.01, level: float = 0.95
) -> Membership:
    """Both figures, each with the central `level` of a percentile bootstrap that draws members and others apart.

    That interval is the chance of which examples were asked, for a network that stays; it is [1, 1] where all pairs agree, which says
    nothing of chance. Raises ValueError on scores that are not finite, or without examples of either kind.
    """
    kinds = [np.asarray(values, dtype=np.float64) for values in (members, others)]
    ordered = Ordered(np.concatenate(kinds), np.repeat([True, False], [len(values) for values in kinds]))
    auc = ordered.auroc()
    if auc is None:
        raise ValueError(f"membership needs members and others, found {len(kinds[0])} and {len(kinds[1])} scores")
    weights = _resampled(len(kinds[0]), len(kinds[1]), resamples, rng)
    draws = [(ordered.auroc(weight), true_positive_rate(ordered, fpr, weight)) for weight in weights]
    areas, rates = (percentile_interval(np.array([draw[place] for draw in draws], dtype=np.float64), level) for place in (0, 1))
    return Membership(len(kinds[0]), len(kinds[1]), fpr, auc, areas, true_positive_rate(ordered, fpr), rates)


def true_positive_rate(ordered: Ordered, fpr: float, weight: Codes | None = None) -> float:
    """The largest true positive rate of the ROC's own points with a false positive rate of at most `fpr`: nothing is interpolated, and
    equal scores are taken together. 0 where already the highest score is above it. `weight` as in `Ordered.auroc`."""
    counted = np.ones(len(ordered.order)) if weight is None else weight[ordered.order].astype(np.float64)
    found, false = (np.cumsum(np.bincount(ordered.level, counted * kind)[::-1]) for kind in (ordered.correct, ~ordered.correct))
    return float(found[false / false[-1] <= fpr].max(initial=0.0) / found[-1])


def privacy_sentence(network: Membership, plain: Membership) -> str:
    """What the figures of a provenance network mean for those whose examples it was trained on, beside those of the plain classifier."""
    return (
        f"Ranking examples by the provenance network's answer tells training examples from others with {_figures(network)}, "
        f"against {_figures(plain)} on the plain classifier; {_verdict(network, plain)}."
    )


def _figures(of: Membership) -> str:
    area = "no interval" if of.auc_interval.low is None else f"{of.auc_interval.low:.3f} to {of.auc_interval.high:.3f}"
    return f"AUC {of.auc:.3f} ({area}) and finds {100 * of.tpr:.1f} % of them at {100 * of.fpr:g} % false alarms"


def _verdict(network: Membership, plain: Membership) -> str:
    low, high = _ends(network)
    if high < 0.5:
        return "training examples score lower than others, which an attacker can turn round: it is a privacy leak"
    if low <= 0.5:
        return "no leak was seen with this attack, which does not mean that there is none"
    leak = "an AUC near 1 is a privacy leak as much as a feature" if network.auc >= NEAR_ONE else "an AUC above 0.5 is a privacy leak"
    return f"{leak}, and {_already(network, plain)}"


def _already(network: Membership, plain: Membership) -> str:
    """Only where the network leaks: how much of that is the plain classifier's?"""
    low, high = _ends(plain)
    if low <= 0.5:
        return "the plain classifier leaks nothing that this attack can see"
    if high >= _ends(network)[0]:
        return "more than the plain classifier leaks already was not shown"
    return f"the plain classifier leaks {100 * (plain.auc - 0.5) / (network.auc - 0.5):.0f} % of it already (AUC above 0.5)"


def _ends(of: Membership) -> tuple[float, float]:
    low, high = of.auc_interval.low, of.auc_interval.high
    return (of.auc if low is None else low), (of.auc if high is None else high)


def _resampled(n_members: int, n_others: int, resamples: int, rng: np.random.Generator) -> Iterator[Codes]:
    for pair in zip(cluster_counts(n_members, resamples, rng), cluster_counts(n_others, resamples, rng), strict=True):
        yield np.concatenate(pair)
