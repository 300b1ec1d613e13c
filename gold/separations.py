"""Which scores of an answer may tell inputs of the dataset's classes from inputs of none, and how well does each?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from gold.statistics import Separation, separation

# column of silver.predictions -> 1 where the higher value is the surer one, else -1
SCORES: Mapping[str, int] = {"confidence": 1, "margin": 1, "softmax_entropy": -1, "energy": -1, "pnorm_logit": 1}
FIGURES = ("n_in", "n_out", "auroc", "standard_error", "fpr95", "reason")
SEPARATIONS = ("adapter_id", "score", *FIGURES)
DDL = "adapter_id string, score string, n_in long, n_out long, auroc double, standard_error double, fpr95 double, reason string"


def separations(inside: pd.DataFrame, outside: pd.DataFrame) -> dict[str, Separation]:
    """Score -> how well it is surer inside, for the scores that both frames have (a row per example)."""
    shared = [score for score in SCORES if score in inside.columns and score in outside.columns]
    return {score: separation(SCORES[score] * inside[score], SCORES[score] * outside[score]) for score in shared}


def of_adapter(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one adapter (adapter_id, is_outside, scores), one per example -> `SEPARATIONS`, one row per score."""
    found = separations(rows[~rows["is_outside"]], rows[rows["is_outside"]])
    records = [{"adapter_id": rows["adapter_id"].iloc[0], "score": score, **asdict(one)} for score, one in found.items()]
    return pd.DataFrame(records, columns=list(SEPARATIONS))
