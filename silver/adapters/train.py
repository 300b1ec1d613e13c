"""Which recipes still need training, and how is one trained in a worker?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from models.backbone import Backbone
from models.decode import DecodeLimits, decode
from models.errors import ArtifactError
from models.images import Preprocessing, to_model_resolution
from models.recipe import Recipe, recipe_sha256

TRAINED_SCHEMA = pa.schema([("name", pa.string()), ("recipe_sha256", pa.string()), ("error_code", pa.string()), ("message", pa.string())])
FINGERPRINT_SCHEMA = pa.schema([("fingerprint", pa.string())])


@dataclass(frozen=True)
class Collection:
    """How the training examples become two files that all training tasks map, train and val below `folder`.

    Training pictures have `side` pixels, more than the model's size where recipes crop from a larger picture; val has the model's.
    """

    folder: Path
    labels: tuple[str, ...]
    limits: DecodeLimits
    preprocessing: Preprocessing
    side: int


@dataclass(frozen=True)
class Training:
    """What a training task needs besides the recipe."""

    backbone: Backbone
    labels: tuple[str, ...]
    data: Path
    preprocessing: Preprocessing
    store: Path
    threads: int


def side_for(recipe: Recipe, size: int) -> int:
    """Side in pixels at which a recipe's training pictures are stored: what it crops from, so that no crop is zoomed."""
    return max(size, round(size * recipe.augmentation.crop_from / recipe.augmentation.crop_to))


def collect(batches: Iterator[pa.RecordBatch], plan: Collection) -> Iterator[pa.RecordBatch]:
    """All batches of (example_id, label_id, split, image) of one dataset -> two saved sets; gives one row, their fingerprint.

    Runs in one task: the set must fit its memory at side x side x 3 bytes a picture.
    """
    import numpy as np

    from models.training_data import TrainingSet, fingerprint, in_canonical_order

    own = plan.preprocessing
    resize_to = plan.side if own.crop == "none" else max(plan.side, own.resize_to)
    # validation pictures are prepared exactly as scoring prepares them: checkpoints are chosen on what is used
    prepared = {"adapter_train": own.model_copy(update={"size": plan.side, "resize_to": resize_to}), "adapter_val": own}
    found: dict[str, list[tuple[str, int, np.ndarray]]] = {"adapter_train": [], "adapter_val": []}
    for batch in batches:
        for row in batch.select(["example_id", "label_id", "split", "image"]).to_pylist():
            picture = to_model_resolution(decode(row["image"], plan.limits).image, prepared[row["split"]])
            found[row["split"]].append((row["example_id"], row["label_id"], picture))
    sets = {}
    for split, rows in found.items():
        side = prepared[split].size
        images = np.stack([row[2] for row in rows]) if rows else np.zeros((0, side, side, 3), np.uint8)
        ids = tuple(row[0] for row in rows)
        sets[split] = in_canonical_order(TrainingSet(images, np.array([row[1] for row in rows], dtype=np.int64), ids))
        if not (plan.folder / split).exists():
            sets[split].save(plan.folder / split)
    mark = fingerprint(plan.labels, plan.preprocessing, sets["adapter_train"], sets["adapter_val"])
    yield pa.RecordBatch.from_pylist([{"fingerprint": mark}], schema=FINGERPRINT_SCHEMA)


def adapter_folder(store: Path, recipe: Recipe, sha256: str) -> Path:
    """Where the adapter of this recipe lives: the name for people, the hash for identity."""
    return store / f"{recipe.name}-{sha256[:12]}"


def train_recipes(batches: Iterator[pa.RecordBatch], plan: Training) -> Iterator[pa.RecordBatch]:
    """Batches of recipes as JSON -> one row each. A recipe that diverges is a row with an error; one whose folder exists costs nothing."""
    from models.training import train
    from models.training_data import TrainingSet, fingerprint

    train_set, val_set = (TrainingSet.load(plan.data / split) for split in ("adapter_train", "adapter_val"))
    mark = fingerprint(plan.labels, plan.preprocessing, train_set, val_set)
    for batch in batches:
        for text in batch.column("recipe").to_pylist():
            recipe = Recipe.model_validate_json(text)
            sha256 = recipe_sha256(recipe, plan.backbone.sha256, mark)
            folder = adapter_folder(plan.store, recipe, sha256)
            row = {"name": recipe.name, "recipe_sha256": sha256}
            try:
                if not folder.exists():
                    train(recipe, plan.backbone, plan.labels, train_set, val_set, plan.preprocessing, folder, threads=plan.threads)
            except ArtifactError as error:
                row |= {"error_code": error.code, "message": error.message}
            yield pa.RecordBatch.from_pylist([row], schema=TRAINED_SCHEMA)
