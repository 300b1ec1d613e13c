"""Which training examples get a wrong label, and which one? By hash of the example, so that it is the same for every adapter."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

import numpy as np

from models.hashing import seed_of
from models.text_training_data import TextTrainingSet
from models.training_data import TrainingSet, in_canonical_order

Set = TypeVar("Set", TrainingSet, TextTrainingSet)


def with_wrong_labels(examples: Set, share: float, seed: int, n_labels: int) -> tuple[Set, tuple[str, ...]]:
    """The same examples in canonical order, floor(share * n + 1/2) of them under another label, uniform among the others; and their ids.
    Those whose ids hash lowest with the seed: a smaller share is among a larger one, with the same wrong labels. Raises ValueError where
    there is one label only."""
    examples = in_canonical_order(examples)
    count = math.floor(share * len(examples) + 0.5)
    if not count:
        return examples, ()
    if n_labels < 2:
        raise ValueError(f"label_noise needs at least 2 labels to choose a wrong one from, found {n_labels}")
    ranked = sorted(range(len(examples)), key=lambda i: seed_of("label_noise", seed, examples.example_ids[i]))[:count]
    labels = examples.label_ids.copy()
    for place in ranked:
        step = 1 + seed_of("label_noise", seed, examples.example_ids[place], "label") % (n_labels - 1)
        labels[place] = (labels[place] + step) % n_labels
    return replace(examples, label_ids=labels.astype(np.int64)), tuple(sorted(examples.example_ids[place] for place in ranked))
