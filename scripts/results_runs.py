"""Where did a finished lake's time go, and which command makes it again?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from lake.identity import canonical_json
from pipelines.config import load_config
from pipelines.sql.duck import exists, opened
from pipelines.tables import TABLES

# What a run has done when this table gets its last commit. The backbone is pre-trained before the embeddings.
STAGES = {
    "bronze.examples": "examples",
    "bronze.references": "examples",
    "bronze.rejected": "examples",
    "bronze.embeddings": "backbone and embeddings",
    "silver.adapters": "adapters",
    "silver.predictions": "clean predictions",
    "silver.attributions": "attributions",
    "silver.explanation_metrics": "explanation metrics",
    "ood.predictions": "predictions under corruption",
    "gold": "gold",
}
# Only of texts, and named only where there are any.
OF_TEXTS = {"silver.priors": "attribution priors", "ood.attacked_texts": "attacked texts"}
# Where the files lie on a machine says nothing about a result.
PLACES = ("lake", "artifacts", "source.root", "adapters.folders", "backbone.name", "priors.scorer.name")


@dataclass(frozen=True)
class Commit:
    """One commit that carried rows: wall clock in seconds since 1970, the run that made it, the stage it belongs to."""

    seconds: float
    run_id: str
    stage: str


def commits(lake: Path) -> list[Commit]:
    """Every commit of a run, in the order of the clock."""
    found = []
    for table in TABLES:
        stage = STAGES.get(table.full_name) or OF_TEXTS.get(table.full_name) or STAGES.get(table.layer)
        if stage is None or not exists(str(lake), table):
            continue
        for entry in opened(str(lake), table).history():
            run_id = json.loads(entry.get("userMetadata") or "{}").get("run_id")
            if run_id:
                found.append(Commit(entry["timestamp"] / 1000, run_id, stage))
    return sorted(found, key=lambda commit: commit.seconds)


def stage_seconds(found: Sequence[Commit], starts: Mapping[str, float]) -> dict[str, float]:
    """Stage -> wall seconds over all runs: a commit's stage gets the time since the run's commit before it.

    `starts`: run -> its first second. A run that was killed has none: what it spent before its first commit is not known and left out.
    """
    total = dict.fromkeys([*STAGES.values(), *(stage for stage in OF_TEXTS.values() if any(one.stage == stage for one in found))], 0.0)
    for run_id in dict.fromkeys(commit.run_id for commit in found):
        mine = [commit for commit in found if commit.run_id == run_id]
        if run_id in starts:
            total[mine[0].stage] += max(0.0, mine[0].seconds - starts[run_id])
        for before, after in pairwise(mine):
            total[after.stage] += after.seconds - before.seconds
    return total


def started(runs: pd.DataFrame, found: Sequence[Commit]) -> dict[str, float]:
    """Run -> its first second. Lakes of 0.1.0 wrote down the end as `started_at`: it then lies behind the run's first commit."""
    first: dict[str, float] = {}
    for commit in found:
        first.setdefault(commit.run_id, commit.seconds)
    starts = {}
    for row in runs.to_dict("records"):
        clock, run_id = row["started_at"].timestamp(), str(row["run_id"])
        starts[run_id] = clock - row["seconds"] if clock > first.get(run_id, clock) else clock
    return starts


def day(seconds: float) -> str:
    """The day of a second since 1970, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def command(root: Path, config: Mapping[str, Any], lake: str) -> str:
    """`assay run` as it makes this lake, from the file in `configs/` with this dataset; keys that differ from it become --set.

    Where no file has the dataset, the page says where the configuration is to be found.
    """
    for path in sorted((root / "configs").rglob("*.yaml")):
        shipped = json.loads(canonical_json(load_config(path)))
        if shipped["dataset"] == config["dataset"]:
            changes = [f"--set {shlex.quote(f'{key}={json.dumps(value)}')}" for key, value in _differences(shipped, config)]
            return " ".join([f"assay run {path.relative_to(root)} --lake {lake}", *changes])
    return f"assay run CONFIG --lake {lake}  # the configuration is not in configs/; audit.runs.config of the lake holds it"


def _differences(shipped: Any, used: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Keys whose values differ, in order; lists are one value. `defaults` only fill the recipes, which are compared themselves."""
    for key in sorted({*shipped, *used}):
        name = f"{path}{key}"
        before, after = shipped.get(key), used.get(key)
        if before == after or name in PLACES or name == "adapters.defaults":
            continue
        if key not in used and not isinstance(before, dict) and name != "examined":  # which is left out where it is null
            continue  # a key that came after the run: what the file leaves out now means what was done then
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differences(before, after, f"{name}.")
        elif name == "adapters.recipes" and (common := _changed_in_all(before, after)) is not None:
            yield from common.items()
        else:
            yield name, after


def _changed_in_all(shipped: Sequence[dict[str, Any]], used: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Keys of `adapters.defaults` that turn the shipped recipes into the used ones; None where no default can."""
    if [recipe["name"] for recipe in shipped] != [recipe["name"] for recipe in used]:
        return None
    found: dict[str, Any] = {}
    for before, after in zip(shipped, used, strict=True):
        found |= {f"adapters.defaults.{key}": after[key] for key in after if after[key] != before.get(key)}
    alike = all(recipe[key.rpartition(".")[2]] == value for recipe in used for key, value in found.items())
    return found if alike else None
