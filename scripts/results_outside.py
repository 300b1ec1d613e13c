"""How well does each arm's doubt tell texts of no class apart? Rendered where the lake holds gold.out_of_scope, whatever its scores are."""

from __future__ import annotations

import pandas as pd
from docs_markdown import grid
from results_arms import setting_order
from results_numbers import with_error
from results_steering import OUTSIDE, Steering

from gold.steering.pairs import mean_of

HEAD = f"Texts of no class, which no adapter learned (`{OUTSIDE}`): "
NAMES = ("adapter_id", "dataset", "settings_id", "reason", "name")  # strings that tell no rows of one arm apart


def outside_section(steering: Steering) -> str:
    """Markdown: AUROC columns by arm and by what else the table tells apart, mean ± standard error over adapters; or that it has none."""
    frame = steering.outside
    if frame is None or frame.empty:
        return "Texts of no class: the lake judges none."
    scores = [name for name in frame.columns if name.startswith("auroc") and pd.api.types.is_numeric_dtype(frame[name])]
    if not scores:
        return f"{HEAD}the table holds no AUROC."
    joined = _with_arms(frame, steering.training)
    keys = [name for name in joined.columns if name not in NAMES and not pd.api.types.is_numeric_dtype(joined[name])]
    rows = []
    for key, part in joined.groupby(keys, sort=True, dropna=False):
        means = [mean_of(part[name].dropna().tolist()) for name in scores]
        rows.append([*map(str, key), *(with_error(found.mean, found.standard_error) for found in means), f"{len(part)}"])
    if "setting" in keys:
        rows.sort(key=lambda row: (setting_order(row[keys.index("setting")]), row))
    head = f"{HEAD}0.5 is chance, 1 tells all of them from the texts of meta. Mean ± standard error over adapters (all beta, masks)."
    return f"{head}\n\n{grid([*keys, *scores, 'adapters'], rows).rstrip()}"


def _with_arms(frame: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """Setting and arm in front, where the table has adapters and does not say so itself."""
    more = [name for name in ("setting", "priors") if name not in frame.columns]
    if "adapter_id" not in frame.columns or not more:
        return frame
    joined = training[["adapter_id", *more]].merge(frame, on="adapter_id", how="right")
    return joined.assign(**{name: joined[name].astype(object).where(joined[name].notna(), "no recipe") for name in more})
