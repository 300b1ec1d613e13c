"""Do training and validation pictures come as training and scoring see them, whatever other recipes want?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from models.augmentation import Augmentation
from models.decode import DecodeLimits, encode_png
from models.images import Preprocessing, to_model_resolution
from models.recipe import Recipe
from models.training_data import TrainingSet
from silver.adapters.train import Collection, collect, side_for

ZOOMED = Preprocessing(size=8, resize_to=12)


def recipe(crop_from: int, crop_to: int) -> Recipe:
    return Recipe(name="r", rank=2, augmentation=Augmentation(crop_from=crop_from, crop_to=crop_to))


def test_a_recipes_pictures_depend_on_its_own_crop_alone() -> None:
    assert side_for(recipe(64, 56), 56) == 64
    assert side_for(recipe(80, 56), 56) == 80  # asked for beside the first, it does not move the first one's pictures
    assert side_for(recipe(56, 56), 56) == 56


def test_validation_pictures_are_those_that_scoring_sees(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3), dtype=np.uint8)
    columns = {
        "example_id": ["a", "b"],
        "label_id": [0, 1],
        "split": ["adapter_train", "adapter_val"],
        "image": list(map(encode_png, pictures)),
    }
    plan = Collection(tmp_path, ("x", "y"), DecodeLimits(), ZOOMED, side=16)
    (answer,) = collect(iter([pa.RecordBatch.from_pydict(columns)]), plan)
    train, val = (TrainingSet.load(tmp_path / split) for split in ("adapter_train", "adapter_val"))
    assert np.array_equal(val.images[0], to_model_resolution(pictures[1], ZOOMED))
    assert np.array_equal(train.images[0], to_model_resolution(pictures[0], Preprocessing(size=16, resize_to=16)))
    assert len(answer.column("fingerprint")[0].as_py()) == 32
