"""Probe worlds -> gold.inversion_summary, _sweep and _verdict; a world again only when its settings changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pandas as pd

from gold.inversion.adult_files import adult_files, require_adult
from gold.inversion.judge import judge
from gold.inversion.settings import DOMAINS, InversionSettings
from gold.inversion.tables import TABLES, inversion_summary, inversion_sweep, inversion_verdict
from gold.inversion.worlds import WORLDS, World
from gold.table import as_table, to_arrow
from gold.told import told
from lake.door import Lake
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from lake.spec import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINE = 2  # part of every world's hash: raise it with any change of a world, a net or the arithmetic
LIBRARIES = ("numpy", "scikit-learn", "torch", "transformers", "xgboost-cpu")
Task = tuple[str, str, int]
"""(world, model, seed)."""


def dataset_of(world: str) -> str:
    """The name under which a world's rows stand, beside the datasets of the lake."""
    return f"world_{world}"


def build_inversion(lake: Lake, settings: InversionSettings) -> None:
    """Rewrites the rows of each asked world whose settings changed, one world after the other; every model and seed is a task of its own.

    A killed run keeps the worlds that were written. Raises as `require_adult` does.
    """
    asked = [world for world in WORLDS if world.name in settings.worlds]
    require_adult(settings)
    stale = []
    for world in asked:
        ledger, fingerprint = Ledger(lake, dataset_of(world.name)), settings_id(defining(world, settings))
        for table in TABLES:
            lake.settings_id(table, ledger.dataset, defining(world, settings))
        if all(ledger.complete(table, fingerprint, Cell(), fingerprint) for table in TABLES):
            for table in TABLES:
                lake.skip(table, ledger.done(table, fingerprint, Cell()).n_done)  # type: ignore[union-attr]  # complete says so
        else:
            stale.append((world, ledger, fingerprint))
    if not stale:
        _build_domains(lake, asked, settings)
        return
    with Progress("inversion in probe worlds", sum(len(world.models) for world, *_ in stale) * len(settings.seeds)) as progress:
        for world, ledger, fingerprint in stale:
            tasks = [(world.name, model, seed) for model in world.models for seed in settings.seeds]
            _write(lake, ledger, _rows(_computed(lake, tasks, settings, progress), settings), fingerprint)
    _build_domains(lake, asked, settings)


def defining(world: World, settings: InversionSettings) -> dict[str, object]:
    """All that defines a world's rows: of the settings those that it reads, the code's version, libraries, and UCI Adult's bytes."""
    own = settings.model_dump(mode="json", exclude={"worlds", "adult", "examples"}) | {"n": getattr(settings.examples, world.domain)}
    parts: dict[str, object] = {
        "engine": ENGINE,
        "world": world.name,
        "settings": own,
        "libraries": {one: version(one) for one in LIBRARIES},
    }
    if world.name == "adult":
        parts["files"] = [hashlib.sha256(file.read_bytes()).hexdigest() for file in adult_files(settings.adult)]
    return parts


def _build_domains(lake: Lake, asked: Sequence[World], settings: InversionSettings) -> None:
    """One verdict per domain over the asked worlds, from the rows that are there now."""
    if not asked:
        return
    ledger, prints = Ledger(lake, DOMAINS), {world.name: defining(world, settings) for world in asked}
    fingerprint, table = settings_id(prints), inversion_verdict.SPEC
    lake.settings_id(table, ledger.dataset, prints)
    if ledger.complete(table, fingerprint, Cell(), fingerprint):
        lake.skip(table, ledger.done(table, fingerprint, Cell()).n_done)  # type: ignore[union-attr]  # complete says so
        return
    names = ", ".join(f"'{dataset_of(world.name)}'" for world in asked)
    summary = lake.read(inversion_summary.SPEC).where(f"dataset IN ({names})").toPandas()
    _write(lake, ledger, {table.name: inversion_verdict.of_domains(summary, settings.level)}, fingerprint, (table,))


def _computed(lake: Lake, tasks: Sequence[Task], settings: InversionSettings, progress: Progress) -> dict[Task, dict[str, Any]]:
    """What each task gives back: a Spark job of one task each, as many at once as there are cores."""

    def work(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            for world, model, seed in batch.itertuples(index=False, name=None):
                yield pd.DataFrame({"content": [_content(str(world), str(model), int(seed), settings)]})

    def of(task: Task) -> dict[str, Any]:
        frame = lake.spark.createDataFrame([task], "world string, model string, seed bigint").coalesce(1)
        (row,) = frame.mapInPandas(work, "content string").collect()
        progress.step()
        found: dict[str, Any] = json.loads(row.content)
        return found

    with ThreadPoolExecutor(max(1, lake.spark.sparkContext.defaultParallelism)) as pool:
        return dict(zip(tasks, pool.map(of, tasks), strict=True))


def _content(world: str, model: str, seed: int, settings: InversionSettings) -> str:
    """One task's records as JSON."""

    def work() -> dict[str, Any]:
        found = judge(next(one for one in WORLDS if one.name == world), model, seed, settings)
        return {"summary": found.summary, "sweep": found.sweep}

    return told(work)


def _rows(found: Mapping[Task, Mapping[str, Any]], settings: InversionSettings) -> dict[str, list[dict[str, object]]]:
    """The rows of each table of one world, from those of its tasks."""
    summary = [one | {"reason": _reason(one)} for part in found.values() for one in part["summary"]]
    return {
        inversion_summary.SPEC.name: summary,
        inversion_sweep.SPEC.name: inversion_sweep.swept([one for part in found.values() for one in part["sweep"]]),
        inversion_verdict.SPEC.name: inversion_verdict.verdicts(pd.DataFrame(summary), settings.level),
    }


def _write(
    lake: Lake, ledger: Ledger, rows: Mapping[str, Sequence[Mapping[str, object]]], fingerprint: str, tables: Sequence[Table] = TABLES
) -> None:
    ledger.reopen(tables, fingerprint)
    for table in tables:
        frame = as_table(table, ledger.dataset, rows[table.name]).assign(settings_id=fingerprint)
        lake.create(table)
        lake.replace(table, lake.spark.createDataFrame(to_arrow(table, frame)).coalesce(1), len(frame), dataset=ledger.dataset)
    for table in tables:
        ledger.forget(table)
        ledger.note(table, fingerprint, {Cell(): Done(fingerprint, len(rows[table.name]), len(rows[table.name]))})
    ledger.commit()


def _reason(record: Mapping[str, Any]) -> str | None:
    if record["inversion_score"] is not None:
        return None
    lacking = "output" if record["reliance"] is None else "effects of units"
    return f"no inversion score: the model's {lacking} did not differ by more than rounding on any example"
