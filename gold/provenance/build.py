"""Pictures of bronze and heads of silver -> gold.provenance_*; a network is trained again only when something that it rests on changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

import numpy as np
import pandas as pd
import pyarrow as pa

from bronze.specs import EMBEDDINGS, EXAMPLES
from gold.provenance.figures import K
from gold.provenance.heads import KNN, PAIRED, HeadInputs, against_knn, plain, summaries
from gold.provenance.pictures import COLUMNS, COUNTED, META, TRAIN, Collecting, Corrupt, collect
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.tables import TABLES
from gold.provenance.tables.provenance_summary import SPEC as SUMMARY
from gold.provenance.tables.provenance_verdict import SPEC as VERDICT
from gold.provenance.tasks import Task, perform, rows_of, tasks_of
from gold.table import as_table, to_arrow
from gold.told import told
from lake.door import Lake
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from lake.spec import Table
from models.atomic import write_text
from models.decode import DecodeLimits
from models.stored_vectors import vectors_of
from silver.specs import EXEMPLARS, HEADS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ENGINE = 1  # part of every task's hash: raise it with any change of a network, a task or the arithmetic
WRITERS = 3  # a small commit mostly waits for the log, so a few at once cost little more than one
LIBRARIES = ("numpy", "pillow", "scikit-learn", "scipy", "torch")


@dataclass(frozen=True)
class PictureInputs:
    """What conv nets learn from. `frame`: example_id, label_id, split, image of splits adapter_train and meta; `sha256`: which examples
    these are; `cells`: (corruption, severity) that meta is met under, by `corrupt`, which `shift_settings` define; `artifacts`: a folder
    that driver and workers share."""

    frame: Callable[[], DataFrame]
    sha256: str
    n_classes: int
    limits: DecodeLimits
    cells: tuple[tuple[str, int], ...]
    corrupt: Corrupt
    shift_settings: Mapping[str, object]
    artifacts: Path


@dataclass(frozen=True)
class ProvenanceInputs:
    """The dataset's pictures where networks are trained on them, and its heads over embeddings where there are any."""

    dataset: str
    pictures: PictureInputs | None
    heads: HeadInputs | None


def build_provenance(lake: Lake, ledger: Ledger, inputs: ProvenanceInputs, settings: ProvenanceSettings) -> None:
    """Rewrites the dataset's rows of the provenance tables when an arm, an application, a head or what they rest on changed.

    Every task (a network and a seed, an application and a seed) keeps its records in a file under `artifacts`: killed at any point, and
    run again, or with an arm more, only tasks that have no file are performed.
    """
    pictures, heads = inputs.pictures, inputs.heads
    if pictures is None and heads is None:
        return
    tasks = [] if pictures is None else tasks_of(settings)
    base: dict[str, object] = {"engine": ENGINE, "libraries": {name: version(name) for name in LIBRARIES}}
    shifts: object = None
    if pictures is not None:
        base |= {"examples": pictures.sha256}
        shifts = [list(pictures.cells), dict(pictures.shift_settings)]
    defining = base | {
        "shifts": shifts,
        "settings": settings,
        "tasks": [task.told() for task in tasks],
        "heads": None if heads is None else heads.sha256,
    }
    fingerprint = settings_id(defining)
    for table in TABLES:
        lake.settings_id(table, inputs.dataset, defining)
    if all(ledger.complete(table, fingerprint, Cell(), fingerprint) for table in TABLES):
        for table in TABLES:
            lake.skip(table, ledger.done(table, fingerprint, Cell()).n_done)  # type: ignore[union-attr]  # complete says so
        return
    rows: dict[str, list[dict[str, object]]] = {}
    if pictures is not None:
        folder = pictures.artifacts / "provenance" / inputs.dataset
        files = {task: folder / f"{settings_id(base | _defining(task, settings, shifts))}.json" for task in tasks}
        missing = {task: file for task, file in files.items() if _known(file) is None}
        if missing:
            named = settings_id(base | {"shifts": shifts})
            _perform(lake, inputs.dataset, pictures, settings, folder / f"pictures-{named}.npz", missing)
        rows = rows_of({task: _known(file) or {} for task, file in files.items()}, settings)
    if heads is not None:
        with Progress(f"heads of {inputs.dataset}", 1) as progress:
            summary, verdict = _of_heads(lake, heads)
            progress.step()
        rows.setdefault(SUMMARY.name, []).extend(summary)
        rows.setdefault(VERDICT.name, []).extend(verdict)
    _write(lake, ledger, inputs.dataset, rows, fingerprint)


def _defining(task: Task, settings: ProvenanceSettings, shifts: object) -> dict[str, object]:
    """What makes a task's records what they are, besides the pictures and the code."""
    parts: dict[str, object] = {"task": task.told(), "read": task.reads(settings)}
    return parts | ({"shifts": shifts} if task.meets_shifts(settings) else {})


