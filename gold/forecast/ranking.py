"""In which order do rows stand by risk inside their fold, and which of them tie? Found once, whatever the weights are later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gold.statistics.estimate import Codes, Floats

Numbers = TypeVar("Numbers", Codes, Floats)


@dataclass(frozen=True)
class Ranking:
    """n rows by (stratum, risk), the least risky first; rows of one stratum and one risk are one tie.

    order int64[n]: row positions. ends int64[ties + 1]: how many ordered rows there are up to the end of each tie, from 0.
    starts int64[strata + 1]: the first tie of each stratum, and the number of ties. names int64[strata]: the strata, ascending.
    """

    order: Codes
    ends: Codes
    starts: Codes
    names: Codes

    def running(self, ordered: Numbers) -> Numbers:
        """Sums of `ordered` (one value per ordered row) up to the end of each tie, from 0: [ties + 1], over all strata.

        Integers stay integers: exact, and ten times as fast as the sum of floats.
        """
        total = np.zeros(len(ordered) + 1, dtype=ordered.dtype)
        np.cumsum(ordered, out=total[1:])
        return total if len(total) == len(self.ends) else total.take(self.ends)


def ranking(risk: Floats, strata: Codes) -> Ranking:
    """risk float[n] finite, strata int[n]."""
    order = np.lexsort((risk, strata))
    stratum, value = strata[order], risk[order]
    new_stratum = stratum[1:] != stratum[:-1]
    ends = np.flatnonzero(np.r_[True, new_stratum | (value[1:] != value[:-1]), True]) if len(order) else np.zeros(1, dtype=np.int64)
    first_rows = np.flatnonzero(np.r_[True, new_stratum]) if len(order) else np.zeros(0, dtype=np.int64)
    return Ranking(order, ends, np.searchsorted(ends, np.append(first_rows, len(order))).astype(np.int64), stratum[first_rows])
