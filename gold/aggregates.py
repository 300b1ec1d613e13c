"""What do the counts say? Sums of `cells` by any key, and the accuracies, drops and intervals that follow from them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gold.frames import CLEAN
from gold.statistics import wilson

_COUNTS = ["n", "n_correct", "n_flipped"]


def summed(cells: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """n, n_correct, n_flipped, accuracy (share of n) and flip_rate per key. Cells with n = 0 are left out.

    flip_rate is a share of the rows that have a clean counterpart, null where none has: cells of the user's own shifted data, whose
    n_flipped is null, have none.
    """
    known, counts = cells["n_flipped"].notna(), [*_COUNTS, "n_paired"]
    filled = cells.assign(n_flipped=cells["n_flipped"].where(known, 0), n_paired=cells["n"].where(known, 0))
    counted = filled.astype(dict.fromkeys(counts, "int64"))
    totals = counted[counted["n"] > 0].groupby(list(keys), as_index=False)[counts].sum()
    totals = totals.assign(accuracy=totals["n_correct"] / totals["n"], flip_rate=totals["n_flipped"] / totals["n_paired"])
    return totals.drop(columns="n_paired")


def unpaired(row: Mapping[Hashable, Any]) -> list[str]:
    """Why a row of one corruption has no flip rate, as a list of reasons; empty where it has one."""
    return ["no clean counterpart, so no flip rate"] if pd.isna(row["flip_rate"]) else []


def clean(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of unchanged inputs."""
    return cells[cells["corruption"] == CLEAN]


def corrupted(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of changed inputs."""
    return cells[cells["corruption"] != CLEAN]


def clean_accuracy(cells: pd.DataFrame) -> pd.DataFrame:
    """adapter_id, clean_accuracy, n_examples (clean rows: one per example) per adapter that has a clean cell."""
    totals = summed(clean(cells), ["adapter_id"])
    return totals.rename(columns={"accuracy": "clean_accuracy", "n": "n_examples"})[["adapter_id", "clean_accuracy", "n_examples"]]


def with_wilson(frame: pd.DataFrame, level: float, trials: str = "n") -> pd.DataFrame:
    """The frame with ci_low and ci_high of `accuracy`, resting on `trials` independent ones; null where either is null."""
    known = frame["accuracy"].notna() & frame[trials].notna()
    pairs = zip(frame["accuracy"].where(known, 0.0), frame[trials].where(known, 0), strict=True)
    ends = [wilson(float(share) * float(n), float(n), level) for share, n in pairs]
    lows, highs = (np.array(side, dtype=np.float64) for side in ([end.low for end in ends], [end.high for end in ends]))
    return frame.assign(ci_low=lows, ci_high=highs)


def update_scale(adapters: pd.DataFrame) -> pd.Series[Any]:
    """What multiplies the low-rank product: alpha / sqrt(rank) with rsLoRA, else alpha / rank; null where either is null or rank is 0.

    Rounded to 6 decimals, so that equal recipes fall into one group.
    """
    rank, alpha = (pd.to_numeric(adapters[name], errors="raise").astype("float64") for name in ("rank", "alpha"))
    rooted = adapters["use_rslora"].map(lambda value: bool(value) if pd.notna(value) else False).astype(bool)
    scale = alpha / rank.where(rank > 0).pow(0.5).where(rooted, rank.where(rank > 0))
    return scale.round(6)
