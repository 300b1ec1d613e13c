"""What does a gold table start from? One dataset's frames: rows for the statistics, aggregates for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from gold.separations import SEPARATIONS
from gold.settings import GoldSettings
from gold.steering.frames import TextFrames
from gold.steering.selections import Trained
from models.text_recipe import Choice
from silver.specs import INVERSION, PROVENANCE, Part
from xai.metrics import METRICS as XAI_METRICS

XAI_FEATURES = ("entropy", "sparsity", "deletion", "insertion")
# Of groups that have generations of their own: columns of `Frames.rows` only where the configuration asks for them. Those of inversion are
# of a sub-sample of the examples, null outside it; those of provenance there are of each head.
INVERSION_FEATURES = tuple(metric.name for metric in XAI_METRICS if metric.category == "inversion")
PROVENANCE_FEATURES = tuple(metric.name for metric in XAI_METRICS if metric.category == "provenance")
PARTED_FEATURES = {INVERSION: INVERSION_FEATURES, PROVENANCE: PROVENANCE_FEATURES}
OF_HEAD = "__"  # between the name of a head and that of its feature
METRICS = (*XAI_FEATURES, "confidence")
CLEAN = "none"

ROWS = (
    "example_id", "adapter_id", "label", "corruption", "severity", "is_correct", "flipped",
    "confidence", "margin", "softmax_entropy", "clean_correct", *XAI_FEATURES,
)  # fmt: skip
CELLS = ("adapter_id", "label", "corruption", "severity", "n", "n_correct", "n_flipped", "sum_confidence")
SLICED = ("adapter_id", "slice_by", "slice", "corruption", "severity", "n", "n_correct", "n_flipped")
MEANS = ("adapter_id", *(f"{kind}_{metric}" for metric in METRICS for kind in ("mean", "std")), "n")
ADAPTERS = (
    "adapter_id", "name", "backbone", "recipe", "rank", "alpha", "seed", "use_dora", "use_rslora", "trainable_parameters",
    "trainable_share", "train_loss", "eval_loss", "accuracy", "f1", "precision", "recall", "minutes", "status", "reason",
    "recipe_settings",
)  # fmt: skip
CORRUPTIONS = ("corruption", "severity", "parameter", "value", "expected_impact")


def columns_of(part: Part) -> dict[str, str]:
    """Feature of a part -> its column among `Frames.rows`."""
    before = "" if part.method is None else f"{part.method}{OF_HEAD}"
    return {name: f"{before}{name}" for name in PARTED_FEATURES[part.group]}


def empty(columns: tuple[str, ...]) -> pd.DataFrame:
    """A frame with these columns and no rows."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})


@dataclass(frozen=True)
class Frames:
    """All that the gold tables of one dataset read. A frame a table does not need may stay empty.

    rows         `ROWS`, one row per (example, adapter, corruption, severity >= 1). is_correct and flipped (correct on clean, wrong
                 now) are of the corrupted input; confidence, margin, softmax_entropy, clean_correct and the four explanation metrics are of
                 the *clean* input, so they repeat over corruptions. Metrics may be null. Tables with `needs_rows` read this frame,
                 the dataset, the settings, and no other frame. Where the group inversion is asked for, `INVERSION_FEATURES` of the
                 gold method stand there too, null outside their sub-sample; of each head that is asked for `PROVENANCE_FEATURES`, as
                 <head>__<feature>.
                 Of shifted data of the user's own nothing clean is known: flipped and all that is clean are null.
    cells        `CELLS`, counts per (adapter, label, corruption, severity), the clean cell (`none`, 0) included. n_flipped is null in
                 cells of the user's own shifted data.
    means        `MEANS`, per adapter the mean and sample standard deviation of the clean metrics, n = examples.
    adapters     `ADAPTERS` of silver.adapters, whatever their status.
    corruptions  `CORRUPTIONS`, what the configuration asked for.
    built        gold tables of the same dataset built before, by name: the summaries quote them instead of fitting again.
    text         what the tables about priors and steered training read besides; None for pictures, of which they have no row.
    separations  `SEPARATIONS`, per adapter and score, of meta from inputs of no class; empty where the dataset has none.
    linear       logistic regression on the frozen embeddings per choice of training examples: those of the recipes for texts, or else,
                 where there are inputs of no class, all of them.
    sliced       `SLICED`, counts as in cells per value of each metadata column (slice_by); unsliced has the number of values of columns
                 that have too many.
    """

    dataset: str
    rows: pd.DataFrame = field(default_factory=lambda: empty(ROWS))
    cells: pd.DataFrame = field(default_factory=lambda: empty(CELLS))
    means: pd.DataFrame = field(default_factory=lambda: empty(MEANS))
    adapters: pd.DataFrame = field(default_factory=lambda: empty(ADAPTERS))
    corruptions: pd.DataFrame = field(default_factory=lambda: empty(CORRUPTIONS))
    settings: GoldSettings = field(default_factory=GoldSettings)
    built: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    text: TextFrames | None = None
    separations: pd.DataFrame = field(default_factory=lambda: empty(SEPARATIONS))
    linear: Mapping[Choice, Trained] = field(default_factory=dict)
    sliced: pd.DataFrame = field(default_factory=lambda: empty(SLICED))
    unsliced: Mapping[str, int] = field(default_factory=dict)

    @property
    def parted(self) -> tuple[tuple[str, str, str], ...]:
        """(method or head, feature, its column) of each feature of the groups inversion and provenance that rows have."""
        own = [(self.settings.method, name, name) for name in INVERSION_FEATURES if name in self.rows.columns]
        found = (column.rpartition(OF_HEAD) for column in self.rows.columns)
        return (*own, *((head, name, f"{head}{OF_HEAD}{name}") for head, _, name in found if head and name in PROVENANCE_FEATURES))

    def __post_init__(self) -> None:
        """Raises ValueError when a frame lacks one of its columns."""
        wanted = {"rows": ROWS, "cells": CELLS, "means": MEANS, "adapters": ADAPTERS, "corruptions": CORRUPTIONS}
        wanted |= {"separations": SEPARATIONS, "sliced": SLICED}
        for name, columns in wanted.items():
            if lacking := [column for column in columns if column not in getattr(self, name).columns]:
                wanting = ", ".join(lacking)
                raise ValueError(f"gold of {self.dataset!r}: frame {name!r} must have the columns {wanting}; select them in gold/build.py")
