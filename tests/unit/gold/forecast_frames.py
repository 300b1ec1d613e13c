"""Small rows of forecasts by hand, and settings under which they are judged in a second."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gold.forecast.rows import Rows, rows_of
from gold.forecast.settings import BoostedSettings, ForecastSettings

FEW_TREES = BoostedSettings(trees=20, patience=5, depth=3, learning_rate=0.3, bins=16)
SMALL = ForecastSettings(resamples=40, n_folds=3, held_out_folds=8, crossed_folds=2, boosted=FEW_TREES)


def settings(**given: Any) -> ForecastSettings:
    return SMALL.model_copy(update=given)


def keys(examples: int, adapters: int, cells: list[tuple[str, int]]) -> pd.DataFrame:
    """Every example under every adapter in every cell, in the order of their keys: e00 a0 first cell, e00 a0 second cell, …"""
    rows = [(f"e{e:02d}", f"a{a}", *cell) for e in range(examples) for a in range(adapters) for cell in sorted(cells)]
    return pd.DataFrame(rows, columns=["example_id", "adapter_id", "corruption", "severity"])


def grid(
    examples: int = 30, adapters: int = 3, cells: tuple[tuple[str, int], ...] = (("blur", 1), ("noise", 1)), seed: int = 0
) -> pd.DataFrame:
    """Rows of two features that know something of failure and one that does not: confidence, one explanation metric, and the ceiling."""
    generator, frame = np.random.default_rng(seed), keys(examples, adapters, list(cells))
    pairs = frame["example_id"] + frame["adapter_id"]
    _, code = np.unique(pairs, return_inverse=True)
    signal, metric = generator.standard_normal((2, len(set(pairs))))
    logit = signal[code] + metric[code]
    frame["is_correct"] = generator.random(len(frame)) < 1 / (1 + np.exp(-logit))
    frame["confidence"], frame["xai__lime__ranking__deletion"] = signal[code], metric[code]
    frame["xai__lime__ranking__gini"] = generator.standard_normal(len(set(pairs)))[code]
    frame["shifted_confidence"] = logit + generator.standard_normal(len(frame))
    return frame


def rows(frame: pd.DataFrame | None = None, **given: Any) -> Rows:
    return rows_of(grid() if frame is None else frame, settings(**given))
