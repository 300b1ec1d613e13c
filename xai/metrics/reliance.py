"""Does an explanation move with the model's output?

Explanatory inversion (IQ, arXiv 2504.08919) reads a high reliance as a story told after the fact; an exact explanation of a product has 1.
"""

from __future__ import annotations

import numpy as np

from xai.metrics.correlation import Distances, Output, Outputs, correlation, effects
from xai.records import Metric
from xai.units import PerExample

PAPER = "IQ (arXiv 2504.08919); METHODS 7"
RELIANCE = Metric("reliance", "inversion", "none", 0.0, 1.0, "|correlation| over pokes", PAPER)


def reliance(moved: Distances, output: Output, poked_output: Outputs, rank: bool = False) -> PerExample:
    """R = |correlation| over pokes of the explanation's movement and the output's, |M(x') - M(x)|; in [0, 1], it describes only.

    moved [..., pokes] from `movement`; output [...], poked_output [..., pokes]: M, one number per input, any unit. Pearson, or Spearman
    (`rank`, ties share their mean rank). Null (NaN) where the output does not move, for fewer than two pokes, and for what is not finite;
    0 where only the explanation stands still. "No spread" is below 1e-12 of the largest magnitude. Raises ValueError when shapes
    differ. Source: IQ. The absolute value, and 0 for an explanation that stands still, are ours (METHODS 7, 9).
    """
    sizes = effects(moved, output, poked_output)
    if rank:
        moved, sizes = _mean_ranks(moved), _mean_ranks(sizes)
    return np.abs(correlation(moved, sizes))


def _mean_ranks(values: Distances) -> Distances:
    """Ranks from 1 along the last axis, ties sharing their mean; NaN stays NaN."""
    from scipy.stats import rankdata

    return np.asarray(np.where(np.isfinite(values), rankdata(values, axis=-1), np.nan))
