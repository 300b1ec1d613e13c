"""How does a task collect training examples, and how does one train recipes?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from models.errors import ArtifactError
from models.training_recipe import TrainingRecipe
from silver.adapters.material import Material, Part

TRAINED_SCHEMA = pa.schema([("name", pa.string()), ("recipe_sha256", pa.string()), ("error_code", pa.string()), ("message", pa.string())])
FINGERPRINT_SCHEMA = pa.schema([("fingerprint", pa.string())])


@dataclass(frozen=True)
class Collection:
    """How the training examples become two files that all training tasks map, one per split below `folder`."""

    folder: Path
    material: Material
    part: Part


@dataclass(frozen=True)
class Training:
    """What a training task needs besides the recipe: what it is made of, the collected files, where adapters go."""

    material: Material
    data: Path
    store: Path
    threads: int


def collect(batches: Iterator[pa.RecordBatch], plan: Collection) -> Iterator[pa.RecordBatch]:
    """All batches of the material's columns of one dataset -> two saved sets; gives one row, their fingerprint. Runs in one task."""
    columns = list(plan.material.columns)
    rows = (row for batch in batches for row in batch.select(columns).to_pylist())
    mark = plan.material.collect(rows, plan.folder, plan.part)
    yield pa.RecordBatch.from_pylist([{"fingerprint": mark}], schema=FINGERPRINT_SCHEMA)


def adapter_folder(store: Path, recipe: TrainingRecipe, sha256: str) -> Path:
    """Where the adapter of this recipe lives: the name for people, the hash for identity."""
    return store / f"{recipe.name}-{sha256[:12]}"


def train_recipes(batches: Iterator[pa.RecordBatch], plans: Sequence[Training]) -> Iterator[pa.RecordBatch]:
    """Batches of (recipe as JSON, recipe_sha256, place of its plan) -> one row each. A recipe that diverges is a row with an error; one
    whose folder exists costs nothing."""
    for batch in batches:
        for asked in batch.to_pylist():
            plan = plans[asked["place"]]
            recipe, sha256 = plan.material.parse(asked["recipe"]), asked["recipe_sha256"]
            folder = adapter_folder(plan.store, recipe, sha256)
            row = {"name": recipe.name, "recipe_sha256": sha256}
            try:
                if not folder.exists():
                    plan.material.train(recipe, plan.data, folder, plan.threads)
            except ArtifactError as error:
                row |= {"error_code": error.code, "message": error.message}
            yield pa.RecordBatch.from_pylist([row], schema=TRAINED_SCHEMA)
