"""What is scored beside the methods, so that a metric can be seen to tell them apart: noise, the wrong way round, the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy.typing import NDArray

from lake.identity import rng
from models.any_scoring import Included
from silver.settings import ExplanationSettings, MetricGroup
from xai.attribution import oracle, random, reverse

Attributions = dict[str, Float32[NDArray[np.float32], "batch units"]]


@dataclass(frozen=True)
class Known:
    """One adapter's attributions of some examples: method -> [batch, units], NaN for an example that `missing` names; methods that no
    example has are not there. `targets`: in the dataset's label order. `included`: which units are an example's own (None: all)."""

    ids: tuple[str, ...]
    attributions: Attributions
    missing: dict[str, Bool[NDArray[np.bool_], " batch"]]
    targets: Int64[NDArray[np.int64], " batch"]
    included: Included | None

    def lacking(self, method: str, first: str) -> Bool[NDArray[np.bool_], " batch"]:
        """The examples that have no attribution from which this row could be computed; `reverse` is made of the `first` method's."""
        return self.missing.get(first if method == "reverse" else method, np.zeros(len(self.ids), dtype=bool))


def with_controls(known: Known, group: MetricGroup, explanations: ExplanationSettings, truth: Included | None) -> Attributions:
    """The attributions and the group's controls. `reverse` turns the first method round, where some example has it.

    `oracle` is NaN, and its metrics so null, for an example whose truth is not known: nothing went wrong that would be a rejected row, and
    the row stands for the product of examples and methods.
    """
    made = dict(known.attributions)
    units = next(iter(made.values())).shape[1]
    first = known.attributions.get(explanations.methods[0])
    if "random" in group.controls:
        made["random"] = random([rng(explanations.seed, name, "random") for name in known.ids], units, known.included)
    if "reverse" in group.controls and first is not None:
        made["reverse"] = reverse(first, known.included)
    if "oracle" in group.controls and truth is not None:
        shares = oracle(truth, known.included)
        unknown = ~truth.any(axis=1, keepdims=True) & (True if known.included is None else known.included)
        made["oracle"] = np.where(unknown, np.float32(np.nan), shares)
    return made
