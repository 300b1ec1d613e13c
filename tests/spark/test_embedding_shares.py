"""Do all cores get equal shares of the pictures, whatever number of files they lie in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bronze.embeddings.build import _in_turn

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_what_is_left_over_in_each_file_goes_to_the_cores_in_turn(spark: SparkSession) -> None:
    from pyspark.sql import functions as F

    cores = spark.sparkContext.defaultParallelism
    rows = spark.range(0, 9 * (cores + 1), 1, 9)  # nine parts of cores + 1 rows: each core has one of each part, and nine are left over
    shares = [row["count"] for row in _in_turn(rows).groupBy(F.spark_partition_id().alias("core")).count().collect()]
    assert len(shares) == cores and sum(shares) == 9 * (cores + 1)
    assert max(shares) - min(shares) <= 1  # all nine on one core where every part begins with the same
