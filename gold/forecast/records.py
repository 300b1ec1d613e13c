"""What do all records of a regime say alike?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gold.forecast.regimes import Regime
from gold.forecast.rows import Rows
from gold.forecast.run_regime import Key

Record = dict[str, object]


def name_of(key: Key) -> str:
    """A feature set and a learner in one word, for reasons that people read."""
    return " by ".join(key)


def shared(rows: Rows, regime: Regime) -> Record:
    """What was held out, and how much there is."""
    return {
        "protocol": regime.name,
        "leaky": regime.leaky,
        "n_examples": len(np.unique(rows.examples)),
        "n_adapters": len(rows.adapter_ids),
        "n": len(rows),
    }


def left_out(found: Mapping[str, str]) -> str | None:
    """Each name with why, sorted; None without any."""
    return "; ".join(f"{name}: {why}" for name, why in sorted(found.items())) or None
