"""Which training examples does a network learn from, and name?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lake.identity import unit_interval
from models.provenance.slots import Positions


def stratified(labels: Positions, share: float, ids: Sequence[str], seed: int) -> Positions:
    """Positions int64[n], ascending: of every class the share rounded to whole examples, at least one, drawn by (seed, id). A smaller
    share's examples are among a larger one's, and an example's place in the order never depends on the others."""
    drawn = np.asarray([unit_interval(seed, "subset", one) for one in ids])
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = max(1, int(np.floor(share * len(members) + 0.5)))
        chosen.append(members[np.argsort(drawn[members], kind="stable")[:count]])
    return np.sort(np.concatenate(chosen))
