"""What are the dataset's headline numbers?"""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from gold.aggregates import clean, corrupted, summed
from gold.frames import Frames
from gold.protocols import chosen
from gold.quotes import Quote, best_learner, quoted, strongest_feature
from gold.table import TAIL, GoldTable, as_table
from gold.tables import adapter_summary
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="quantitative_summary",
    comment="headline numbers of a dataset, one per row; learner figures are those of the protocol's best learner by cross-validation",
    key=("dataset", "metric"),
    partition_by=("dataset",),
    columns=(DATASET, Column("metric", "string", "what is measured"), Column("value", "double", "its value"), *TAIL),
)

_LEARNER_FIGURES = ("roc_auc", "auc_within_adapter", "accuracy", "majority_accuracy", "confidence_auc", "adapter_auc")


def build(frames: Frames) -> pd.DataFrame:
    """Counts and accuracies from the aggregates; learner and feature figures quoted from the tables in `built`."""
    quotes = [*_counts(frames), *_accuracies(frames), *_learned(frames)]
    return as_table(SPEC, frames.dataset, [asdict(quote) for quote in quotes])


def _counts(frames: Frames) -> list[Quote]:
    totals = summed(frames.cells, ["adapter_id", "corruption", "severity"])
    n = int(totals["n"].sum())
    kinds = corrupted(totals)
    numbers = {
        "n_adapters": totals["adapter_id"].nunique(),
        "n_examples": clean(totals)["n"].max() if len(clean(totals)) else 0,
        "n_corruptions": kinds["corruption"].nunique(),
        "n_corruption_severities": len(kinds[["corruption", "severity"]].drop_duplicates()),
        "n_predictions": n,
    }
    return [Quote(name, float(value), n) for name, value in numbers.items()]


def _accuracies(frames: Frames) -> list[Quote]:
    both = {"clean_accuracy": clean(frames.cells), "ood_accuracy": corrupted(frames.cells)}
    shares = {name: summed(cells.assign(all="all"), ["all"]) for name, cells in both.items()}
    quotes = [_first(name, totals, "accuracy") for name, totals in shares.items()]
    quotes.append(_first("flip_rate", shares["ood_accuracy"], "flip_rate"))
    per_adapter = adapter_summary.build(frames).dropna(subset=["accuracy"])
    ordered = per_adapter.sort_values("accuracy", ascending=False)
    quotes += [_first("best_adapter_ood_accuracy", ordered, "accuracy"), _first("worst_adapter_ood_accuracy", ordered[::-1], "accuracy")]
    by_corruption = summed(corrupted(frames.cells), ["corruption"]).sort_values("accuracy")
    quotes.append(_first("worst_corruption_accuracy", by_corruption, "accuracy"))
    return quotes


def _first(metric: str, frame: pd.DataFrame, column: str) -> Quote:
    if len(frame) == 0:
        return Quote(metric, None, 0, "no rows")
    if pd.isna(frame[column].iloc[0]):
        return Quote(metric, None, int(frame["n"].iloc[0]), f"{column} is null in every row")
    return Quote(metric, float(frame[column].iloc[0]), int(frame["n"].iloc[0]))


def _learned(frames: Frames) -> list[Quote]:
    quotes = []
    for protocol in chosen(frames.settings):
        row = best_learner(frames, protocol.name)
        quotes += [quoted(f"{protocol.name}_{figure}", row, figure) for figure in _LEARNER_FIGURES]
    for scope in ("pooled", "within_adapter"):
        quotes.append(quoted(f"max_abs_pearson_r_{scope}", strongest_feature(frames, scope), "abs_pearson_r"))
    return quotes


TABLE = GoldTable(SPEC, build)
