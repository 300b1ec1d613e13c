"""How spread out is the support of an answer over the training examples that are named for it?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from xai.records import Metric
from xai.units import PerExample

EXEMPLAR_ENTROPY = Metric(
    "exemplar_entropy", "provenance", "none", 0.0, 1.0, "share of log k", "Provenance Networks (arXiv 2510.03361), our reading"
)


def exemplar_entropy(probability: Float[NDArray[np.floating], "*batch k"]) -> PerExample:
    """H = -Σ p log p / log k over the k named training examples, p renormalised to sum 1: 0 one of them holds all, 1 all hold the same.

    A place that no example takes has p = 0 and counts in k. Null (NaN) for k = 1, without any example, and for a non-finite p.
    """
    p = np.asarray(probability, dtype=np.float64)
    total, k = p.sum(axis=-1), p.shape[-1]
    share = p / np.where(total > 0, total, np.nan)[..., None]
    nats = -(share * np.log(np.where(share > 0, share, np.where(np.isnan(share), np.nan, 1.0)))).sum(axis=-1)
    return np.asarray(np.clip(nats / (np.log(k) if k > 1 else np.nan), EXEMPLAR_ENTROPY.low, EXEMPLAR_ENTROPY.high))
