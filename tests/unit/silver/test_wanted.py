"""Does a verb learn which variants of one adapter each example still lacks?"""

from __future__ import annotations

import pyarrow as pa

from lake.rows import Identity
from silver.wanted import wanted_of

VARIANTS = tuple({"adapter_id": adapter, "method": method, "metric_group": "g"} for adapter in ("a", "b") for method in ("x", "y", "z"))
IDENTITY = Identity("d", "s", VARIANTS)


def batch(*todo: list[int]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"todo": pa.array(list(todo), pa.list_(pa.int32()))})


def test_rows_that_want_the_same_stand_together_in_the_order_of_the_variants_and_rows_that_want_nothing_nowhere() -> None:
    given = batch([0, 1, 2, 3], [2, 0, 1, 4], [3, 4, 5], [1], [])
    assert wanted_of(given, IDENTITY, "a", "method") == {(("x",), ("y",), ("z",)): [0, 1], (("y",),): [3]}
    assert wanted_of(given, IDENTITY, "b", "method", "metric_group") == {
        (("x", "g"),): [0],
        (("y", "g"),): [1],
        (("x", "g"), ("y", "g"), ("z", "g")): [2],
    }
    assert wanted_of(given, IDENTITY, "c", "method") == {}
