"""How strongly do two columns go together, over all rows or within groups?

Within groups both columns are centred in their group first, so that what differs *between* groups (adapters) cannot make a
correlation (Simpson: KI's entropy has r = -0.167 over all rows and +0.011 within adapters). The group means cost one degree
of freedom each. p-values are KI's: two-sided, for independent rows. Rows of one example are not independent, so they are too small;
`clustered_pearson_interval` is the honest companion.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtr

from gold.statistics.estimate import Estimate, Floats, Pairs, complete_pairs, has_spread


def pearson(x: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Estimate:
    """Pearson's r in [-1, 1] over the finite pairs and its p-value (t with n - n_groups - 1 degrees of freedom).

    Null with a reason below 3 pairs or without spread inside any group. With one group equal to `scipy.stats.pearsonr`.
    """
    return _correlation(complete_pairs(x, y, groups))


def spearman(x: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Estimate:
    """Spearman's rho in [-1, 1]: `pearson` of the ranks, ties sharing their mean rank.

    Ranks are taken inside each group and divided by its size: ranks over all centred values would let groups that differ in
    skewness correlate although nothing does inside them. With one group equal to `scipy.stats.spearmanr`.
    """
    pairs = complete_pairs(x, y, groups)
    return _correlation(Pairs(_ranks(pairs.x, pairs), _ranks(pairs.y, pairs), pairs.groups, pairs.n_groups))


def point_biserial(outcome: npt.ArrayLike, x: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Estimate:
    """Point-biserial r in [-1, 1] of a 0/1 outcome and x: Pearson's r by another name, stored because KI does.

    Raises ValueError when the outcome holds anything but 0 and 1.
    """
    values = np.asarray(outcome, dtype=np.float64)
    if not np.isin(values, (0.0, 1.0)).all():
        raise ValueError("the outcome of a point-biserial correlation must be 0 or 1 (False or True); pass is_correct")
    return pearson(x, values, groups)


def _ranks(values: Floats, pairs: Pairs) -> Floats:
    return np.asarray(pd.Series(values).groupby(pairs.groups).rank(method="average", pct=True), dtype=np.float64)


def _correlation(pairs: Pairs) -> Estimate:
    n = len(pairs.x)
    freedom = n - pairs.n_groups - 1
    if freedom < 1:
        return Estimate(reason=f"{n} complete pairs in {pairs.n_groups} groups; a correlation needs at least groups + 2")
    x, y = pairs.centred(pairs.x), pairs.centred(pairs.y)
    for name, centred, values in (("feature", x, pairs.x), ("outcome", y, pairs.y)):
        if not has_spread(centred, values):
            return Estimate(reason=f"the {name} is constant")
    r = float(np.clip((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)), -1.0, 1.0))
    return Estimate(r, _p_value(r, freedom))


def _p_value(r: float, freedom: int) -> float:
    if abs(r) == 1.0:
        return 0.0
    return float(2.0 * stdtr(freedom, -abs(r) * np.sqrt(freedom / (1.0 - r * r))))
