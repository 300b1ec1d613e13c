"""Does a clean explanation metric go together with being correct under corruption, over all rows and within adapters?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gold.design import ORDER, codes, numbers
from gold.frames import INVERSION_FEATURES, METRICS, PROVENANCE_FEATURES, Frames
from gold.settings import GoldSettings
from gold.statistics import (
    clustered_pearson_interval,
    cohens_d,
    contrast,
    effect_size_label,
    pearson,
    point_biserial,
    separation_ratio,
    spearman,
)
from gold.statistics.contrast import LABELS
from gold.statistics.estimate import Codes, Floats
from gold.table import TAIL, GoldTable, as_table, count, share, signed
from lake.identity import rng
from lake.spec import DATASET, Column, Table

SCOPES = ("pooled", "within_adapter")

SPEC = Table(
    layer="gold",
    name="correlations",
    comment="a clean metric against is_correct under corruption; within_adapter takes out what differs between adapters (Simpson)",
    key=("dataset", "method", "feature", "scope"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("method", "string", "attribution whose metrics are the features; of group provenance the head"),
        Column(
            "feature",
            "string",
            "metric of the clean input; of group inversion, where it is asked for, of the examples of its sub-sample alone (n_examples)",
            allowed=(*METRICS, *INVERSION_FEATURES, *PROVENANCE_FEATURES),
        ),
        Column("scope", "string", "pooled: all rows; within_adapter: both columns centred in their adapter", allowed=SCOPES),
        signed("pearson_r", "Pearson's r of feature and is_correct"),
        share("pearson_p", "its two-sided p-value for independent rows (KI); rows of one example are not, so it is too small"),
        signed("pearson_ci_low", "lower end of the interval of pearson_r: bootstrap over examples"),
        signed("pearson_ci_high", "upper end of the interval of pearson_r: bootstrap over examples"),
        signed("spearman_r", "Spearman's rho; within adapters the ranks are those inside the adapter"),
        share("spearman_p", "its two-sided p-value for independent rows"),
        signed("point_biserial_r", "point-biserial r, equal to pearson_r; stored because the study does"),
        share("point_biserial_p", "its two-sided p-value for independent rows"),
        Column("cohens_d", "double", "(mean correct - mean wrong) / pooled sd; positive = higher where correct", unit="sd"),
        Column("separation_ratio", "double", "|difference of means| / (sd correct + sd wrong), what KI's values follow", low=0.0),
        Column("separation_ratio_pooled", "double", "|difference of means| / pooled sd, KI's prose", low=0.0),
        Column("effect_size_label", "string", "KI's word for |d|: < 0.2 negligible, < 0.5 small, < 0.8 medium, else large", allowed=LABELS),
        Column("mean_correct", "double", "mean of the feature where correct; within adapters adjusted to the grand mean"),
        Column("mean_wrong", "double", "mean of the feature where wrong; within adapters adjusted to the grand mean"),
        Column("std_correct", "double", "sample sd where correct; within adapters inside (adapter, correctness)", low=0.0),
        Column("std_wrong", "double", "sample sd where wrong; within adapters inside (adapter, correctness)", low=0.0),
        count("n_examples", "examples among the rows"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """Two rows per metric. Rows without the metric are left out of its figures; n says how many stayed."""
    rows = frames.rows.sort_values(ORDER, ignore_index=True)
    examples, adapters = codes(rows["example_id"]), codes(rows["adapter_id"])
    correct = numbers(rows["is_correct"])
    records = []
    own = ((frames.settings.method, name, name) for name in METRICS)
    for method, feature, column in (*own, *frames.parted):
        values = numbers(rows[column])
        keep = np.isfinite(values)
        for scope, groups in zip(SCOPES, (None, adapters[keep]), strict=True):
            found = associations(values[keep], correct[keep], examples[keep], groups, frames.settings)
            records.append({"method": method, "feature": feature, "scope": scope, **found})
    return as_table(SPEC, frames.dataset, records)


def associations(values: Floats, correct: Floats, examples: Codes, groups: Codes | None, settings: GoldSettings) -> dict[str, object]:
    """The figures of one feature in one scope; null with the reasons where they do not exist or fewer than min_n examples carry them."""
    n_examples = len(np.unique(examples))
    figures: dict[str, object] = {column.name: None for column in SPEC.columns[4:]} | {"n": len(values), "n_examples": n_examples}
    del figures["settings_id"]
    if n_examples < settings.min_n:
        return figures | {"reason": f"{n_examples} examples with this metric; at least {settings.min_n} are needed"}
    r, rho, biserial = pearson(values, correct, groups), spearman(values, correct, groups), point_biserial(correct, values, groups)
    generator = rng(settings.seed, "", "gold", "correlations")
    ends = clustered_pearson_interval(values, correct, examples, groups, settings.bootstrap_resamples, settings.confidence_level, generator)
    spread, d, ratio = contrast(values, correct, groups), cohens_d(values, correct, groups), separation_ratio(values, correct, groups)
    reasons = dict.fromkeys(part for part in (r.reason, rho.reason, spread.reason, d.reason) if part)
    return figures | {
        "pearson_r": r.value, "pearson_p": r.p_value, "pearson_ci_low": ends.low, "pearson_ci_high": ends.high,
        "spearman_r": rho.value, "spearman_p": rho.p_value, "point_biserial_r": biserial.value, "point_biserial_p": biserial.p_value,
        "cohens_d": d.value, "separation_ratio": ratio.value, "separation_ratio_pooled": None if d.value is None else abs(d.value),
        "effect_size_label": effect_size_label(d.value), "mean_correct": spread.mean_correct, "mean_wrong": spread.mean_wrong,
        "std_correct": spread.std_correct, "std_wrong": spread.std_wrong, "reason": "; ".join(reasons) or None,
    }  # fmt: skip


TABLE = GoldTable(SPEC, build, needs_rows=True)
