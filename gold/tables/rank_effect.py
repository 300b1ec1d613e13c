"""Does the adapter's rank change robustness, or only the step size that comes with it?

With alpha = 2r and rsLoRA rank and update scale rise together (METHODS 1); rows with one scale and several ranks tell them apart. Adapters
are compared only where their recipes differ in rank, scale and seed alone: one that saw a tenth of the data says nothing of its rank.
"""

from __future__ import annotations

import json

import pandas as pd

from gold.aggregates import corrupted, summed, update_scale
from gold.frames import Frames
from gold.statistics import mean_interval
from gold.table import TAIL, GoldTable, as_table, count, interval, share
from lake.identity import canonical_json
from lake.spec import DATASET, Column, Table

VARIED = ("name", "rank", "alpha", "update_scale", "seed")

SPEC = Table(
    layer="gold",
    name="rank_effect",
    comment="accuracy under corruption by rank and update scale, of recipes that differ in nothing else but the seed",
    key=("dataset", "rank", "update_scale"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("rank", "int", "rank of the low-rank update", low=0),
        Column("update_scale", "double", "alpha / sqrt(rank) with rsLoRA, else alpha / rank, to 6 decimals"),
        share("ood_accuracy", "mean over adapters of their accuracy under corruption"),
        *interval("ood_accuracy", "Student's t over adapters, cut to [0, 1]: how adapters differ, not examples; null below two", 0.0, 1.0),
        share("min_accuracy", "lowest accuracy of an adapter in the group"),
        share("max_accuracy", "highest accuracy of an adapter in the group"),
        count("n_adapters", "adapters in the group"),
        count("n_left_out", "adapters with a rank whose recipes differ from these in more: the most varied set counts"),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per (rank, update scale) among adapters with corrupted rows; those without rank or alpha (head only) belong to no group."""
    adapters = frames.adapters.assign(update_scale=update_scale(frames.adapters), family=frames.adapters["recipe_settings"].map(family))
    known = adapters[["adapter_id", "rank", "update_scale", "family"]]
    totals = summed(corrupted(frames.cells), ["adapter_id"]).merge(known, on="adapter_id").dropna(subset=["rank", "update_scale"])
    mine = _comparable(totals)
    groups = mine.groupby(["rank", "update_scale"], as_index=False)
    level, n_left_out = frames.settings.confidence_level, len(totals) - len(mine)
    records = [_record(rank, scale, group, level) | {"n_left_out": n_left_out} for (rank, scale), group in groups]
    return as_table(SPEC, frames.dataset, records)


def family(recipe_settings: object) -> str:
    """What a recipe shares with those that differ from it in rank, scale and seed alone; "" for adapters whose recipe is not known."""
    if not isinstance(recipe_settings, str):
        return ""
    recipe = json.loads(recipe_settings)
    # What is off is as good as absent: a manifest from before there was a choice does not name it.
    return canonical_json({name: value for name, value in recipe.items() if name not in VARIED and value})


def _comparable(totals: pd.DataFrame) -> pd.DataFrame:
    """The adapters of the family with the most pairs of rank and scale; of equal ones that with more adapters, then the first by name."""
    if totals.empty:
        return totals
    sizes = [(-len(part.drop_duplicates(["rank", "update_scale"])), -len(part), name) for name, part in totals.groupby("family")]
    return totals[totals["family"] == min(sizes)[2]]


def _record(rank: object, scale: object, group: pd.DataFrame, level: float) -> dict[str, object]:
    accuracy = group["accuracy"].to_numpy(dtype="float64")
    ends = mean_interval(accuracy, level)
    return {
        "rank": rank,
        "update_scale": scale,
        "ood_accuracy": float(accuracy.mean()),
        "ci_low": None if ends.low is None else max(0.0, ends.low),
        "ci_high": None if ends.high is None else min(1.0, ends.high),
        "min_accuracy": float(accuracy.min()),
        "max_accuracy": float(accuracy.max()),
        "n_adapters": len(group),
        "n": int(group["n"].sum()),
        "reason": ends.reason,
    }


TABLE = GoldTable(SPEC, build)
