"""How do pictures train adapters: collected at which size, and by which loop?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.backbone import Backbone
from models.decode import DecodeLimits, decode
from models.images import Preprocessing, to_model_resolution
from models.recipe import Recipe
from models.training_recipe import TrainingRecipe
from silver.adapters.material import SPLITS, Part


def side_of(recipe: Recipe, size: int) -> int:
    """Side in pixels at which a recipe's training pictures are stored: what it crops from, so that no crop is zoomed."""
    return max(size, round(size * recipe.augmentation.crop_from / recipe.augmentation.crop_to))


@dataclass(frozen=True)
class Pictures:
    """`backbone` None: there is none yet, and pictures can be collected but not trained on. Training pictures have `part` pixels a side,
    more than the model's where recipes crop from a larger picture; those of validation have the model's."""

    labels: tuple[str, ...]
    limits: DecodeLimits
    preprocessing: Preprocessing
    backbone: Backbone | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return ("example_id", "label_id", "split", "image")

    def part(self, recipe: TrainingRecipe) -> int:
        """Side in pixels of a recipe's training pictures."""
        if not isinstance(recipe, Recipe):
            raise ValueError(f"recipe {recipe.name}: pictures need a recipe for pictures, found {type(recipe).__name__}")
        return side_of(recipe, self.preprocessing.size)

    def identity(self, part: Part) -> list[object]:
        return [self.preprocessing, part]

    def collect(self, rows: Iterator[Mapping[str, Any]], folder: Path, part: Part) -> str:
        """Decoded and resized once; memory is side x side x 3 bytes a picture."""
        from models.training_data import TrainingSet, fingerprint, in_canonical_order

        own, side = self.preprocessing, int(part)
        resize_to = side if own.crop == "none" else max(side, own.resize_to)
        # validation pictures are prepared exactly as scoring prepares them: checkpoints are chosen on what is used
        prepared = {"adapter_train": own.model_copy(update={"size": side, "resize_to": resize_to}), "adapter_val": own}
        found: dict[str, list[tuple[str, int, np.ndarray]]] = {split: [] for split in SPLITS}
        for row in rows:
            picture = to_model_resolution(decode(row["image"], self.limits).image, prepared[row["split"]])
            found[row["split"]].append((row["example_id"], row["label_id"], picture))
        sets = {}
        for split, kept in found.items():
            side = prepared[split].size
            images = np.stack([row[2] for row in kept]) if kept else np.zeros((0, side, side, 3), np.uint8)
            label_ids = np.array([row[1] for row in kept], dtype=np.int64)
            sets[split] = in_canonical_order(TrainingSet(images, label_ids, tuple(row[0] for row in kept)))
            if not (folder / split).exists():
                sets[split].save(folder / split)
        return fingerprint(self.labels, own, sets["adapter_train"], sets["adapter_val"])

    def parse(self, recipe: str) -> Recipe:
        return Recipe.model_validate_json(recipe)

    def train(self, recipe: TrainingRecipe, data: Path, folder: Path, threads: int) -> None:
        from models.training import train
        from models.training_data import TrainingSet

        if self.backbone is None or not isinstance(recipe, Recipe):
            raise ValueError(f"recipe {recipe.name}: training needs a backbone and a recipe for pictures")
        examples, val = (TrainingSet.load(data / split) for split in SPLITS)
        train(recipe, self.backbone, self.labels, examples, val, self.preprocessing, folder, threads=threads)
