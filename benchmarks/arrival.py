"""Does Spark score a million rows of a new adapter as one machine does, and how long does either take?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.row import Row
from benchmarks.small_run import session
from gold.forecast.arrival.score import RISKS, risks, score
from gold.forecast.forecaster import Forecaster, Origin, save
from gold.forecast.foretell import foretell
from gold.forecast.inputs import CLEAN, joined
from gold.forecast.rows import CONFIDENCE, EMBEDDING, SHIFTED, rows_of
from gold.forecast.settings import BoostedSettings, ForecastSettings

METRICS = tuple(f"attention__default__metric{number:02}" for number in range(30))
CELLS = tuple((f"corruption{number}", severity) for number in range(2) for severity in range(1, 6))
KEY = ["example_id", "corruption", "severity"]
SIZES = {False: (100_000, 400), True: (400, 60)}  # clean rows that are scored, each in ten cells; examples that are learned from


def measure(folder: Path, quick: bool) -> list[Row]:
    """Rows whose risk differs between the two ways, with the seconds of both. The forecaster is left in `folder`."""
    n_rows, n_examples = SIZES[quick]
    forecaster = trained(n_examples)
    place = save(forecaster, folder / "forecasters")
    clean = clean_rows(n_rows, 1, 9)
    started = time.perf_counter()
    alone = risks(clean, forecaster)
    of_one = time.perf_counter() - started
    started = time.perf_counter()
    spread = by_spark(clean, place)
    of_spark = time.perf_counter() - started
    return [_row(differing(alone, spread), len(alone), of_one, of_spark)]


def clean_rows(n: int, n_adapters: int, seed: int) -> pd.DataFrame:
    """Rows as gold reads them, of invented examples: five kinds of confidence, 30 metrics in a map."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"example_id": [f"e{row:07}" for row in range(n)] * n_adapters})
    frame["adapter_id"] = np.repeat([f"a{adapter}" for adapter in range(n_adapters)], n)
    frame["clean_correct"] = True
    for name in (*CONFIDENCE, *EMBEDDING):
        frame[name] = generator.random(len(frame))
    values = generator.random((len(frame), len(METRICS)))
    frame["metrics"] = pd.Series([dict(zip(METRICS, map(float, row), strict=True)) for row in values], dtype=object)
    return frame[list(CLEAN)]


def trained(n_examples: int) -> Forecaster:
    """A forecaster of three adapters, whose failures follow their confidence. Raises RuntimeError when none came of it."""
    clean = clean_rows(n_examples, 3, 1)
    shifts = clean[["example_id", "adapter_id"]].merge(pd.DataFrame(CELLS, columns=["corruption", "severity"]), how="cross")
    confidence = np.repeat(clean["confidence"].to_numpy(), len(CELLS))
    shifts["is_correct"] = np.random.default_rng(2).random(len(shifts)) < 0.3 + 0.6 * confidence
    shifts[SHIFTED] = confidence
    settings = ForecastSettings(n_folds=2, boosted=BoostedSettings(trees=50))
    told = foretell(rows_of(joined(clean, shifts), settings), settings, Origin("bench", {}, {}))
    if told.forecaster is None:
        raise RuntimeError(f"no forecaster: {told.reason}")
    return told.forecaster


def by_spark(clean: pd.DataFrame, place: Path) -> pd.DataFrame:
    """The same rows through `mapInPandas`, in eight partitions."""
    where = str(place)

    def work(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return partial(score, folder=where)(frames)

    doubles = ", ".join(f"{name} double" for name in (*CONFIDENCE, *EMBEDDING))
    schema = f"example_id string, adapter_id string, clean_correct boolean, {doubles}, metrics map<string,double>"
    rows = session().createDataFrame(clean.to_dict("records"), schema)
    return rows.repartition(8).mapInPandas(work, RISKS).toPandas()


def differing(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """Rows that are not there in both with the same risk, bit by bit."""
    both = one.merge(other, on=[*KEY, "adapter_id"], how="outer", suffixes=("_one", "_other"))
    return int((both["risk_one"] != both["risk_other"]).sum()) + abs(len(one) - len(other))


def _row(n_differing: int, n_rows: int, of_one: float, of_spark: float) -> Row:
    return Row(
        what=f"risks of {n_rows:,} rows (clean input x cell, {len(CONFIDENCE) + len(METRICS)} features)",
        figure="rows in which Spark and one machine differ by a bit",
        value=n_differing,
        unit="rows",
        aim="0",
        met=n_differing == 0,
        details={
            "seconds_on_one_machine": round(of_one, 1),
            "seconds_through_spark": round(of_spark, 1),
            "note": "one thread alone; through Spark with the rows' way there and back",
        },
        limited_by="maps of metrics become columns row by row, in Python",
    )
