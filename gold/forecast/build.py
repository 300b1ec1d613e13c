"""silver and ood -> forecasts of failure, their verdict, the forecaster that is kept; again only when what they rest on has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bronze.specs import EMBEDDINGS
from bronze.specs import EXAMPLES as BRONZE_EXAMPLES
from gold.forecast.ahead import with_truth
from gold.forecast.distances import distances
from gold.forecast.forecaster import Origin, is_pointed, point, save, unpacked
from gold.forecast.foretell import foretell
from gold.forecast.inputs import CLEAN, CONTROLS, PAIR, SHIFTS, UNREAD, ForecastInputs, joined
from gold.forecast.judge import judge
from gold.forecast.label_free import rates
from gold.forecast.regimes import REGIMES
from gold.forecast.rows import CONFIDENCE, EMBEDDING, SHIFTED, rows_of
from gold.forecast.settings import ForecastSettings
from gold.forecast.tables import TABLES, coverage_risk, forecast_check, forecast_comparison, forecast_verdict, forecasts, reliability
from gold.forecast.tables.forecast_comparison import FEATURES
from gold.table import as_table, to_arrow
from lake.door import Lake
from lake.identity import settings_id
from lake.ledger import Cell, Done, Ledger
from lake.progress import Progress
from lake.spec import Table
from models.stored_vectors import vectors_of
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from silver.specs import EXPLANATION_METRICS, PREDICTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ENGINE = 2  # part of the hash: raise it with any change of a feature set, a figure or the arithmetic
FORECASTER = "forecaster"  # the task that is no regime
KINDS = ("comparison", "verdict", "reliability", "coverage_risk", "forecasts", "rates")
READ = (PREDICTIONS, EXPLANATION_METRICS, OOD_PREDICTIONS, EMBEDDINGS)


def build_forecasts(lake: Lake, ledger: Ledger, inputs: ForecastInputs, settings: ForecastSettings, folder: Path) -> None:
    """Rewrites the dataset's forecasts, and keeps the forecaster in `folder`, when inputs or settings changed. Forecasts that were stored
    ahead stay as they were, with the truth beside them once it is there."""
    defining = {"engine": ENGINE, "inputs": inputs.sha256, "cells": inputs.cells, "embeddings": inputs.embeddings_id, "forecast": settings}
    fingerprint = settings_id(defining)
    for table in TABLES:
        lake.settings_id(table, inputs.dataset, defining)
    if is_pointed(folder) and all(ledger.complete(table, fingerprint, Cell(), fingerprint) for table in TABLES):
        for table in TABLES:
            lake.skip(table, ledger.done(table, fingerprint, Cell()).n_done)  # type: ignore[union-attr]  # complete says so
        return
    with Progress(f"forecasts: {inputs.dataset}", 1 + len(TABLES)) as progress:
        stored = stored_ahead(lake, inputs.dataset)
        found = _computed(lake, inputs, settings)
        progress.step()
        ledger.reopen(TABLES, fingerprint)
        for table in (table for table in TABLES if FEATURES in table.columns and lake.exists(table)):
            lake.create(table)  # notes its version
            lake.renew_checks(table)  # one made by an earlier version refuses feature sets that it did not know
        frames = _frames(inputs.dataset, found, stored, settings, folder)
        for table in TABLES:
            replace(lake, table, frames[table.name], inputs.dataset, fingerprint)
            progress.step()
    for table in TABLES:
        ledger.forget(table)
        ledger.note(table, fingerprint, {Cell(): Done(fingerprint, len(frames[table.name]), len(frames[table.name]))})
    ledger.commit()


def replace(lake: Lake, table: Table, frame: pd.DataFrame, dataset: str, fingerprint: str) -> None:
    """Puts the frame in place of the dataset's rows."""
    lake.create(table)
    rows = lake.spark.createDataFrame(to_arrow(table, frame.assign(settings_id=fingerprint))).coalesce(1)
    lake.replace(table, rows, len(frame), dataset=dataset)


def stored_ahead(lake: Lake, dataset: str) -> pd.DataFrame:
    """Forecasts of the dataset that were stored before their truth was known."""
    rows: pd.DataFrame = lake.read(forecasts.SPEC).where(f"dataset = '{dataset}' AND origin = 'ahead'").toPandas()
    return rows


