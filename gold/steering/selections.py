"""Which texts does each choice of examples train on, and how far does logistic regression get with exactly those?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gold.linear_baseline import answers, vectors_of
from gold.steering.frames import META, TRAIN
from models.text_recipe import Choice


@dataclass(frozen=True)
class Trained:
    """What one choice comes to: `n_train` texts; accuracy of logistic regression on `n` meta texts, in [0, 1], or None and the reason."""

    n_train: int
    accuracy: float | None = None
    n: int = 0
    reason: str | None = None


def trained_on(examples: pd.DataFrame, choices: Iterable[Choice], n_labels: int) -> dict[Choice, Trained]:
    """Each distinct choice with its texts and the baseline's accuracy. `examples`: the columns of TextFrames.examples.

    The baseline sees the labels that the choice trains on, wrong ones too. A text without an embedding has no part in it.
    """
    ordered = examples.sort_values("example_id", ignore_index=True)
    train, meta = (ordered[ordered["split"] == split] for split in (TRAIN, META))
    return {choice: _trained(train, meta, choice, n_labels) for choice in sorted(set(choices), key=repr)}


def _trained(train: pd.DataFrame, meta: pd.DataFrame, choice: Choice, n_labels: int) -> Trained:
    label_of = _selected(train, choice, n_labels)
    rows = train[train["example_id"].isin(label_of) & train["pooled"].notna()]
    asked = meta[meta["pooled"].notna()]
    if not len(rows) or not len(asked):
        lacking = "adapter_train" if not len(rows) else "meta"
        return Trained(len(label_of), reason=f"no text of {lacking} has an embedding")
    label_ids = np.array([label_of[example_id] for example_id in rows["example_id"]], dtype=np.int64)
    found = answers(vectors_of(rows["pooled"].tolist()), label_ids, vectors_of(asked["pooled"].tolist()))
    return Trained(len(label_of), float((found == asked["label_id"].to_numpy(dtype=np.int64)).mean()), len(asked))


def _selected(train: pd.DataFrame, choice: Choice, n_labels: int) -> dict[str, int]:
    """example id -> the label that is trained, by the function that the training itself asks."""
    from models.text_selection import selected
    from models.text_training_data import TextTrainingSet

    ids = tuple(train["example_id"])
    whole = TextTrainingSet(("",) * len(ids), train["label_id"].to_numpy(dtype=np.int64), ids)
    chosen = selected(choice, whole, n_labels).examples
    return dict(zip(chosen.example_ids, chosen.label_ids.tolist(), strict=True))
