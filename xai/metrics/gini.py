"""How few units does an explanation rest on?"""

from __future__ import annotations

import numpy as np

from xai.metrics.shares import shares
from xai.records import Metric
from xai.units import Attribution, Included, PerExample, included_or_all

SPARSITY = Metric("sparsity", "complexity", "none", 0.0, 1.0, "Gini coefficient", "KI")


def gini(attribution: Attribution, included: Included | None = None) -> PerExample:
    """S = 1 - (2/N) Σ_i (N - i + 0.5) p_(i), shares p ascending: 0 all units hold the same, 1 - 1/N one holds all; describes only.

    The metric `sparsity`. 0 on an all-zero map (uniform; KI's code gives 1) and for N = 1; null (NaN) for a non-finite attribution.
    One value per leading axis; a single 1-D attribution gives one number. Source: KI.
    """
    ascending = np.sort(shares(attribution, included), axis=-1)
    n_units = included_or_all(ascending, included).sum(axis=-1)
    # Excluded places are zeros at the front: they hold nothing, and counting places from the back makes i that of the units alone.
    from_back = np.arange(ascending.shape[-1], 0, -1) - 0.5
    return np.asarray(np.clip(1.0 - 2.0 / n_units * (ascending * from_back).sum(axis=-1), SPARSITY.low, SPARSITY.high))
