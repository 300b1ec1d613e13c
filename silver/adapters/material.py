"""What does training ask of a modality? `pictures` and `texts` answer it, one record each; both ship to workers by pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from models.training_recipe import TrainingRecipe

Part = int | str
SPLITS = ("adapter_train", "adapter_val")


class Material(Protocol):
    """How training examples become files that every training task maps, and how a recipe is trained on them.

    `part`: recipes of one part train on the same files (pictures are stored at the size that a recipe crops from).
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of bronze.examples that are collected."""

    def part(self, recipe: TrainingRecipe) -> Part:
        """Which files a recipe trains on."""

    def identity(self, part: Part) -> list[object]:
        """What the files depend on besides the examples."""

    def collect(self, rows: Iterator[Mapping[str, Any]], folder: Path, part: Part) -> str:
        """Save the splits below `folder` (what is there stays) and give their fingerprint. The whole set must fit the task's memory."""

    def parse(self, recipe: str) -> TrainingRecipe:
        """A recipe from its JSON."""

    def train(self, recipe: TrainingRecipe, data: Path, folder: Path, threads: int) -> None:
        """Train one adapter into `folder`. Raises ArtifactError where it diverges."""
