"""silver of one new adapter and the kept forecaster -> rows of gold.forecasts, stored before the adapter was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from gold.forecast.arrival.score import RISKS, records, score
from gold.forecast.build import clean_rows, replace
from gold.forecast.forecaster import Forecaster, newest, why_none
from gold.forecast.inputs import ForecastInputs
from gold.forecast.rows import EMBEDDING
from gold.forecast.settings import ForecastSettings
from gold.forecast.tables import forecasts
from gold.table import as_table
from lake.door import Lake
from lake.errors import ContractError, MissingInputError
from lake.ledger import Cell, Done, Ledger
from ood.specs import PREDICTIONS as OOD_PREDICTIONS

EXACT = "decimal(20,18)"  # of doubles a sum has the last bits of its order, which is that of the partitions


@dataclass(frozen=True)
class Arrival:
    """Rows of gold.forecasts of one adapter; `is_new` where they were stored now, `is_tried` where the truth was there before."""

    rows: pd.DataFrame
    is_new: bool
    is_tried: bool


def forecast_arrival(lake: Lake, ledger: Ledger, inputs: ForecastInputs, settings: ForecastSettings, folder: Path) -> Arrival:
    """Stores what the newest forecaster in `folder` says of the one adapter in `inputs`, in place of what an older one had said.

    An adapter that was tried already gets no forecast: it would not be made ahead. Raises MissingInputError without a forecaster and for
    one that was trained on features of other settings, ContractError when the adapter has no clean row.
    """
    (adapter_id,) = inputs.adapter_ids
    known = lake.read(forecasts.SPEC).where(f"dataset = '{inputs.dataset}'").toPandas()
    mine = known[known["adapter_id"] == adapter_id]
    tried = lake.read(OOD_PREDICTIONS).where(f"dataset = '{inputs.dataset}' AND adapter_id = '{adapter_id}' AND severity > 0")
    if not tried.isEmpty():
        return Arrival(mine, is_new=False, is_tried=True)
    fingerprint = ledger.generation(forecasts.SPEC)
    forecaster = newest(folder)
    if forecaster is None or fingerprint is None:
        why = why_none(folder)
        raise MissingInputError(
            f"no forecaster for {inputs.dataset}: "
            + (
                f"the last run could train none, for {why}. Try more adapters or harder corruptions, and run `assay run` again"
                if why
                else "it is trained where adapters have been tried. Run `assay run` first"
            )
        )
    if stale := sorted(name for name, identity in inputs.reads.items() if forecaster.spec.origin.reads.get(name) != identity):
        raise MissingInputError(
            f"the forecaster of {inputs.dataset} ({forecaster.identity}) learned from rows of {', '.join(stale)} that other settings made: "
            "backbone, precision or what is explained has changed. Run `assay run` with this configuration first"
        )
    if len(mine) and set(mine["forecaster"]) == {forecaster.identity}:
        return Arrival(mine, is_new=False, is_tried=False)
    found = as_table(forecasts.SPEC, inputs.dataset, _records(lake, inputs, settings, forecaster, folder))
    others = known[known["adapter_id"] != adapter_id].drop(columns=["dataset", "settings_id"])
    both = pd.concat([others.astype(object), found.drop(columns=["dataset", "settings_id"]).astype(object)], ignore_index=True)
    replace(lake, forecasts.SPEC, as_table(forecasts.SPEC, inputs.dataset, both), inputs.dataset, fingerprint)
    ledger.note(forecasts.SPEC, fingerprint, {Cell(): Done(fingerprint, len(both), len(both))})
    ledger.commit()
    return Arrival(found, is_new=True, is_tried=False)


def _records(
    lake: Lake, inputs: ForecastInputs, settings: ForecastSettings, forecaster: Forecaster, folder: Path
) -> list[dict[str, object]]:
    from pyspark.sql import functions as F

    where = str(folder / forecaster.identity)

    def work(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return partial(score, folder=where)(frames)

    embedded = any(name in EMBEDDING for name in forecaster.spec.columns)
    rows = clean_rows(lake, inputs, settings, embedded=embedded).mapInPandas(work, RISKS)
    known = F.col("risk").isNotNull() & ~F.isnan("risk")
    means = rows.groupBy("corruption", "severity").agg(
        F.sum(F.when(known, F.col("risk").cast(EXACT))).cast("double").alias("total"),
        F.sum(known.cast("int")).alias("n"),
        F.sum((~known).cast("int")).alias("n_lacking"),
    )
    found = means.withColumn("predicted", F.col("total") / F.col("n")).drop("total").toPandas()
    if found.empty:
        raise ContractError(
            f"adapter {inputs.adapter_ids[0]} of {inputs.dataset} has no clean row with an explanation: nothing can be foretold of it. "
            "Look at silver.adapters (status, reason) and audit.rejected"
        )
    return records(inputs.adapter_ids[0], found, forecaster, lake.run_id)
