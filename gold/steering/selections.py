"""Which examples does each choice of them train on, and how far does logistic regression get with exactly those?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gold.linear_baseline import answers, scores
from gold.separations import separations
from gold.statistics import Separation
from gold.steering.frames import META, OUTSIDE, TRAIN
from gold.steering.recipes import recipe_of
from models.stored_vectors import vectors_of
from models.text_recipe import Choice


@dataclass(frozen=True)
class Trained:
    """What one choice comes to: `n_train` examples; accuracy of logistic regression on `n` of meta, in [0, 1], or None and the reason.

    `separations`: how well each score of its answers tells those of meta from inputs of no class; empty where there are none.
    """

    n_train: int
    accuracy: float | None = None
    n: int = 0
    reason: str | None = None
    separations: Mapping[str, Separation] = field(default_factory=dict)


def choices_of(trainings: pd.DataFrame) -> set[Choice]:
    """Those that recipes for texts make. `trainings`: a column recipe_settings."""
    return {Choice.of(recipe) for recipe in map(recipe_of, trainings["recipe_settings"]) if recipe is not None}


def trained_on(examples: pd.DataFrame, choices: Iterable[Choice], n_labels: int) -> dict[Choice, Trained]:
    """Each distinct choice with its examples and the baseline's figures. `examples`: the columns of
    TextFrames.examples.

    The baseline sees the labels that the choice trains on, wrong ones too. An example without an embedding has no part in it.
    """
    ordered = examples.sort_values("example_id", ignore_index=True)
    return {choice: _trained(ordered, choice, n_labels) for choice in sorted(set(choices), key=repr)}


def _trained(examples: pd.DataFrame, choice: Choice, n_labels: int) -> Trained:
    train = examples[examples["split"] == TRAIN]
    label_of = _selected(train, choice, n_labels)
    embedded = examples[examples["pooled"].notna()]
    rows = embedded[(embedded["split"] == TRAIN) & embedded["example_id"].isin(label_of)]
    meta, outside = (embedded[embedded["split"] == split] for split in (META, OUTSIDE))
    if not len(rows) or not len(meta):
        lacking = "adapter_train" if not len(rows) else "meta"
        return Trained(len(label_of), reason=f"no example of {lacking} has an embedding")
    label_ids = np.array([label_of[example_id] for example_id in rows["example_id"]], dtype=np.int64)
    asked = vectors_of([*meta["pooled"], *outside["pooled"]])
    found = answers(vectors_of(rows["pooled"].tolist()), label_ids, asked)
    right = found.label_ids[: len(meta)] == meta["label_id"].to_numpy(dtype=np.int64)
    said = pd.DataFrame(scores(found.p))
    apart = separations(said[: len(meta)], said[len(meta) :]) if len(outside) else {}
    return Trained(len(label_of), float(right.mean()), len(meta), separations=apart)


def _selected(train: pd.DataFrame, choice: Choice, n_labels: int) -> dict[str, int]:
    """example id -> the label that is trained, by the function that the training itself asks."""
    from models.text_selection import selected
    from models.text_training_data import TextTrainingSet

    ids = tuple(train["example_id"])
    whole = TextTrainingSet(("",) * len(ids), train["label_id"].to_numpy(dtype=np.int64), ids)
    chosen = selected(choice, whole, n_labels).examples
    return dict(zip(chosen.example_ids, chosen.label_ids.tolist(), strict=True))
