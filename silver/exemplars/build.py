"""bronze.embeddings -> heads, trained where they are missing -> silver.heads, silver.exemplars, and what they say of adapters' answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bronze.specs import EMBEDDINGS
from bronze.specs import EXAMPLES as BRONZE_EXAMPLES
from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs, Stage, Variant, fill, unfinished
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from lake.rows import ERROR_COLUMNS, Identity
from models.atomic import write_text
from silver.exemplars.artifact import read_head
from silver.exemplars.exemplify import Exemplifying, exemplify
from silver.exemplars.manifest import HeadManifest, read_manifest
from silver.exemplars.plan import ExemplarPlan, Head, failure_note
from silver.exemplars.settings import ExemplarSettings
from silver.exemplars.specs import EXEMPLARS, HEADS
from silver.exemplars.support import support
from silver.exemplars.train import TRAINED_SCHEMA, train_heads
from silver.exemplars.training_set import STAMP_SCHEMA, collect, stamp
from silver.specs import EXPLANATION_METRICS, PREDICTIONS, PROVENANCE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TRAINING = "adapter_train"


def planned(
    lake: Lake,
    dataset: str,
    labels: tuple[str, ...],
    backbone: str,
    examples_id: str,
    embeddings_id: str,
    settings: ExemplarSettings,
    folder: Path,
) -> ExemplarPlan:
    """What is asked of a dataset whose embeddings are there; `folder`: of its heads. Raises ConfigError where there is no training example,
    or where something else is withdrawn: a slip there would show what must not be shown."""
    from pyspark.sql.pandas.types import from_arrow_schema

    withdrawn = settings.withdrawn

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return stamp(rows, withdrawn)

    frame = _training(lake, dataset, examples_id, embeddings_id).select("example_id", "label_id").coalesce(1)
    told = frame.mapInArrow(verb, from_arrow_schema(STAMP_SCHEMA)).collect()  # of no rows at all there is no task
    if not told or not told[0].n_train:
        raise ConfigError(
            f"exemplars.heads need examples of split {TRAINING} with an embedding by {backbone}, found none: include bronze in --layers, "
            "or give that split a share"
        )
    (found,) = told
    if found.unknown:
        raise ConfigError(
            f"exemplars.withdrawn must name training examples, found others: {', '.join(found.unknown)}; correct or remove them"
        )
    return ExemplarPlan(dataset, labels, backbone, examples_id, embeddings_id, settings, found.fingerprint, found.n_train, folder)


def build_exemplars(lake: Lake, ledger: Ledger, meta: Inputs, plan: ExemplarPlan) -> None:
    """Trains the heads that are missing, registers all, and names the training examples behind each of `meta`.

    Raises ArtifactError where a head on disk is damaged or knows other training examples.
    """
    stages = {head.head_id: _exemplar_stage(lake, plan, head) for head in plan.heads}
    missing = [head for head in plan.usable if not plan.head_folder(head).exists()]
    waiting = [head for head in plan.usable if unfinished(ledger, stages[head.head_id], meta)]
    for head in waiting:
        if head not in missing:
            read_head(plan.head_folder(head), plan.fingerprint)  # a damaged one is said here, not by a worker
    if missing or waiting:
        _collect(lake, plan)
    _train(lake, plan, missing)
    _register(lake, ledger, plan)
    for head in plan.usable:
        fill(lake, ledger, stages[head.head_id], replace(meta, frame=lambda: _with_vectors(lake, meta.frame(), plan)))


def build_support(
    lake: Lake, ledger: Ledger, examined: Inputs, plan: ExemplarPlan, adapter_ids: Sequence[str], predictions_id: str
) -> None:
    """Brings group provenance of silver.explanation_metrics up to date, of the examples `examined` and these adapters."""
    for head, part in zip(plan.usable, plan.parts(predictions_id), strict=True):
        identity = lake.settings_id(EXPLANATION_METRICS, plan.dataset, plan.metric_settings(head, predictions_id))
        variants = tuple(_variant(name, head) for name in adapter_ids)
        mine = Identity(plan.dataset, identity, variants)

        def verb(rows: Iterator[pa.RecordBatch], mine: Identity = mine) -> Iterator[pa.RecordBatch]:
            return support(rows, mine, plan.settings.k)

        def compute(frame: DataFrame, verb: Any = verb) -> DataFrame:
            return frame.mapInArrow(verb, EXPLANATION_METRICS.ddl(ERROR_COLUMNS))

        stage = Stage(EXPLANATION_METRICS, identity, mine.variants, compute, part.name)
        waiting = sorted({str(mine.variants[index]["adapter_id"]) for index in unfinished(ledger, stage, examined)})
        frame = partial(_with_support, lake, examined, plan, head, predictions_id, waiting)
        fill(lake, ledger, stage, replace(examined, frame=frame))


def _variant(adapter_id: str, head: Head) -> dict[str, str | int]:
    return {"adapter_id": adapter_id, "method": head.name, "metric_group": PROVENANCE}


def _exemplar_stage(lake: Lake, plan: ExemplarPlan, head: Head) -> Stage:
    identity = lake.settings_id(EXEMPLARS, plan.dataset, plan.exemplar_settings(head))
    ranks: tuple[Variant, ...] = tuple({"head_id": head.head_id, "rank": rank + 1} for rank in range(plan.settings.k))
    work = Exemplifying(plan, head, Identity(plan.dataset, identity, ranks))

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return exemplify(rows, work)

    columns = ("example_id", "label_id", "pooled", "todo")
    return Stage(EXEMPLARS, identity, ranks, lambda frame: frame.select(*columns).mapInArrow(verb, EXEMPLARS.ddl(ERROR_COLUMNS)), head.name)


def _training(lake: Lake, dataset: str, examples_id: str, embeddings_id: str) -> DataFrame:
    """example_id, label_id, pooled of the training examples that are embedded."""
    from pyspark.sql import functions as F

    mine = (F.col("dataset") == dataset) & (F.col("settings_id") == examples_id) & (F.col("split") == TRAINING)
    examples = lake.read(BRONZE_EXAMPLES).where(mine).select("example_id", "label_id")
    return examples.join(_vectors(lake, dataset, embeddings_id), "example_id")


def _vectors(lake: Lake, dataset: str, embeddings_id: str) -> DataFrame:
    from pyspark.sql import functions as F

    rows = lake.read(EMBEDDINGS).where((F.col("dataset") == dataset) & (F.col("settings_id") == embeddings_id))
    return rows.select("example_id", "pooled")


def _with_vectors(lake: Lake, examples: DataFrame, plan: ExemplarPlan) -> DataFrame:
    """The examples with what the backbone makes of them; null where that was rejected."""
    vectors = _vectors(lake, plan.dataset, plan.embeddings_id)
    return examples.select("example_id", "label_id").join(vectors, "example_id", "left")


def _with_support(lake: Lake, examined: Inputs, plan: ExemplarPlan, head: Head, predictions_id: str, adapters: list[str]) -> DataFrame:
    """The examples with the head's exemplars and these adapters' answers as one list each, null where there are none."""
    from pyspark.sql import functions as F

    own = (F.col("dataset") == plan.dataset) & (F.col("settings_id") == settings_id(plan.exemplar_settings(head)))
    named = lake.read(EXEMPLARS).where(own & (F.col("head_id") == head.head_id))
    entry = F.struct("rank", "train_label_id", "probability", "distance")
    named = named.groupBy("example_id").agg(F.collect_list(entry).alias("exemplars"))
    own = (F.col("dataset") == plan.dataset) & (F.col("settings_id") == predictions_id) & F.col("adapter_id").isin(adapters)
    told = lake.read(PREDICTIONS).where(own)
    told = told.groupBy("example_id").agg(F.collect_list(F.struct("adapter_id", "predicted_id")).alias("predicted"))
    return examined.frame().select("example_id").join(named, "example_id", "left").join(told, "example_id", "left")


def _collect(lake: Lake, plan: ExemplarPlan) -> None:
    """The folder that all heads read, made by one task the first time and found again after."""
    from pyspark.sql.pandas.types import from_arrow_schema

    if plan.training_folder.exists():
        return
    folder, fingerprint = plan.training_folder, plan.fingerprint

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return collect(rows, folder, fingerprint)

    frame = _training(lake, plan.dataset, plan.examples_id, plan.embeddings_id).coalesce(1)
    frame.mapInArrow(verb, from_arrow_schema(STAMP_SCHEMA)).collect()


def _train(lake: Lake, plan: ExemplarPlan, missing: Sequence[Head]) -> None:
    """Every missing head in a task of its own; why one failed is written beside its folder."""
    from pyspark.sql.pandas.types import from_arrow_schema

    if not missing:
        return

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return train_heads(rows, plan)

    folders = {head.head_id: plan.head_folder(head) for head in missing}
    with Progress(f"training {len(missing)} heads", len(missing), lambda: sum(folder.exists() for folder in folders.values())):
        names = lake.spark.sparkContext.parallelize([(head_id,) for head_id in folders], len(folders)).toDF("head_id string")
        for row in names.mapInArrow(verb, from_arrow_schema(TRAINED_SCHEMA)).collect():
            if row.error_code is not None:
                write_text(failure_note(folders[row.head_id]), json.dumps([row.error_code, row.message]))


def _register(lake: Lake, ledger: Ledger, plan: ExemplarPlan) -> None:
    """One row of silver.heads per head that has none; of a head whose training failed before and was tried again, a row in its place."""
    for head in plan.heads:
        identity = lake.settings_id(HEADS, plan.dataset, head.defining)  # its hash is head_id: a head is its settings
        made_from = plan.fingerprint if head in plan.usable else f"{plan.fingerprint} failed"
        if ledger.complete(HEADS, identity, Cell(corruption=head.name), made_from):
            lake.skip(HEADS, 1)
            continue
        row = _row(plan, head) | {"dataset": plan.dataset, "settings_id": identity}
        known = lake.read(HEADS).where(f"dataset = '{plan.dataset}' AND head_id = '{head.head_id}'").select("status").collect()
        if not known or known[0].status != row["status"]:
            ordered = tuple(row.get(name) for name in HEADS.column_names)
            lake.replace(
                HEADS, lake.spark.createDataFrame([ordered], HEADS.ddl()).coalesce(1), 1, dataset=plan.dataset, head_id=head.head_id
            )
        ledger.record(HEADS, identity, {Cell(corruption=head.name): Done(made_from, 1, 1)})


def _row(plan: ExemplarPlan, head: Head) -> dict[str, Any]:
    row: dict[str, Any] = {
        "head_id": head.head_id,
        "name": head.name,
        "variant": head.variant,
        "backbone": plan.backbone,
        "training_fingerprint": plan.fingerprint,
        "n_train": plan.n_train,
        "n_classes": len(plan.labels),
    }
    note = failure_note(plan.head_folder(head))
    if note.exists():
        reason = ": ".join(json.loads(note.read_text(encoding="utf-8")))
        settings = {} if head.settings is None else {"hidden": head.settings.hidden, "seed": head.settings.seed}
        return row | settings | {"status": "rejected", "reason": reason}
    manifest = read_manifest(plan.head_folder(head), HeadManifest)
    return manifest.model_dump(include=set(HEADS.column_names)) | row | {"status": "ready"}
