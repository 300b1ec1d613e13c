"""What do several files of these tests look at?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.run import Outcome
from tests.conftest import Built
from tests.forecast_arrived import Arrived, bring

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def arrived(spark: SparkSession, built: Built, run: Callable[..., Outcome], tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    return bring(spark, built, run, tmp_path_factory)
