"""Which rows and columns does the meta-learner see? The complete rows of the dataset, in an order no partition can change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gold.frames import XAI_FEATURES
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats

ORDER = ["example_id", "adapter_id", "corruption", "severity"]


@dataclass(frozen=True)
class Design:
    """The learning problem: one row per (example, adapter, corruption, severity) with all its features.

    x float64[n, f] clean explanation metrics; correct bool[n] of the corrupted input (the positive class); examples, adapters int64[n]
    codes; confidence float64[n] of the clean input (may be NaN); features names the columns of x; n_incomplete rows were left out.
    """

    x: Floats
    correct: Bools
    examples: Codes
    adapters: Codes
    confidence: Floats
    features: tuple[str, ...]
    n_incomplete: int

    def __len__(self) -> int:
        return len(self.correct)


def design(rows: pd.DataFrame, wanted: tuple[str, ...] = XAI_FEATURES) -> Design:
    """The complete rows, sorted by key. A feature null in every row is left out; a row lacking any other feature is too."""
    ordered = rows.sort_values(ORDER, ignore_index=True)
    values = {name: numbers(ordered[name]) for name in wanted}
    features = tuple(name for name in wanted if np.isfinite(values[name]).any())
    x = np.column_stack([values[name] for name in features]) if features else np.zeros((len(ordered), 0))
    keep = np.isfinite(x).all(axis=1) if features else np.zeros(len(ordered), dtype=np.bool_)
    kept = ordered[keep]
    return Design(
        x=x[keep],
        correct=kept["is_correct"].to_numpy(dtype=np.bool_),
        examples=codes(kept["example_id"]),
        adapters=codes(kept["adapter_id"]),
        confidence=numbers(kept["confidence"]),
        features=features,
        n_incomplete=int((~keep).sum()),
    )


def numbers(column: pd.Series[Any]) -> Floats:
    """The column as float64, null as NaN."""
    return pd.to_numeric(column, errors="raise").to_numpy(dtype=np.float64, na_value=np.nan)


def codes(column: pd.Series[Any]) -> Codes:
    """The column's values as codes 0.. in sorted order."""
    return np.asarray(pd.factorize(column, sort=True)[0], dtype=np.int64)