def _frames(
    dataset: str, found: Mapping[str, Any], stored: pd.DataFrame, settings: ForecastSettings, folder: Path
) -> dict[str, pd.DataFrame]:
    """The tables' frames, from what the tasks gave back; the forecaster goes to its folder first, for rows may name it."""
    kept = found["forecaster"] and unpacked([bytes.fromhex(one) for one in found["forecaster"]["models"]], found["forecaster"]["spec"])
    if kept is not None:
        save(kept, folder)
    point(folder, None if kept is None else kept.identity, found["reason"])
    foretold = with_truth(pd.DataFrame(found["forecasts"]), stored, pd.DataFrame(found["rates"]), found["reason"])
    records = {
        forecast_comparison.SPEC: found["comparison"],
        forecast_verdict.SPEC: found["verdict"],
        reliability.SPEC: found["reliability"],
        coverage_risk.SPEC: found["coverage_risk"],
        forecasts.SPEC: foretold,
        forecast_check.SPEC: forecast_check.check(foretold, settings.level) if len(foretold) else [],
    }
    return {table.name: as_table(table, dataset, rows) for table, rows in records.items()}


def _computed(lake: Lake, inputs: ForecastInputs, settings: ForecastSettings) -> dict[str, Any]:
    """Every regime, and the forecaster, in a task of its own; each holds a bounded, content-hash sample of whole examples."""
    from pyspark.sql import functions as F

    clean, shifts = clean_rows(lake, inputs, settings), _shifts(lake, inputs)
    n_rows = shifts.count()
    if n_rows > settings.max_rows:
        share = int(settings.max_rows / n_rows * 1_000_000)
        clean, shifts = (
            rows.where(F.pmod(F.xxhash64("example_id", F.lit(settings.seed)), F.lit(1_000_000)) < share) for rows in (clean, shifts)
        )
    names = [*settings.protocols, FORECASTER]
    versions = {table.full_name: version for table in READ if (version := lake.version(table)) is not None}
    origin = Origin(inputs.dataset, versions, inputs.reads)
    if n_rows:
        parts = _apart(names, clean, shifts, settings, origin)
    else:
        empty_clean, empty_shifts = (pd.DataFrame({name: pd.Series(dtype=object) for name in columns}) for columns in (CLEAN, SHIFTS))
        parts = {name: _task(name, empty_clean, empty_shifts, settings, origin) for name in names}
    found: dict[str, Any] = {kind: [one for name in names for one in parts[name].get(kind, [])] for kind in KINDS}
    return found | {name: parts[FORECASTER].get(name) for name in ("forecaster", "reason")}


def _apart(
    names: Sequence[str], clean: DataFrame, shifts: DataFrame, settings: ForecastSettings, origin: Origin
) -> dict[str, dict[str, Any]]:
    """What each task gives back, by its name: a Spark job of one task each, all asked at once. Groups of one job would be dealt to
    partitions by their hash, several to one while cores stand idle."""
    from pyspark.sql import functions as F

    def work(key: tuple[str], mine: pd.DataFrame, changed: pd.DataFrame) -> pd.DataFrame:
        content = _task(key[0], mine[list(CLEAN)], changed[list(SHIFTS)], settings, origin)
        return pd.DataFrame({"content": [json.dumps(content, allow_nan=False)]})

    kept = [rows.persist() for rows in (clean, shifts)]

    def of(name: str) -> dict[str, Any]:
        mine, changed = (rows.withColumn("task", F.lit(name)).groupBy("task") for rows in kept)
        (row,) = mine.cogroup(changed).applyInPandas(work, "content string").collect()
        found: dict[str, Any] = json.loads(row.content)
        return found

    try:
        with ThreadPoolExecutor(len(names)) as pool:
            return dict(zip(names, pool.map(of, names), strict=True))
    finally:
        for rows in kept:
            rows.unpersist()


