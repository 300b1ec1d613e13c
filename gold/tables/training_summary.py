"""How was each adapter trained, and how well did it go? The training columns of silver.adapters."""

from __future__ import annotations

import pandas as pd

from gold.aggregates import summed, update_scale
from gold.frames import Frames
from gold.table import GoldTable, N, as_table, share
from lake.spec import ADAPTER, DATASET, SETTINGS, Column, Table

SPEC = Table(
    layer="gold",
    name="training_summary",
    comment="recipe and training figures of every registered adapter, refused ones included",
    key=("dataset", "adapter_id"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        ADAPTER,
        Column("name", "string", "the adapter's label"),
        Column("backbone", "string", "the model it adapts"),
        Column("recipe", "string", "how it was trained: ce, cap_hybrid, …"),
        Column("rank", "int", "rank of the low-rank update", low=0),
        Column("alpha", "double", "numerator of the update scale"),
        Column("update_scale", "double", "alpha / sqrt(rank) with rsLoRA, else alpha / rank"),
        Column("seed", "bigint", "seed of its training"),
        Column("use_dora", "boolean", "weight-decomposed update"),
        Column("use_rslora", "boolean", "rank-stabilised scale"),
        Column("trainable_parameters", "bigint", "parameters that were trained", low=0),
        share("trainable_share", "their share of all parameters"),
        Column("train_loss", "double", "mean loss of the kept epoch", unit="nats"),
        Column("eval_loss", "double", "loss on adapter_val", unit="nats"),
        share("accuracy", "accuracy on adapter_val"),
        share("f1", "weighted F1 on adapter_val"),
        share("precision", "weighted precision on adapter_val"),
        share("recall", "weighted recall on adapter_val"),
        Column("minutes", "double", "training time", unit="minutes", low=0.0, volatile=True),
        Column("status", "string", "ready, inert or rejected"),
        Column("reason", "string", "why it is not ready"),
        N,
        SETTINGS,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per registered adapter; n = its evaluated rows, clean ones included."""
    counts = summed(frames.cells, ["adapter_id"])[["adapter_id", "n"]]
    found = frames.adapters.assign(update_scale=update_scale(frames.adapters)).merge(counts, on="adapter_id", how="left")
    found["n"] = found["n"].fillna(0)
    wanted = [name for name in SPEC.column_names if name not in ("dataset", "settings_id")]
    return as_table(SPEC, frames.dataset, found[wanted])


TABLE = GoldTable(SPEC, build)
