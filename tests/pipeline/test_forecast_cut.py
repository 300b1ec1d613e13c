"""Is a forecast the same however its work is cut, and after a kill at any of its moments?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from deltalake import write_deltalake

import gold.forecast.build as build
from gold.forecast.arrival.score import RISKS, risks, score
from gold.forecast.features import ATTRIBUTIONS, FEATURE_SETS
from gold.forecast.forecaster import newest
from gold.forecast.settings import ForecastSettings
from gold.forecast.tables import TABLES, forecast_comparison, forecast_verdict
from lake.door import Lake
from lake.ledger import Ledger
from tests.forecast_arrived import Arrived, told
from tests.lakes import rows_of, stored, table_folder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
CELLS_TRIED = 6  # two corruptions at three severities


def _partitioned(spark: SparkSession, n: int, work: Callable[[], Any]) -> Any:
    names = {"spark.sql.shuffle.partitions": str(n), "spark.sql.adaptive.enabled": "false"}
    before = {name: spark.conf.get(name) for name in names}
    try:
        for name, value in names.items():
            spark.conf.set(name, value)
        return work()
    finally:
        for name, value in before.items():
            spark.conf.set(name, str(value))


def test_one_and_four_partitions_give_the_same_rows(arrived: Arrived, spark: SparkSession) -> None:
    lake = Lake(spark, str(arrived.root))
    one, four = (_partitioned(spark, n, lambda: build._computed(lake, arrived.inputs, arrived.settings)) for n in (1, 4))
    assert one == four and all(one[kind] for kind in build.KINDS) and one["forecaster"]


def test_spark_and_one_machine_score_alike(arrived: Arrived, spark: SparkSession) -> None:
    folder = arrived.root / "_artifacts" / "forecasters" / "small"
    forecaster = newest(folder)
    assert forecaster is not None
    rows = build.clean_rows(Lake(spark, str(arrived.root)), arrived.inputs, arrived.settings, embedded=False)
    where = str(folder / forecaster.identity)

    def work(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return partial(score, folder=where)(frames)

    key = ["example_id", "adapter_id", "corruption", "severity"]
    spread = rows.repartition(5).mapInPandas(work, RISKS).toPandas().sort_values(key, ignore_index=True)
    alone = risks(rows.toPandas(), forecaster).sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(spread, alone, check_exact=True)
    assert len(alone) == CELLS_TRIED * rows.count() and alone["risk"].between(0, 1).all()


class Killed(BaseException):
    """Nothing in the product catches it: what is on disk is what kill -9 leaves."""


MOMENTS = (("save", 0), ("point", 0), ("replace", 1))  # right after the folder, the pointer, two of the tables


def forecast_rows(root: Path) -> dict[str, list[dict[str, Any]]]:
    return {table.name: rows_of(root, table) for table in TABLES}


def _die_after(patched: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Right after the call `number` (from 0) of a step of the build."""
    inner, seen = getattr(build, name), []

    def watched(*given: Any) -> Any:
        found = inner(*given)
        seen.append(name)
        if len(seen) > number:
            raise Killed(name)
        return found

    patched.setattr(build, name, watched)


def _made_before_the_split(spark: SparkSession, root: Path) -> None:
    """The tables of forecasts become those of a version that did not know `confidence+attributions`."""
    compared = f"delta.`{table_folder(root, forecast_comparison.SPEC)}`"
    known = ", ".join(f"'{one.name}'" for one in FEATURE_SETS if one.name != ATTRIBUTIONS)
    spark.sql(f"DELETE FROM {compared} WHERE features = '{ATTRIBUTIONS}'")
    spark.sql(f"ALTER TABLE {compared} DROP CONSTRAINT features_range")
    spark.sql(f"ALTER TABLE {compared} ADD CONSTRAINT features_range CHECK (features IN ({known}))")
    judged = str(table_folder(root, forecast_verdict.SPEC))
    added = [column.name for column in forecast_verdict.SPEC.columns if column.added]
    rows = stored(root, forecast_verdict.SPEC).drop_columns(added)
    write_deltalake(judged, rows, mode="overwrite", schema_mode="overwrite", partition_by=list(forecast_verdict.SPEC.partition_by))


def test_killed_between_folder_pointer_and_tables_the_next_run_gives_the_same_tables(
    arrived: Arrived, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(shutil.copytree(arrived.root, tmp_path / "lake"))
    folder = root / "_artifacts" / "forecasters" / "small"
    was, pointed = forecast_rows(root), (folder / "current").read_text()
    other = arrived.settings.model_copy(update={"seed": 7})

    def bring(settings: ForecastSettings) -> dict[str, int]:
        lake = Lake(spark, str(root))
        build.build_forecasts(lake, Ledger(lake, "small"), arrived.inputs, settings, folder)
        return {name.removeprefix("gold."): counts["rows_written"] for name, counts in lake.report().items() if name.startswith("gold.")}

    assert set(bring(arrived.settings).values()) == {0}  # what the run left is complete
    _made_before_the_split(spark, root)
    for name, number in MOMENTS:
        with monkeypatch.context() as patched:
            _die_after(patched, name, number)
            if first := name == "save":
                patched.setattr(build, "ENGINE", build.ENGINE + 1)  # enough for all to be computed again
            with pytest.raises(Killed):
                bring(arrived.settings if first else other)
    half = forecast_rows(root)
    assert half["forecast_comparison"] != was["forecast_comparison"] and half["forecasts"] == was["forecasts"]
    # with the first settings again: a ledger that still called them done would leave two tables and the pointer of the others
    assert set(bring(arrived.settings).values()) == {len(rows) for rows in was.values()}
    assert forecast_rows(root) == was and (folder / "current").read_text() == pointed
    assert bring(other) == {name: len(rows) for name, rows in forecast_rows(root).items()}
    assert (folder / "current").read_text() != pointed and forecast_rows(root) != was


def test_dates_apart_no_table_names_the_run_that_failed(arrived: Arrived) -> None:
    runs = {row["run_id"] for row in told(arrived.root)}
    assert runs == {None, "run-ahead"}
