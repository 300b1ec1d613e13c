"""Recipes and adapter folders -> trained adapters -> silver.adapters, and what workers need to score with the usable ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.audit import REJECTED as AUDIT_REJECTED
from lake.door import Lake
from lake.fill import Inputs
from lake.ledger import Cell, Done, Ledger
from models.scored_adapter import ScoredAdapter
from models.text_recipe import TextRecipe
from models.training_recipe import TrainingRecipe
from silver.adapters.offers import Offer, Zoo, foreign_offers, judge
from silver.adapters.steered.build import steered_data
from silver.adapters.training.build import Data, trained_folders, training_data
from silver.priors.jobs import Job
from silver.priors.work import Generation
from silver.specs import ADAPTERS


@dataclass(frozen=True)
class Registered:
    """What a dataset has after its adapters were brought up to date: those that can be used, and the priors that steered some of them."""

    adapters: tuple[ScoredAdapter, ...]
    priors: Mapping[Job, Generation]


def build_adapters(lake: Lake, ledger: Ledger, inputs: Inputs, zoo: Zoo, train: bool = True) -> Registered:
    """Trains recipes that have no adapter yet, registers every adapter that was offered, gives the ready and inert ones."""
    trained, priors = _trained(lake, ledger, inputs, zoo, train)
    guests = [] if zoo.guest is None else [Offer(zoo.guest, zoo.guest.parent, zoo.guest.name)]
    offers = [*trained, *foreign_offers(zoo.settings.folders), *guests]
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
    return Registered(tuple(usable[adapter_id] for adapter_id in sorted(usable)), priors)


def _trained(lake: Lake, ledger: Ledger, inputs: Inputs, zoo: Zoo, train: bool) -> tuple[list[Offer], dict[Job, Generation]]:
    """Folders of all recipes, after those that were missing have been trained: first those that nothing steers, whose adapters may be what
    priors of the others are read from. Raises ConfigError when some are missing and `train` is False."""
    material, recipes = zoo.material, zoo.settings.recipes
    steered = [recipe for recipe in recipes if isinstance(recipe, TextRecipe) and recipe.priors is not None]
    parts = {recipe: material.part(recipe) for recipe in recipes}
    collected = {part: training_data(lake, inputs, material, zoo.artifacts, part) for part in sorted(set(parts.values()))}
    plain: dict[TrainingRecipe, Data] = {recipe: collected[parts[recipe]] for recipe in recipes if recipe not in steered}
    folders: dict[TrainingRecipe, Path] = {**trained_folders(lake, zoo, plain, train)}
    priors: dict[Job, Generation] = {}
    if steered:
        data, priors = steered_data(lake, ledger, inputs, zoo, collected[parts[steered[0]]], steered, train)
        of_steered = trained_folders(lake, zoo, data, train)
        folders.update(iter(of_steered.items()))
    return [Offer(folders[recipe], zoo.store, recipe.name) for recipe in recipes], priors


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
