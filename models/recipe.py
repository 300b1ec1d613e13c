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
    label_noise: float = Field(
        default=0.0, ge=0, lt=1, description="share of the kept training pictures that get a wrong label; validation stays true"
    )
    label_noise_seed: int = Field(default=0, ge=0, lt=2**63, description="chooses the wrong labels, apart from `seed`")

    def deciding(self) -> dict[str, Any]:
        """Without label noise where there is none: recipes from before it was there keep their hashes."""
        unread = set() if self.label_noise else {"label_noise", "label_noise_seed"}
        return {key: value for key, value in super().deciding().items() if key not in unread}
