"""What does asking for group inversion add to a finished lake, killed in between, and what does it leave as it was?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gold.forecast.forecaster import newest
from gold.tables.correlations import SPEC as CORRELATIONS
from gold.tables.qualitative_summary import SPEC as SUMMARY
from gold.tables.xai_feature_ranking import SPEC as RANKING
from lake.audit import CELLS
from lake.door import Lake
from pipelines.run import Outcome, Pipeline
from pipelines.sql.duck import connect
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, INVERSION, PREDICTIONS
from tests.conftest import Built
from tests.lakes import config_of, rows_of, stored

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lake.spec import Table

pytestmark = pytest.mark.spark

N = 5
ASKED = {"n": N, "pokes": 3, "repeats": 1}
KEYS = {"reliance", "faithfulness", "inversion_score", "rbp_mean_delta", "rbp_mass_kept", "rbp_rejected"}


class Killed(RuntimeError):
    """Stands for the end of the process."""


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """After it is called, a run ends where rows of explanation metrics are staged and about to be committed."""
    from lake import fill

    real = fill.commit

    def call() -> None:
        def commit(lake: Lake, table: Table, rows: DataFrame, n_rows: int) -> None:
            if table is EXPLANATION_METRICS:
                monkeypatch.setattr(fill, "commit", real)
                raise Killed
            real(lake, table, rows, n_rows)

        monkeypatch.setattr(fill, "commit", commit)

    return call


def current(root: Path) -> list[dict[str, Any]]:
    connection, _ = connect(str(root), {"silver.explanation_metrics_current"})
    try:
        result = connection.execute("SELECT * EXCLUDE (metrics) FROM silver.explanation_metrics_current")
        return [dict(zip([column[0] for column in result.description or ()], row, strict=True)) for row in result.fetchall()]
    finally:
        connection.close()


def test_it_adds_rows_of_its_own_beside_the_others_and_gold_reads_both(
    copied: Built, spark: SparkSession, cut: Callable[[], None], script: Callable[[str], Any]
) -> None:
    before = rows_of(copied.root, EXPLANATION_METRICS)
    untouched = {table: rows_of(copied.root, table) for table in (PREDICTIONS, ATTRIBUTIONS)}
    tree = copied.tree | {"explanations": copied.tree["explanations"] | {"inversion": ASKED}}
    config = config_of(copied.root.parent / "inverted.yaml", tree)

    def run(*layers: str) -> Outcome:
        return Pipeline(Lake(spark, str(copied.root), "run-inverted", config.sha256), config).run(layers)

    cut()
    with pytest.raises(Killed):
        run("silver")
    assert rows_of(copied.root, EXPLANATION_METRICS) == before
    done = run("silver", "gold")
    after = rows_of(copied.root, EXPLANATION_METRICS)
    mine = [row for row in after if row["metric_group"] == INVERSION]
    adapters = {row["adapter_id"] for row in before}
    assert [row for row in after if row["metric_group"] != INVERSION] == before
    assert all(rows_of(copied.root, table) == rows for table, rows in untouched.items())
    # the law: five examples x three adapters x (attention, random, output_echo), of the smallest ids
    examined = sorted({row["example_id"] for row in before})
    assert {(row["example_id"], row["adapter_id"], row["method"]) for row in mine} == {
        (example, adapter, name) for example in examined[:N] for adapter in adapters for name in ("attention", "random", "output_echo")
    }
    assert done.tables[EXPLANATION_METRICS.full_name]["rows_written"] == len(mine) == N * len(adapters) * 3
    assert all({name for name, _ in row["metrics"]} == KEYS for row in mine)
    (identity,) = {row["settings_id"] for row in mine}
    assert identity not in {row["settings_id"] for row in before}
    cells = [row for row in stored(copied.root, CELLS).to_pylist() if row["settings_id"] == identity]
    assert {(row["corruption"], row["n_expected"], row["n_done"]) for row in cells} == {(INVERSION, N * 3, N * 3)}
    told = script("inversion_page").of_lake(str(copied.root)).splitlines()[2:]  # docs/inversion.md on the lake's own adapters
    assert [line.split(" | ")[:2] for line in told] == [["| small", name] for name in ("attention", "output_echo", "random")]
    assert all(line.endswith(f"| {N} | {len(adapters)} |") for line in told)
    shown = current(copied.root)
    assert sorted(row["metric_group"] for row in shown) == sorted(row["metric_group"] for row in after)  # both parts, none twice

    found = {row["feature"]: row for row in rows_of(copied.root, CORRELATIONS) if row["scope"] == "pooled"}
    assert set(found) == {"entropy", "sparsity", "deletion", "insertion", "confidence", *KEYS}
    assert found["reliance"]["n_examples"] == N and found["entropy"]["n_examples"] == len(examined)
    assert found["reliance"]["pearson_r"] is not None
    ranked = {row["feature"] for row in rows_of(copied.root, RANKING)}
    assert ranked == set(found) - {"confidence"}
    quoted = {row["metric"]: row["value"] for row in rows_of(copied.root, SUMMARY)}
    assert quoted["strongest_feature_pooled"] not in KEYS
    kept = newest(copied.root / "_artifacts" / "forecasters" / "small")
    assert kept is not None and not any(INVERSION in name for name in kept.spec.columns)  # five examples may not cost the others
    assert run("silver").verdict == "nothing_to_do"
