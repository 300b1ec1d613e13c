"""How do texts train adapters: collected as they are, and by which loop?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.backbone_record import TextBackbone
from models.text_recipe import TextRecipe
from models.training_recipe import TrainingRecipe
from silver.adapters.material import SPLITS, Part

PLAIN = ""  # the part of texts without priors


@dataclass(frozen=True)
class TextMaterial:
    """`buckets`: the lengths that inputs are padded to, inside the model's limit; the last one cuts. `backbone` None: there is none yet."""

    labels: tuple[str, ...]
    buckets: tuple[int, ...]
    backbone: TextBackbone | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return ("example_id", "label_id", "split", "text")

    def part(self, recipe: TrainingRecipe) -> Part:
        """All texts are stored alike."""
        return PLAIN

    def identity(self, part: Part) -> list[object]:
        return ["text", list(self.buckets), part]

    def collect(self, rows: Iterator[Mapping[str, Any]], folder: Path, part: Part) -> str:
        from models.text_training_data import TextTrainingSet, text_fingerprint
        from models.training_data import in_canonical_order

        found: dict[str, list[Mapping[str, Any]]] = {split: [] for split in SPLITS}
        for row in rows:
            found[row["split"]].append(row)
        sets = {}
        for split, kept in found.items():
            label_ids = np.array([row["label_id"] for row in kept], dtype=np.int64)
            texts, ids = tuple(row["text"] for row in kept), tuple(row["example_id"] for row in kept)
            sets[split] = in_canonical_order(TextTrainingSet(texts, label_ids, ids))
            if not (folder / split).exists():
                sets[split].save(folder / split)
        return text_fingerprint(self.labels, self.buckets, sets["adapter_train"], sets["adapter_val"])

    def parse(self, recipe: str) -> TextRecipe:
        return TextRecipe.model_validate_json(recipe)

    def train(self, recipe: TrainingRecipe, data: Path, folder: Path, threads: int) -> None:
        from models.text_training import train_text
        from models.text_training_data import TextTrainingSet

        if self.backbone is None or not isinstance(recipe, TextRecipe):
            raise ValueError(f"recipe {recipe.name}: training needs a backbone and a recipe for texts")
        train, val = (TextTrainingSet.load(data / split) for split in SPLITS)
        train_text(recipe, self.backbone, self.labels, train, val, folder, self.buckets, threads=threads)
