"""Where does the last layer's CLS token look?"""

from __future__ import annotations

import numpy as np

from xai.records import Method
from xai.units import Attended, BatchIncluded, BatchUnits32, included_or_all

METHOD = Method(
    name="attention",
    modalities=("image", "text"),
    category="attention",
    needs="attention",
    unit="share of the CLS token's attention",
    paper="KI (Knowledge Injection via XAI: Predicting OOD Robustness)",
    direction="size",
    forwards="1",
)


def attention(weights: Attended, n_prefix: int, included: BatchIncluded | None = None) -> BatchUnits32:
    """Share of the CLS row's attention that each unit gets: mean over heads, prefix left out, renormalised to sum 1; in [0, 1].

    `weights` is the CLS row of the last layer after softmax; the first `n_prefix` tokens (CLS, registers) are no units.
    `included` [batch, units] leaves out padding and further special tokens, which get 0. An example whose units get no
    attention at all stays all-zero, which the metrics read as uniform. Non-finite weights give non-finite shares, never 0.
    Raises ValueError when no unit is left behind the prefix. Source: KI; sums are taken in float64.
    """
    if weights.ndim != 3 or not 0 <= n_prefix < weights.shape[-1]:
        raise ValueError(
            f"attention: weights must be [batch, heads, tokens] with more tokens than n_prefix={n_prefix}, got {weights.shape}; "
            "hand over the CLS row of the last layer and the number of tokens before the first unit"
        )
    to_units = weights.astype(np.float64).mean(axis=1)[:, n_prefix:]
    to_units = np.where(included_or_all(to_units, included), to_units, 0.0)
    total = to_units.sum(axis=-1, keepdims=True)
    shares: BatchUnits32 = np.divide(to_units, total, out=to_units, where=total != 0.0).astype(np.float32)
    return shares
