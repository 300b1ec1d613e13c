"""What do estimates without labels say of accuracy under shift? They need confidences on shifted inputs, which a forecast does not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gold.forecast.rows import SHIFTED, Bools
from gold.statistics.estimate import Floats


def average_thresholded_confidence(clean: Floats, correct: Bools, shifted: Floats) -> float | None:
    """Failure rate on shifted inputs by ATC (Garg et al. 2022): the share whose confidence lies below the threshold under which, on clean
    inputs, lies as large a share as is wrong there. In [0, 1]; None without rows on either side.
    """
    clean, correct, shifted = _known(clean, correct, shifted)
    if not len(clean) or not len(shifted):
        return None
    n_wrong = int((~correct).sum())
    if n_wrong == 0:
        return float(np.mean(shifted < clean.min()))
    if n_wrong == len(clean):
        return 1.0
    return float(np.mean(shifted < np.sort(clean)[n_wrong]))  # n_wrong clean confidences lie below it, where there are no ties


def difference_of_confidence(clean: Floats, correct: Bools, shifted: Floats) -> float | None:
    """Failure rate on shifted inputs by DoC (Guillory et al. 2021): the clean one plus the fall in mean confidence, cut to [0, 1]."""
    clean, correct, shifted = _known(clean, correct, shifted)
    if not len(clean) or not len(shifted):
        return None
    return float(np.clip(1.0 - correct.mean() + clean.mean() - shifted.mean(), 0.0, 1.0))


def _known(clean: Floats, correct: Bools, shifted: Floats) -> tuple[Floats, Bools, Floats]:
    """Without rows that have no confidence."""
    there = np.isfinite(clean)
    return clean[there], correct[there], shifted[np.isfinite(shifted)]


def rates(clean: pd.DataFrame, shifts: pd.DataFrame) -> list[dict[str, object]]:
    """Per adapter, corruption and severity the observed failure rate, `atc` and `doc`; clean and shifts as in gold.forecast.inputs."""
    sides = {str(name): rows for name, rows in clean.groupby("adapter_id")}
    found = []
    for (adapter, corruption, severity), rows in shifts.groupby(["adapter_id", "corruption", "severity"], sort=True):
        mine = sides.get(str(adapter))
        record = {
            "adapter_id": str(adapter),
            "corruption": str(corruption),
            "severity": int(severity),  # type: ignore[call-overload]  # a key of groupby is a Hashable to pandas' stubs
            "observed": 1.0 - float(rows["is_correct"].astype(bool).mean()),
            "atc": None,
            "doc": None,
        }
        if mine is not None:
            confidence, correct = mine["confidence"].to_numpy(dtype=np.float64), mine["clean_correct"].to_numpy(dtype=np.bool_)
            shifted = rows[SHIFTED].to_numpy(dtype=np.float64)
            record["atc"] = average_thresholded_confidence(confidence, correct, shifted)
            record["doc"] = difference_of_confidence(confidence, correct, shifted)
        found.append(record)
    return found
