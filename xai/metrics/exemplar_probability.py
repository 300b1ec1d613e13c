"""How much of the support of an answer does the likeliest training example hold?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from xai.records import Metric
from xai.units import PerExample

EXEMPLAR_PROBABILITY = Metric(
    "exemplar_probability", "provenance", "none", 0.0, 1.0, "share of all that could be named", "Provenance Networks (arXiv 2510.03361)"
)


def exemplar_probability(probability: Float[NDArray[np.floating], "*batch k"]) -> PerExample:
    """The share of the first of k named training examples among all that could be named; null (NaN) where nothing is (0)."""
    first = np.asarray(probability, dtype=np.float64)[..., 0]
    return np.asarray(np.where(first > 0, first, np.nan))
