"""What do reliance and faithfulness make together, by the source's formula?

Never shown alone, and no side of it is better: the source reads a low score as a faithful explanation, yet it grows with reliance, which an
exact explanation has too. On y = x1 sin(x2) exact Shapley values have 0.707, a random vector 0.60 (METHODS 7).
"""

from __future__ import annotations

import numpy as np

from xai.records import Metric
from xai.units import PerExample

INVERSION_SCORE = Metric("inversion_score", "inversion", "none", 0.0, 1.0, "mean of R and 1 - F of order p", "IQ (arXiv 2504.08919)")


def inversion_score(reliance: PerExample, faithfulness: PerExample, p: float = 2.0) -> PerExample:
    """IS = [(R^p + (1 - F)^p) / 2]^(1/p), in [0, 1]; null where R or F is. Raises ValueError unless p > 0.

    The source reads a low score as a faithful explanation. It is none where R is high because the explanation is exact: show R, F and
    controls beside it. Source: IQ; p = 2, also 1.
    """
    if not p > 0:
        raise ValueError(f"p must be above 0, got {p}")
    return np.asarray(((reliance**p + (1.0 - faithfulness) ** p) / 2.0) ** (1.0 / p))
