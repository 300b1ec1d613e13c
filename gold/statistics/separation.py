"""How well does a score tell two kinds of example apart, and how sure is that?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata


@dataclass(frozen=True)
class Separation:
    """What a score says of `n_in` and `n_out` examples; None, with `reason`, where it says nothing.

    `auroc`: chance that it is higher inside than outside, ties one half; in [0, 1], 0.5 knows nothing. `standard_error`: DeLong's.
    `fpr95`: share of the outside ones at or above the highest threshold that keeps 95 % of the inside ones; lower is better.
    """

    n_in: int
    n_out: int
    auroc: float | None = None
    standard_error: float | None = None
    fpr95: float | None = None
    reason: str | None = None


def separation(inside: npt.ArrayLike, outside: npt.ArrayLike) -> Separation:
    """A score, higher inside, of both kinds; what is not finite is left out.

    AUROC is Mann and Whitney's U over the pairs. Its standard error is that of DeLong, DeLong & Clarke-Pearson (1988), by the midranks of
    Sun & Xu (2014): the chance of which examples were drawn, for a model that stays. 0 where all pairs agree, which says nothing of chance;
    None below two examples of either kind.
    """
    kinds = [np.asarray(values, dtype=np.float64) for values in (inside, outside)]
    within, without = (values[np.isfinite(values)] for values in kinds)
    n_in, n_out = len(within), len(without)
    if not n_in or not n_out:
        return Separation(n_in, n_out, reason=f"no {'inside' if not n_in else 'outside'} example with a score")
    ranks = rankdata(np.concatenate([within, without]))
    below = (ranks[:n_in] - rankdata(within)) / n_out  # per inside example: the share of outside ones below it
    above = 1.0 - (ranks[n_in:] - rankdata(without)) / n_in  # per outside example: the share of inside ones above it
    keep = -(-95 * n_in // 100)  # the fewest that are 95 %; in whole numbers, for 0.95 is none of binary's
    error = float(np.sqrt(below.var(ddof=1) / n_in + above.var(ddof=1) / n_out)) if min(n_in, n_out) > 1 else None
    return Separation(
        n_in,
        n_out,
        auroc=float(below.mean()),
        standard_error=error,
        fpr95=float((without >= np.sort(within)[n_in - keep]).mean()),
        reason=None if error is not None else "a standard error needs two examples of either kind",
    )
