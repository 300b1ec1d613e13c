"""What defines one adapter for pictures before it is trained?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.augmentation import Augmentation
from models.training_recipe import Role, TrainingRecipe, recipe_sha256

__all__ = ["Recipe", "Role", "recipe_sha256"]


class Recipe(TrainingRecipe):
    """How one adapter for pictures is trained: what `TrainingRecipe` says, on pictures that are augmented."""

    modality: Literal["image"] = Field(default="image", exclude=True, description="what the adapter reads; said by the dataset's reader")
    kind: Literal["ce"] = "ce"
    augmentation: Augmentation = Augmentation()
