"""What does gold say, on one screen, for a person?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

import pandas as pd

from gold.forecast.settings import REGIME_NAMES
from gold.forecast.tables.forecast_verdict import SPEC as FORECAST_VERDICT
from gold.tables.adapter_summary import SPEC as ADAPTER_SUMMARY
from gold.tables.classifier_comparison import SPEC as CLASSIFIER_COMPARISON
from gold.tables.correlations import SPEC as CORRELATIONS
from gold.tables.degradation import SPEC as DEGRADATION
from lake.spec import Table
from silver.specs import ADAPTERS

Read = Callable[[Table], pd.DataFrame]
FAILURE_BAND = (0.05, 0.60)


def highlights(read: Read, lake: str, dataset: str, stream: TextIO) -> None:
    """Prints the dataset's gold highlights. `read` gives one table's rows of this dataset."""
    summary, degradation = read(ADAPTER_SUMMARY), read(DEGRADATION)
    names = read(ADAPTERS).drop_duplicates("adapter_id").set_index("adapter_id")
    if summary.empty:
        stream.write(f"\n{dataset}: gold has no rows yet; is any adapter ready? See silver.adapters (status, reason).\n")
        return
    _section(stream, f"{dataset}: adapters, clean and under corruption", _adapters(summary, names))
    _section(stream, "share of wrong answers per corruption, over all adapters", _cells(degradation))
    stream.write(_spread(summary, degradation))
    _section(
        stream,
        "clean-input figures against being right under corruption (r; n rows are not independent)",
        _correlations(read(CORRELATIONS)),
    )
    _section(
        stream,
        "forecasting 'right under corruption' from clean explanations (AUROC; ki is leaky, read grouped)",
        _learners(read(CLASSIFIER_COMPARISON)),
    )
    stream.write(_verdicts(read(FORECAST_VERDICT)))
    queries = ("gold.worst_corruption", "gold.degradation_wide")
    lines = [f'assay sql "{query}" --lake {lake}' for query in map("SELECT * FROM {}".format, queries)]
    stream.write("\nnext:\n  " + "\n  ".join([*lines, f"assay status --lake {lake}"]) + "\n\n")


def _section(stream: TextIO, title: str, frame: pd.DataFrame) -> None:
    stream.write(f"\n{title}\n")
    text = frame.to_string(index=False, float_format=lambda number: f"{number:.3f}", na_rep="–")
    stream.write("\n".join("  " + line for line in text.splitlines()) + "\n")


def _verdicts(frame: pd.DataFrame) -> str:
    """The standing test, in plain words."""
    if frame.empty:
        return ""
    order = {name: place for place, name in enumerate(REGIME_NAMES)}
    rows = sorted(frame[~frame["leaky"].astype(bool)].to_dict("records"), key=lambda row: order[row["protocol"]])
    lines = [f"  {row['protocol']}: {row['sentence']}" for row in rows]
    return "\n".join(["", "do explanations add to plain confidence? By a rule fixed before the run:", *lines, ""])


def _adapters(summary: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    frame = summary.join(names[["name", "rank", "update_scale", "seed"]].add_prefix("a_"), on="adapter_id")
    frame = frame.sort_values("accuracy", ascending=False)
    columns = {
        "adapter": frame["a_name"],
        "rank": frame["a_rank"].astype("Int64"),
        "scale": frame["a_update_scale"],
        "seed": frame["a_seed"].astype("Int64"),
        "clean": frame["clean_accuracy"],
        "corrupted": frame["accuracy"],
        "entropy": frame["mean_entropy"],
        "deletion": frame["mean_deletion"],
        "n": frame["n"],
    }
    return pd.DataFrame(columns)


def _by_cell(degradation: pd.DataFrame) -> pd.DataFrame:
    corrupted = degradation[degradation["severity"] > 0]
    wrong = corrupted.assign(wrong=(1 - corrupted["accuracy"]) * corrupted["n"], flips=corrupted["flip_rate"] * corrupted["n"])
    cells = wrong.groupby(["corruption", "severity"], as_index=False)[["wrong", "flips", "n"]].sum(min_count=1)
    return cells.assign(wrong=cells["wrong"] / cells["n"], flipped=cells["flips"] / cells["n"])


def _cells(degradation: pd.DataFrame) -> pd.DataFrame:
    cells = _by_cell(degradation)
    adapters = degradation[degradation["severity"] > 0].groupby(["corruption", "severity"])["accuracy"]
    ends = pd.DataFrame({"best_adapter": 1 - adapters.max(), "worst_adapter": 1 - adapters.min()}).reset_index()
    return cells.merge(ends, on=["corruption", "severity"])[
        ["corruption", "severity", "wrong", "flipped", "best_adapter", "worst_adapter", "n"]
    ]


def _spread(summary: pd.DataFrame, degradation: pd.DataFrame) -> str:
    """The spread that there is to explain: without it no statistic below means anything."""
    clean, failures = summary["clean_accuracy"], _by_cell(degradation)["wrong"]
    inside = int(failures.between(*FAILURE_BAND).sum())
    low, high = FAILURE_BAND
    return (
        f"\n  spread: clean accuracies {clean.min():.3f} to {clean.max():.3f} ({100 * (clean.max() - clean.min()):.1f} points, "
        f"{len(clean)} adapters); {inside} of {len(failures)} cells fail between {low:.0%} and {high:.0%}\n"
    )


def _correlations(frame: pd.DataFrame) -> pd.DataFrame:
    """One line per feature, and per head of silver.heads where the feature is of exemplars."""
    by = ["feature", "method"]
    scopes = [
        part.set_index(by)[["pearson_r", "spearman_r"]].rename(columns={"pearson_r": f"pearson {scope}", "spearman_r": f"spearman {scope}"})
        for scope, part in frame.groupby("scope", sort=True)
    ]
    wide = pd.concat([*scopes, frame.groupby(by)["n"].max()], axis=1).sort_index().reset_index()
    several = wide["feature"].duplicated(keep=False)
    return wide.assign(feature=wide["feature"].where(~several, wide["feature"] + " of " + wide["method"])).drop(columns="method")


def _learners(frame: pd.DataFrame) -> pd.DataFrame:
    columns = [
        "protocol",
        "model",
        "roc_auc",
        "ci_low",
        "ci_high",
        "confidence_auc",
        "adapter_auc",
        "accuracy",
        "majority_accuracy",
        "n_test",
    ]
    return frame[[name for name in columns if name in frame.columns]]
