"""Pictures of bronze, and heads of silver -> gold.provenance_*; a network is trained again only when something that it rests on changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gold.provenance.pictures import COLUMNS, COUNTED, Collecting, Corrupt, collect
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.tables import TABLES
from gold.provenance.tasks import Task, perform, rows_of, tasks_of
from gold.table import as_table, to_arrow
from lake.door import Lake
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from models.atomic import write_text
from models.decode import DecodeLimits

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ENGINE = 1  # part of every task's hash: raise it with any change of a network, a task or the arithmetic
LIBRARIES = ("numpy", "scikit-learn", "scipy", "torch")


@dataclass(frozen=True)
class ProvenanceInputs:
    """What the networks learn from. `frame`: example_id, label_id, split, image of splits adapter_train and meta; `sha256`: which examples
    these are; `cells`: (corruption, severity) that meta is met under, by `corrupt`, which `shift_settings` define; `artifacts`: a folder
    that driver and workers share."""

    dataset: str
    frame: Callable[[], DataFrame]
    sha256: str
    n_classes: int
    limits: DecodeLimits
    cells: tuple[tuple[str, int], ...]
    corrupt: Corrupt
    shift_settings: Mapping[str, object]
    artifacts: Path


def build_provenance(lake: Lake, ledger: Ledger, inputs: ProvenanceInputs, settings: ProvenanceSettings) -> None:
    """Rewrites the dataset's rows of the provenance tables when an arm, an application or what they rest on changed.

    Every task (a network and a seed, an application and a seed) keeps its records in a file under `artifacts`: killed at any point, and
    run again, or with an arm more, only tasks that have no file are performed.
    """
    if not settings.arms:
        return
    tasks = tasks_of(settings)
    base = {
        "engine": ENGINE,
        "examples": inputs.sha256,
        "shifts": [list(inputs.cells), dict(inputs.shift_settings)],
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    defining = base | {"settings": settings, "tasks": [task.told() for task in tasks]}
    fingerprint = settings_id(defining)
    for table in TABLES:
        lake.settings_id(table, inputs.dataset, defining)
    if all(ledger.complete(table, fingerprint, Cell(), fingerprint) for table in TABLES):
        for table in TABLES:
            lake.skip(table, ledger.done(table, fingerprint, Cell()).n_done)  # type: ignore[union-attr]  # complete says so
        return
    folder = inputs.artifacts / "provenance" / inputs.dataset
    files = {task: folder / f"{settings_id(base | {'task': task.told(), 'read': task.reads(settings)})}.json" for task in tasks}
    missing = [task for task, file in files.items() if not file.exists()]
    if missing:
        _perform(lake, inputs, settings, folder / f"pictures-{settings_id(base)}.npz", {task: files[task] for task in missing})
    told = {task: json.loads(file.read_text(encoding="utf-8")) for task, file in files.items()}
    _write(lake, ledger, inputs.dataset, rows_of(told, settings), fingerprint)


def _perform(lake: Lake, inputs: ProvenanceInputs, settings: ProvenanceSettings, pictures: Path, files: Mapping[Task, Path]) -> None:
    """Each task as a Spark job of one task, as many at once as there are cores; each leaves its file."""
    if not pictures.exists():
        _collect(inputs, pictures)

    def work(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            for text in batch["task"]:
                yield pd.DataFrame({"content": [_content(Task.read(json.loads(text)), pictures, settings)]})

    def of(task: Task) -> None:
        frame = lake.spark.createDataFrame([(json.dumps(task.told()),)], "task string").coalesce(1)
        (row,) = frame.mapInPandas(work, "content string").collect()
        write_text(files[task], row.content)
        progress.step()

    with (
        Progress(f"provenance of {inputs.dataset}", len(files)) as progress,
        ThreadPoolExecutor(max(1, lake.spark.sparkContext.defaultParallelism)) as pool,
    ):
        list(pool.map(of, files))


def _content(task: Task, pictures: Path, settings: ProvenanceSettings) -> str:
    """One task's records as JSON, NaN as null; on one thread, so that the same task says the same anywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = perform(task, pictures, settings)
    finally:
        torch.set_num_threads(before)
    return json.dumps(_plain(found), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _collect(inputs: ProvenanceInputs, path: Path) -> None:
    from pyspark.sql.pandas.types import from_arrow_schema

    plan = Collecting(path, inputs.limits, inputs.n_classes, inputs.cells, inputs.corrupt)

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return collect(rows, plan)

    inputs.frame().select(*COLUMNS).coalesce(1).mapInArrow(verb, from_arrow_schema(COUNTED)).collect()


def _write(lake: Lake, ledger: Ledger, dataset: str, rows: Mapping[str, Sequence[Mapping[str, object]]], fingerprint: str) -> None:
    ledger.reopen(TABLES, fingerprint)
    for table in TABLES:
        frame = as_table(table, dataset, list(rows.get(table.name, ()))).assign(settings_id=fingerprint)
        lake.create(table)
        lake.replace(table, lake.spark.createDataFrame(to_arrow(table, frame)).coalesce(1), len(frame), dataset=dataset)
    for table in TABLES:
        ledger.forget(table)
        ledger.note(table, fingerprint, {Cell(): Done(fingerprint, len(rows.get(table.name, ())), len(rows.get(table.name, ())))})
    ledger.commit()
