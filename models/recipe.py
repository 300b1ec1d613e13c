"""What defines one adapter for pictures before it is trained?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from models.augmentation import Augmentation
from models.training_recipe import Role, TrainingRecipe, recipe_sha256

__all__ = ["Recipe", "Role", "recipe_sha256"]


class Recipe(TrainingRecipe):
    """How one adapter for pictures is trained: what `TrainingRecipe` says, on pictures that are augmented."""

    modality: Literal["image"] = Field(default="image", exclude=True, description="what the adapter reads; said by the dataset's reader")
    kind: Literal["ce"] = "ce"
    augmentation: Augmentation = Augmentation()
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="of the matrix products while training (autocast); weights, loss and validation are float32"
    )

    def deciding(self) -> dict[str, Any]:
        """float32 is left out, as in recipes from before there was another precision."""
        settings = super().deciding()
        return settings if self.precision != "float32" else {key: value for key, value in settings.items() if key != "precision"}
