"""What are adapters tried on, whether that is pictures or texts?"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Int64
from numpy.typing import NDArray

from models.any_scoring import Logits
from models.scored_adapter import ScoredAdapter
from models.training_recipe import TrainingRecipe
from silver.adapters.offers import Zoo

TRAINED = 2  # examples that a recipe is trained on for a moment: a base-size model needs about a second for each on one core


class Tried(Protocol):
    """The tried examples of one modality, and their label ids int64[n] in the order of the zoo's labels. `what`: pictures or texts."""

    @property
    def what(self) -> str: ...

    @property
    def label_ids(self) -> Int64[NDArray[np.int64], " n"]: ...

    def scores(self, adapter: ScoredAdapter, zoo: Zoo) -> tuple[Logits, Bool[NDArray[np.bool_], " n"]]:
        """Logits float32[n, labels] under an adapter, and which examples have finite ones and finite attention."""

    def shape(self, recipe: TrainingRecipe) -> str:
        """What a recipe builds, in words: recipes that differ in seed, scale, share, rate or length build the same model."""

    def train(self, recipe: TrainingRecipe, zoo: Zoo, folder: Path, threads: int) -> None:
        """One epoch of the recipe on TRAINED of the examples, into `folder`. Raises ArtifactError as training does."""
