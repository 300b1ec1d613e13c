"""Do training and validation examples come as training and scoring see them, whatever other recipes want?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from models.augmentation import Augmentation
from models.buckets import BUCKETS, fitted
from models.decode import DecodeLimits, encode_png
from models.images import Preprocessing, to_model_resolution
from models.recipe import Recipe
from models.text_training_data import TextTrainingSet, text_fingerprint
from models.training_data import TrainingSet
from silver.adapters.material import SPLITS
from silver.adapters.pictures import Pictures
from silver.adapters.texts import PLAIN, TextMaterial
from silver.adapters.training.train import Collection, collect

ZOOMED = Preprocessing(size=8, resize_to=12)
FULL = Preprocessing(size=56, resize_to=64)


def recipe(crop_from: int, crop_to: int) -> Recipe:
    return Recipe(name="r", rank=2, augmentation=Augmentation(crop_from=crop_from, crop_to=crop_to))


def test_a_recipes_pictures_depend_on_its_own_crop_alone() -> None:
    material = Pictures(("x",), DecodeLimits(), FULL)
    assert material.part(recipe(64, 56)) == 64
    assert material.part(recipe(80, 56)) == 80  # asked for beside the first, it does not move the first one's pictures
    assert material.part(recipe(56, 56)) == 56


def test_validation_pictures_are_those_that_scoring_sees(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3), dtype=np.uint8)
    columns = {
        "example_id": ["a", "b"],
        "label_id": [0, 1],
        "split": ["adapter_train", "adapter_val"],
        "image": list(map(encode_png, pictures)),
    }
    plan = Collection(tmp_path, Pictures(("x", "y"), DecodeLimits(), ZOOMED), 16)
    (answer,) = collect(iter([pa.RecordBatch.from_pydict(columns)]), plan)
    train, val = (TrainingSet.load(tmp_path / split) for split in SPLITS)
    assert np.array_equal(val.images[0], to_model_resolution(pictures[1], ZOOMED))
    assert np.array_equal(train.images[0], to_model_resolution(pictures[0], Preprocessing(size=16, resize_to=16)))
    assert len(answer.column("fingerprint")[0].as_py()) == 32


def test_texts_are_collected_as_they_are_and_known_by_what_they_and_the_buckets_say(tmp_path: Path) -> None:
    texts = {"b": "Wake me\tat 6 \u2014 \u0645\u0631\u062d\u0628\u0627", "a": "play it", "c": "stop \U0001f600"}
    columns = {
        "example_id": list(texts),
        "label_id": [0, 1, 1],
        "split": ["adapter_train", "adapter_train", "adapter_val"],
        "text": list(texts.values()),
    }
    rows = pa.RecordBatch.from_pydict(columns)
    marks = {}
    for name, batches in {"one": [rows], "other": [rows.slice(2), rows.slice(0, 2)]}.items():
        material = TextMaterial(("x", "y"), fitted(BUCKETS, 48))
        (answer,) = collect(iter(batches), Collection(tmp_path / name, material, PLAIN))
        marks[name] = answer.column("fingerprint")[0].as_py()
    train, val = (TextTrainingSet.load(tmp_path / "one" / split) for split in SPLITS)
    assert (train.example_ids, train.texts, train.label_ids.tolist()) == (("a", "b"), (texts["a"], texts["b"]), [1, 0])
    assert (val.example_ids, val.texts, val.label_ids.tolist()) == (("c",), (texts["c"],), [1])
    assert marks["one"] == marks["other"] == text_fingerprint(("x", "y"), (16, 32, 48), train, val)
