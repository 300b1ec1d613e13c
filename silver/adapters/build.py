"""Recipes and adapter folders -> trained adapters -> silver.adapters, and what workers need to score with the usable ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from lake.audit import REJECTED as AUDIT_REJECTED
from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from models.atomic import write_text
from models.manifest import find_trained
from models.scored_adapter import ScoredAdapter
from models.training_recipe import TrainingRecipe, recipe_sha256
from silver.adapters.material import Material, Part
from silver.adapters.offers import Offer, Zoo, failure_note, foreign_offers, judge, training_folder
from silver.adapters.train import FINGERPRINT_SCHEMA, TRAINED_SCHEMA, Collection, Training, adapter_folder, collect, train_recipes
from silver.specs import ADAPTERS


def training_data(lake: Lake, inputs: Inputs, material: Material, artifacts: Path, part: Part) -> tuple[Path, str]:
    """Folder and fingerprint of the training examples, collected by one task the first time and found again after."""
    from pyspark.sql.pandas.types import from_arrow_schema

    folder = training_folder(artifacts, inputs, material, part)
    mark = folder / "fingerprint.txt"
    if mark.exists():
        return folder, mark.read_text()
    plan = Collection(folder, material, part)
    folder.mkdir(parents=True, exist_ok=True)

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return collect(rows, plan)

    frame = inputs.frame().select(*material.columns).coalesce(1)
    fingerprint = str(frame.mapInArrow(verb, from_arrow_schema(FINGERPRINT_SCHEMA)).collect()[0].fingerprint)
    write_text(mark, fingerprint)
    return folder, fingerprint


def build_adapters(lake: Lake, ledger: Ledger, inputs: Inputs, zoo: Zoo, train: bool = True) -> tuple[ScoredAdapter, ...]:
    """Trains recipes that have no adapter yet, registers every adapter that was offered, gives the ready and inert ones."""
    offers = [*_trained(lake, inputs, zoo, train), *foreign_offers(zoo.settings.folders)]
    identity = lake.settings_id(ADAPTERS, zoo.dataset, zoo.adapter_settings(inputs))
    known = {row.adapter_id for row in lake.read(ADAPTERS).where(f"dataset = '{zoo.dataset}' AND settings_id = '{identity}'").collect()}
    with ThreadPoolExecutor(2) as pool:
        judged = list(pool.map(lambda offer: judge(offer, zoo, known), offers))
    rows: dict[str, dict[str, Any]] = {}
    for row, _ in judged:  # of two folders with one content the first counts: a recipe's own knows how it was trained
        rows.setdefault(row["adapter_id"], row | {"dataset": zoo.dataset, "settings_id": identity})
    new = [row for adapter_id, row in rows.items() if adapter_id not in known]
    if new:
        # Before the adapters: killed in between, the next run finds them new again, and the audit's keys keep it from a second row.
        _audit_rejected(lake, [row for row in new if row["status"] == "rejected"])
        ordered = [tuple(row.get(name) for name in ADAPTERS.column_names) for row in sorted(new, key=lambda row: str(row["adapter_id"]))]
        lake.append(ADAPTERS, lake.spark.createDataFrame(ordered, ADAPTERS.ddl()).coalesce(1), len(new))
    if not all(ledger.complete(ADAPTERS, identity, Cell(row["adapter_id"]), row["adapter_id"]) for row in rows.values()):
        ledger.record(ADAPTERS, identity, {Cell(adapter_id): Done(adapter_id, 1, 1) for adapter_id in rows})
    lake.skip(ADAPTERS, len(rows) - len(new))
    usable = {adapter.adapter_id: adapter for _, adapter in judged if adapter is not None}
    return tuple(usable[adapter_id] for adapter_id in sorted(usable))


def _trained(lake: Lake, inputs: Inputs, zoo: Zoo, train: bool) -> list[Offer]:
    """Folders of all recipes, after those that were missing have been trained, one Spark task each.

    Raises ConfigError when some are missing and `train` is False.
    """
    material, recipes = zoo.material, zoo.settings.recipes
    parts = {recipe.name: material.part(recipe) for recipe in recipes}
    data = {part: training_data(lake, inputs, material, zoo.artifacts, part) for part in sorted(set(parts.values()))}
    hashes = {r.name: recipe_sha256(r, zoo.scoring.backbone.sha256, data[parts[r.name]][1]) for r in recipes}
    own = {recipe.name: adapter_folder(zoo.store, recipe, hashes[recipe.name]) for recipe in recipes}
    missing: dict[str, TrainingRecipe] = {}
    for recipe in recipes:
        if find_trained(zoo.store, hashes[recipe.name]) is None and not failure_note(own[recipe.name]).exists():
            missing.setdefault(hashes[recipe.name], recipe)
    if missing and not train:
        names = ", ".join(recipe.name for recipe in missing.values())
        raise ConfigError(f"no adapter yet for {names}: train first (`assay train`), or include silver in --layers")
    for part, (folder, _) in data.items():
        asked = {sha256: recipe for sha256, recipe in missing.items() if parts[recipe.name] == part}
        if asked:
            zoo.store.mkdir(parents=True, exist_ok=True)
            plan = Training(material, folder, zoo.store, zoo.settings.threads)
            waiting = [own[recipe.name] for recipe in asked.values()]
            with Progress(f"training {len(asked)} adapters", len(asked), partial(_count_existing, waiting)):
                _train_missing(lake, asked, plan)
    found = {name: find_trained(zoo.store, sha256) or own[name] for name, sha256 in hashes.items()}
    return [Offer(found[recipe.name], zoo.store, recipe.name) for recipe in recipes]


def _count_existing(folders: Sequence[Path]) -> int:
    return sum(folder.exists() for folder in folders)


def _train_missing(lake: Lake, asked: Mapping[str, TrainingRecipe], plan: Training) -> None:
    from pyspark.sql.pandas.types import from_arrow_schema

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return train_recipes(rows, plan)

    texts = [
        (recipe.model_dump_json(exclude={"update_scale"} if recipe.alpha is not None else {"alpha"}), sha256)
        for sha256, recipe in asked.items()
    ]
    rows = lake.spark.sparkContext.parallelize(texts, len(texts)).toDF("recipe string, recipe_sha256 string")
    for row in rows.mapInArrow(verb, from_arrow_schema(TRAINED_SCHEMA)).collect():
        if row.error_code is not None:
            failure = failure_note(adapter_folder(plan.store, asked[row.recipe_sha256], row.recipe_sha256))
            write_text(failure, json.dumps([row.error_code, row.message]))


def _audit_rejected(lake: Lake, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    where = f"table_name = '{ADAPTERS.full_name}' AND settings_id = '{rows[0]['settings_id']}' AND dataset = '{rows[0]['dataset']}'"
    known = {json.loads(row.key)["adapter_id"] for row in lake.read(AUDIT_REJECTED).where(where).collect()}
    lake.reject(ADAPTERS, len(rows))
    rows = [row for row in rows if row["adapter_id"] not in known]
    if not rows:
        return
    refused = [
        (row["dataset"], ADAPTERS.full_name, json.dumps({"adapter_id": row["adapter_id"]}, separators=(",", ":")), row["settings_id"],
         row["reason"].split(":")[0], row["reason"], lake.run_id)
        for row in rows
    ]  # fmt: skip
    lake.append(AUDIT_REJECTED, lake.spark.createDataFrame(refused, AUDIT_REJECTED.ddl()).coalesce(1), len(refused))
