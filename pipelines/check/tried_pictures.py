"""How do adapters score, and recipes train on, a few pictures?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.any_scoring import Logits
from models.scored_adapter import ScoredAdapter
from models.training_data import TrainingSet
from models.training_recipe import TrainingRecipe
from pipelines.check.tried import TRAINED
from pipelines.pictures_only import picture_recipe, picture_scoring
from silver.adapters.offers import Zoo


@dataclass(frozen=True)
class TriedPictures:
    """The pictures that are scored: uint8 [n, size, size, 3] at model resolution, and their label ids int64 [n]."""

    pictures: NDArray[np.uint8]
    label_ids: NDArray[np.int64]
    what: str = "pictures"

    def scores(self, adapter: ScoredAdapter, zoo: Zoo) -> tuple[Logits, NDArray[np.bool_]]:
        """See Tried."""
        scoring = picture_scoring(zoo.scoring)
        pixels = scoring.pixels(self.pictures)
        logits = scoring.logits(adapter, pixels)
        _, attention = scoring.scorer(adapter).explain(pixels)
        return logits, np.asarray(np.isfinite(logits).all(axis=1) & np.isfinite(attention).all(axis=(1, 2)))

    def shape(self, recipe: TrainingRecipe) -> str:
        """See Tried."""
        return lora_shape(recipe)

    def train(self, recipe: TrainingRecipe, zoo: Zoo, folder: Path, threads: int) -> None:
        """See Tried."""
        from models.training import train

        n = min(TRAINED, len(self.pictures))
        examples = TrainingSet(self.pictures[:n], self.label_ids[:n], tuple(f"{i:032x}" for i in range(n)))
        short = picture_recipe(recipe).model_copy(update={"epochs": 1, "train_share": 1.0})
        scoring = picture_scoring(zoo.scoring)
        train(short, scoring.backbone, zoo.labels, examples, examples, scoring.preprocessing, folder, threads=threads)


def lora_shape(recipe: TrainingRecipe) -> str:
    """Rank, kind, layers and biases of a LoRA adapter, in words."""
    return f"rank {recipe.rank}, {'DoRA' if recipe.use_dora else 'LoRA'} on {', '.join(recipe.targets)}, bias {recipe.bias}"
