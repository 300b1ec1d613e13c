"""How much p(target) is lost when one unit alone is hidden?"""

from __future__ import annotations

import numpy as np

from xai.estimate import Estimate
from xai.masks import one_hidden
from xai.records import Method
from xai.units import BatchIncluded
from xai.value import Value, evaluated

METHOD = Method(
    name="occlusion",
    modalities=("image", "text"),
    category="perturbation",
    needs="value",
    unit="difference of p(target)",
    paper="Zeiler and Fergus 2014",
    direction="signed",
    forwards="N + 1",
)


def occlusion(value: Value, included: BatchIncluded) -> Estimate:
    """p(x) - p(x without unit j), in [-1, 1]: positive where the unit speaks for the target; 0 on excluded units, error 0.

    `value` fixes target and baseline. An example's masks beyond its own units repeat the intact input, which a deduplicated value
    answers for free. An example with a non-finite p is NaN, never 0. One unit at a time: a pair that says the same thing hides each
    other, and both get 0. Raises ValueError when an example has no unit. Source: Zeiler and Fergus 2014, a patch per unit.
    """
    if included.ndim != 2 or not included.any(axis=1).all():
        raise ValueError(f"occlusion needs included[batch, units] with at least one unit per example, got {included.shape}; reject others")
    p = evaluated(value, one_hidden(included))
    known = np.asarray(np.isfinite(p).all(axis=1))
    safe = np.where(known[:, None], p, 0.0)
    values = np.where(included, np.where(known[:, None], safe[:, :1] - safe[:, 1:], np.nan), 0.0)
    unknown = np.where(known, 0.0, np.nan)
    return Estimate(values, np.where(included, unknown[:, None], 0.0), unknown).single()
