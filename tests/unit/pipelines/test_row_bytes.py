"""Are bytes per row those of the rows that are planned, and of no other dataset's or generation's?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bronze.specs import EMBEDDINGS
from lake.spec import Table
from pipelines.plan.row_bytes import ENOUGH_ROWS, stored_row_bytes
from silver.specs import PREDICTIONS
from tests.small_lake import NEW, OLD, prediction, write_table


def predictions(dataset: str, settings_id: str, n: int, width: int) -> list[dict[str, object]]:
    """Rows of one file, each with so many distinct logits."""
    rows = [prediction("one", settings_id, 0.5) | {"dataset": dataset, "example_id": f"{i:032x}"} for i in range(n)]
    return [row | {"logits": [float(i * width + column) for column in range(width)]} for i, row in enumerate(rows)]


@pytest.mark.parametrize("wide", [("other", NEW), ("d", OLD)], ids=["another dataset", "another generation"])
def test_a_wide_neighbour_does_not_make_the_planned_rows_wider(tmp_path: Path, wide: tuple[str, str]) -> None:
    write_table(tmp_path, PREDICTIONS, predictions("d", NEW, ENOUGH_ROWS, 4))
    alone = stored_row_bytes(str(tmp_path), PREDICTIONS, "d", NEW)
    assert alone is not None
    write_table(tmp_path, PREDICTIONS, predictions(*wide, ENOUGH_ROWS, 400))
    assert stored_row_bytes(str(tmp_path), PREDICTIONS, "d", NEW) == alone
    beside = stored_row_bytes(str(tmp_path), PREDICTIONS, *wide)
    assert beside is not None and beside > alone + 400  # 396 more float32 that do not repeat, compressed


def test_rows_of_another_dataset_foretell_nothing_and_few_rows_neither(tmp_path: Path) -> None:
    write_table(tmp_path, PREDICTIONS, predictions("other", NEW, ENOUGH_ROWS, 4) + predictions("d", NEW, ENOUGH_ROWS - 1, 4))
    assert stored_row_bytes(str(tmp_path), PREDICTIONS, "d", NEW) is None
    assert stored_row_bytes(str(tmp_path), PREDICTIONS, "other", NEW) is not None


def embedded(dataset: str) -> list[dict[str, object]]:
    row: dict[str, object] = {"dataset": dataset, "backbone": "b", "settings_id": NEW, "pooled": b"12", "n_units": 1, "dim": 1}
    return [row | {"example_id": f"{i:032x}"} for i in range(ENOUGH_ROWS)]


def test_a_table_without_a_partition_of_datasets_is_told_apart_by_its_statistics(tmp_path: Path) -> None:
    table: Table = EMBEDDINGS
    assert table.partition_by == ()
    write_table(tmp_path, table, embedded("d"))
    assert stored_row_bytes(str(tmp_path), table, "d", NEW) is not None
    assert stored_row_bytes(str(tmp_path), table, "other", NEW) is None