def _known(file: Path) -> dict[str, list[dict[str, object]]] | None:
    """A task's records; None where it has left none, or a file that a full disk or a person has cut: it is performed again."""
    try:
        found: dict[str, list[dict[str, object]]] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _of_heads(lake: Lake, inputs: HeadInputs) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Records of the dataset's heads and of logistic regression on the vectors that they read; and of the heads against kNN."""
    from pyspark.sql import functions as F

    mine = F.col("dataset") == inputs.dataset
    heads = lake.read(HEADS).where(mine & F.col("head_id").isin(list(inputs.exemplar_ids))).toPandas()
    meta = lake.read(EXAMPLES).where(mine & (F.col("settings_id") == inputs.examples_id) & F.col("split").isin(TRAIN, META))
    meta = meta.select("example_id", "split", "label_id")
    named = lake.read(EXEMPLARS).where(mine & F.col("settings_id").isin(list(inputs.exemplar_ids.values())) & (F.col("rank") <= K))
    same = F.col("same_class").cast("int")
    each = named.join(meta.where(F.col("split") == META), "example_id").groupBy("head_id", "example_id").agg(
        F.max((F.col("predicted_id") == F.col("label_id")).cast("int")).alias("right"),
        F.max(F.when(F.col("rank") == 1, same)).alias("first"),
        F.max(same).alias("any"),
        F.avg(same).alias("shared"),
    )  # fmt: skip
    sums = [F.sum(F.coalesce(name, F.lit(0))).cast("double").alias(name) for name in ("right", "first", "any", "shared")]
    counts = each.groupBy("head_id").agg(F.count("*").alias("n"), *sums).toPandas()
    summary = [*summaries(heads, counts, inputs), _plain(lake, inputs, meta)]
    asked = heads[(heads["variant"] == KNN) & heads["head_id"].isin(counts["head_id"])]
    if asked.empty:
        return summary, []
    knn = str(asked["head_id"].iloc[0])
    theirs = each.where(F.col("head_id") == knn).select("example_id", *(F.coalesce(name, F.lit(0)).alias(f"knn_{name}") for name in PAIRED))
    both = each.where(F.col("head_id") != knn).join(theirs, "example_id")
    sums = [
        of(F.coalesce(name, F.lit(0)) - F.col(f"knn_{name}")).cast("double").alias(f"{told}_{name}")
        for name in PAIRED
        for told, of in (("mean", F.avg), ("sd", F.stddev_samp))
    ]
    apart = both.groupBy("head_id").agg(F.count("*").alias("n"), *sums).toPandas()
    return summary, against_knn(heads, counts, apart)


def _plain(lake: Lake, inputs: HeadInputs, examples: DataFrame) -> dict[str, object]:
    """Logistic regression, fitted and asked in one task."""
    from pyspark.sql import functions as F

    rows = lake.read(EMBEDDINGS).where((F.col("dataset") == inputs.dataset) & (F.col("settings_id") == inputs.embeddings_id))

    def work(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        frame = pd.concat(list(batches)).sort_values("example_id")
        train, meta = (frame[frame["split"] == split] for split in (TRAIN, META))
        vectors = [vectors_of(part["pooled"].tolist()) for part in (train, meta)]
        known, asked = (part["label_id"].to_numpy(np.int64) for part in (train, meta))
        yield pd.DataFrame({"content": [told(partial(plain, vectors[0], known, vectors[1], asked))]})

    frame = rows.select("example_id", "pooled").join(examples, "example_id").coalesce(1)
    (row,) = frame.mapInPandas(work, "content string").collect()
    record: dict[str, object] = json.loads(row.content)
    return record


def _perform(
    lake: Lake, dataset: str, inputs: PictureInputs, settings: ProvenanceSettings, pictures: Path, files: Mapping[Task, Path]
) -> None:
    """Each task as a Spark job of one task, as many at once as there are cores; each leaves its file."""
    if not is_zipfile(pictures):  # absent, or cut by a full disk: then what lists its parts, at its end, is not there
        _collect(inputs, pictures)

    def work(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            for text in batch["task"]:
                yield pd.DataFrame({"content": [told(partial(perform, Task.read(json.loads(text)), pictures, settings))]})

    def of(task: Task) -> None:
        frame = lake.spark.createDataFrame([(json.dumps(task.told()),)], "task string").coalesce(1)
        (row,) = frame.mapInPandas(work, "content string").collect()
        write_text(files[task], row.content)
        progress.step()

    with (
        Progress(f"provenance of {dataset}", len(files)) as progress,
        ThreadPoolExecutor(max(1, lake.spark.sparkContext.defaultParallelism)) as pool,
    ):
        list(pool.map(of, files))


def _collect(inputs: PictureInputs, path: Path) -> None:
    from pyspark.sql.pandas.types import from_arrow_schema

    plan = Collecting(path, inputs.limits, inputs.n_classes, inputs.cells, inputs.corrupt)

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return collect(rows, plan)

    inputs.frame().select(*COLUMNS).coalesce(1).mapInArrow(verb, from_arrow_schema(COUNTED)).collect()


def _write(lake: Lake, ledger: Ledger, dataset: str, rows: Mapping[str, Sequence[Mapping[str, object]]], fingerprint: str) -> None:
    ledger.reopen(TABLES, fingerprint)

    def write(table: Table) -> None:
        frame = as_table(table, dataset, list(rows.get(table.name, ()))).assign(settings_id=fingerprint)
        lake.create(table)
        lake.replace(table, lake.spark.createDataFrame(to_arrow(table, frame)).coalesce(1), len(frame), dataset=dataset)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, TABLES))
    for table in TABLES:
        ledger.forget(table)
        ledger.note(table, fingerprint, {Cell(): Done(fingerprint, len(rows.get(table.name, ())), len(rows.get(table.name, ())))})
    ledger.commit()
