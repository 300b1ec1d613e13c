"""Which figures of the other tables do the two summaries quote? One function per source, so that both say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from gold.frames import XAI_FEATURES, Frames


@dataclass(frozen=True)
class Quote:
    """One line of a summary; value None with a reason."""

    metric: str
    value: float | str | None
    n: int = 0
    reason: str | None = None


def best_learner(frames: Frames, protocol: str) -> pd.Series[Any] | str:
    """The row of the protocol's learner with the highest cross-validated AUROC (chosen without the test rows), or why there is none."""
    if "classifier_comparison" not in frames.built:
        return "classifier_comparison was not built before this table"
    found = frames.built["classifier_comparison"]
    mine = found[found["protocol"] == protocol]
    scored = mine.dropna(subset=["cv_auc_mean"])
    if len(scored):
        return scored.sort_values(["cv_auc_mean", "model"], ascending=[False, True]).iloc[0]
    reasons = mine["reason"].dropna()
    return str(reasons.iloc[0]) if len(reasons) else f"protocol {protocol} was not computed"


def strongest_feature(frames: Frames, scope: str) -> pd.Series[Any] | str:
    """The row of `xai_feature_ranking` ranked first in the scope among the metrics that all rows have, or why there is none.

    Those of a sub-sample are left out: the largest of several correlations over few examples is often chance.
    """
    if "xai_feature_ranking" not in frames.built:
        return "xai_feature_ranking was not built before this table"
    found = frames.built["xai_feature_ranking"]
    found = found[found["feature"].isin(XAI_FEATURES)]
    ranked = found[(found["scope"] == scope) & found["rank"].notna()]
    if len(ranked) == 0:
        reasons = found["reason"].dropna()
        return str(reasons.iloc[0]) if len(reasons) else "no explanation metric has a correlation"
    return ranked.sort_values(["rank", "feature"]).iloc[0]


def quoted(metric: str, row: pd.Series[Any] | str, column: str) -> Quote:
    """One column of a row as a quote; a row that is a reason gives a null with it."""
    if isinstance(row, str):
        return Quote(metric, None, 0, row)
    value = row[column]
    if pd.isna(value):
        return Quote(metric, None, int(row["n"]), str(row["reason"] or f"{column} is null"))
    return Quote(metric, value if isinstance(value, str) else float(value), int(row["n"]))
