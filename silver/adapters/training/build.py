"""Which recipes still lack their adapter, and how are these trained, one Spark task each?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs
from lake.progress import Progress
from models.atomic import write_text
from models.manifest import find_trained
from models.training_recipe import TrainingRecipe, recipe_sha256
from silver.adapters.material import Material, Part
from silver.adapters.offers import Zoo, failure_note, training_folder
from silver.adapters.training.train import FINGERPRINT_SCHEMA, TRAINED_SCHEMA, Collection, Training, adapter_folder, collect, train_recipes

Data = tuple[Path, str]  # folder of the collected sets, and their fingerprint
MARK = "fingerprint.txt"
R = TypeVar("R", bound=TrainingRecipe)


def training_data(lake: Lake, inputs: Inputs, material: Material, artifacts: Path, part: Part) -> Data:
    """Folder and fingerprint of the training examples, collected by one task the first time and found again after."""
    from pyspark.sql.pandas.types import from_arrow_schema

    folder = training_folder(artifacts, inputs, material, part)
    mark = folder / MARK
    if mark.exists():
        return folder, mark.read_text(encoding="utf-8")
    plan = Collection(folder, material, part)
    folder.mkdir(parents=True, exist_ok=True)

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return collect(rows, plan)

    frame = inputs.frame().select(*material.columns).coalesce(1)
    fingerprint = str(frame.mapInArrow(verb, from_arrow_schema(FINGERPRINT_SCHEMA)).collect()[0].fingerprint)
    write_text(mark, fingerprint)
    return folder, fingerprint


def trained_folders(lake: Lake, zoo: Zoo, data: Mapping[R, Data], train: bool) -> dict[R, Path]:
    """The folder of each recipe's adapter, after those that were missing have been trained on their data. Where training fails the folder
    is absent, and its failure note says why. Raises ConfigError when some are missing and `train` is False."""
    backbone = zoo.scoring.backbone.sha256
    hashes = {recipe: recipe_sha256(recipe, backbone, fingerprint) for recipe, (_, fingerprint) in data.items()}
    own = {recipe: adapter_folder(zoo.store, recipe, sha256) for recipe, sha256 in hashes.items()}
    missing: dict[str, R] = {}
    for recipe, sha256 in hashes.items():
        if find_trained(zoo.store, sha256) is None and not failure_note(own[recipe]).exists():
            missing.setdefault(sha256, recipe)
    if missing and not train:
        names = ", ".join(recipe.name for recipe in missing.values())
        raise ConfigError(f"no adapter yet for {names}: train first (`assay train`), or include silver in --layers")
    by_folder: dict[Path, dict[str, R]] = {}
    for sha256, recipe in missing.items():
        by_folder.setdefault(data[recipe][0], {})[sha256] = recipe
    if missing:
        zoo.store.mkdir(parents=True, exist_ok=True)
        waiting = [own[recipe] for recipe in missing.values()]
        with Progress(f"training {len(missing)} adapters", len(missing), partial(_count_existing, waiting)):
            _train(lake, [(Training(zoo.material, folder, zoo.store, zoo.settings.threads), asked) for folder, asked in by_folder.items()])
    return {recipe: find_trained(zoo.store, sha256) or own[recipe] for recipe, sha256 in hashes.items()}


def _count_existing(folders: Sequence[Path]) -> int:
    return sum(folder.exists() for folder in folders)


def _train(lake: Lake, plans: Sequence[tuple[Training, Mapping[str, TrainingRecipe]]]) -> None:
    """All recipes as tasks of one job, whatever they train on: no core waits for the last of a group."""
    from pyspark.sql.pandas.types import from_arrow_schema

    trainings = [training for training, _ in plans]

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return train_recipes(rows, trainings)

    recipes = {sha256: recipe for _, asked in plans for sha256, recipe in asked.items()}
    texts = [(_json(recipe), sha256, place) for place, (_, asked) in enumerate(plans) for sha256, recipe in asked.items()]
    rows = lake.spark.sparkContext.parallelize(texts, len(texts)).toDF("recipe string, recipe_sha256 string, place int")
    for row in rows.mapInArrow(verb, from_arrow_schema(TRAINED_SCHEMA)).collect():
        if row.error_code is not None:
            failure = failure_note(adapter_folder(trainings[0].store, recipes[row.recipe_sha256], row.recipe_sha256))
            write_text(failure, json.dumps([row.error_code, row.message]))


def _json(recipe: TrainingRecipe) -> str:
    return recipe.model_dump_json(exclude={"update_scale"} if recipe.alpha is not None else {"alpha"})