def _task(name: str, clean: pd.DataFrame, shifts: pd.DataFrame, settings: ForecastSettings, origin: Origin) -> dict[str, Any]:
    """What one task gives back, as plain JSON: NaN has become null. Rows are put in order first: means have its last bits."""
    clean = clean.sort_values(list(PAIR), ignore_index=True)
    shifts = shifts.sort_values([*PAIR, "corruption", "severity"], ignore_index=True)
    frame = joined(clean, shifts)
    if name != FORECASTER:
        regime = next(regime for regime in REGIMES if regime.name == name)
        return {kind: [_plain(one) for one in records] for kind, records in vars(judge(frame, regime, settings)).items()}
    told = foretell(rows_of(frame, settings), settings, origin)
    kept = told.forecaster
    return {
        "forecasts": [_plain(asdict(one)) for one in told.forecasts],
        "rates": [_plain(one) for one in rates(clean, shifts)],
        "reason": told.reason,
        "forecaster": None if kept is None else {"models": [one.hex() for one in kept.models], "spec": asdict(kept.spec)},
    }


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and not np.isfinite(value) else _item(value) for name, value in record.items()}


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _mine(lake: Lake, table: Table, inputs: ForecastInputs, identity: str) -> DataFrame:
    from pyspark.sql import functions as F

    rows = lake.read(table).where((F.col("dataset") == inputs.dataset) & (F.col("settings_id") == identity))
    return rows.where(F.col("adapter_id").isin(list(inputs.adapter_ids))) if "adapter_id" in table.key else rows


def clean_rows(lake: Lake, inputs: ForecastInputs, settings: ForecastSettings, *, embedded: bool = True) -> DataFrame:
    """`CLEAN`: one row per (example, adapter) whose explanation was scored, the metrics of all methods in one map. Distances in the
    backbone's space, which take one task, are null unless `embedded`."""
    from pyspark.sql import functions as F

    metrics = _mine(lake, EXPLANATION_METRICS, inputs, inputs.metrics_id)
    for part in inputs.parts:
        metrics = metrics.unionByName(_mine(lake, EXPLANATION_METRICS, inputs, part.settings_id))
    metrics = metrics.where(~F.col("method").isin(list(CONTROLS)))
    entries = F.filter(F.map_entries("metrics"), lambda entry: ~entry["key"].isin(list(UNREAD)))
    prefix = F.concat_ws("__", "method", "metric_group")
    named = F.transform(
        entries, lambda entry: F.struct(F.concat_ws("__", prefix, entry["key"]).alias("key"), entry["value"].alias("value"))
    )
    maps = metrics.groupBy(*PAIR).agg(F.map_from_entries(F.flatten(F.collect_list(named))).alias("metrics"))
    answers = _mine(lake, PREDICTIONS, inputs, inputs.predictions_id).select(*PAIR, F.col("is_correct").alias("clean_correct"), *CONFIDENCE)
    rows = answers.join(maps, list(PAIR))
    if not embedded:
        return rows.select("*", *(F.lit(None).cast("double").alias(name) for name in EMBEDDING)).select(*CLEAN)
    return rows.join(_distances(lake, inputs, settings), "example_id", "left").select(*CLEAN)


def _shifts(lake: Lake, inputs: ForecastInputs) -> DataFrame:
    from pyspark.sql import functions as F

    cells = lake.spark.createDataFrame([cell for cell in inputs.cells if cell[1] > 0], "corruption string, severity int")
    rows = _mine(lake, OOD_PREDICTIONS, inputs, inputs.ood_id).join(F.broadcast(cells), ["corruption", "severity"])
    return rows.select(*PAIR, "corruption", "severity", "is_correct", F.col("confidence").alias(SHIFTED))


def _distances(lake: Lake, inputs: ForecastInputs, settings: ForecastSettings) -> DataFrame:
    """example_id and `EMBEDDING` of the meta examples, in one task: vectors of adapter_train are bounded as its pictures are."""
    from pyspark.sql import functions as F

    examples = _mine(lake, BRONZE_EXAMPLES, inputs, inputs.examples_id).where(F.col("split").isin("adapter_train", "meta"))
    vectors = _mine(lake, EMBEDDINGS, inputs, inputs.embeddings_id).select("example_id", "pooled")
    rows = examples.select("example_id", "split", "label_id").join(vectors, "example_id")

    def work(frame: pd.DataFrame) -> pd.DataFrame:
        ordered = frame.sort_values("example_id", ignore_index=True)
        known, asked = (ordered[ordered["split"] == split] for split in ("adapter_train", "meta"))
        labels = known["label_id"].to_numpy(dtype=np.int64)
        knn, margin = distances(
            vectors_of(list(known["pooled"])), labels, vectors_of(list(asked["pooled"])), settings.neighbours, settings.components
        )
        return pd.DataFrame({"example_id": asked["example_id"].to_numpy(), EMBEDDING[0]: knn, EMBEDDING[1]: margin})

    schema = f"example_id string, {EMBEDDING[0]} double, {EMBEDDING[1]} double"
    return rows.groupBy(F.lit(0).alias("one")).applyInPandas(work, schema)
