"""Do rows of the bench run to their end? In their small twins; what is measured there means nothing.

The rows that start runs of their own take minutes and are left to `python -m benchmarks --quick`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.single import measured

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("name", ["embeddings", "sharing"])
def test_a_row_runs_in_its_small_twin(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    scratch = tmp_path_factory.getbasetemp() / "bench"  # models and pictures are made once for all rows
    scratch.mkdir(exist_ok=True)
    rows = measured(name, Path(scratch), quick=True)
    assert rows
    for row in rows:
        assert math.isfinite(row.value) and row.value > 0
        assert (row.met is None) == (row.aim == "stated")
