"""Does the comparison of two lakes find every kind of difference, and only those that count? On lakes made by hand, without a JVM."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gold.tables.degradation import SPEC as DEGRADATION
from lake.audit import RUNS
from silver.specs import PREDICTIONS
from tests.small_lake import NEW, degradation, prediction, write_small_lake, write_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def comparison() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "scripts"))
    yield importlib.import_module("compare_lakes")
    sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture
def lakes(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "two"):
        write_small_lake(tmp_path / name)
    return tmp_path / "one", tmp_path / "two"


def differing(comparison: ModuleType, lakes: tuple[Path, Path], rel: float = 1e-12) -> dict[str, str]:
    return {found.table: found.problem for found in comparison.compare(*lakes, rel) if found.problem}


def test_two_lakes_of_one_content_are_equal_and_every_table_is_looked_at(comparison: ModuleType, lakes: tuple[Path, Path]) -> None:
    verdicts = comparison.compare(*lakes)
    assert {found.table: found.n_rows for found in verdicts} == {
        "bronze.examples": 2, "bronze.references": 2, "bronze.rejected": 2, "silver.predictions": 4, "silver.explanation_metrics": 2,
        "gold.degradation": 6, "audit.cells": 6,
    }  # fmt: skip
    assert [found for found in verdicts if found.problem or found.difference] == []


def test_one_row_more_is_a_difference(comparison: ModuleType, lakes: tuple[Path, Path]) -> None:
    write_table(lakes[1], DEGRADATION, [degradation("snow", 1, 0.5)])
    assert differing(comparison, lakes) == {"gold.degradation": "6 rows and 7 rows"}


def test_a_table_that_only_one_lake_has_is_a_difference_but_not_what_says_how_the_work_went(
    comparison: ModuleType, lakes: tuple[Path, Path]
) -> None:
    (lakes[0] / "audit" / "runs" / "_delta_log").mkdir(parents=True)
    assert RUNS.full_name in comparison.NOT_COMPARED
    assert differing(comparison, lakes) == {}
    (lakes[0] / "silver").rename(lakes[0] / "gone")
    assert set(differing(comparison, lakes)) == {"silver.predictions", "silver.explanation_metrics"}


@pytest.mark.parametrize(("change", "equal"), [(1e-14, True), (1e-11, False)])
def test_floats_may_differ_by_the_stated_share_and_no_more(
    change: float, equal: bool, comparison: ModuleType, lakes: tuple[Path, Path]
) -> None:
    for lake, factor in zip(lakes, (1.0, 1.0 + change), strict=True):
        write_table(lake, PREDICTIONS, [prediction("three", NEW, 0.5) | {"energy": -2.0 * factor}])
    assert (differing(comparison, lakes) == {}) == equal
    assert differing(comparison, lakes, rel=1e-10) == {}


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 2, math.inf),  # numbers that count are equal or not
        ("cat", "dog", math.inf),
        (None, 0.0, math.inf),  # a null is no zero
        (math.nan, math.nan, 0.0),
        (math.nan, 1.0, math.inf),
        (True, False, math.inf),
        ([("entropy", 0.5)], [("entropy", 0.25)], 0.5),  # 0.25 / 0.5: relative below one too
        (2e-9, 1e-9, 0.5),
        (0.0, 1e-9, 1.0),
        (0.0, 1e-15, 0.0),  # the floor: a sum that is zero but for rounding
        (-math.inf, 1.0, math.inf),
        ([("entropy", 8.0)], [("entropy", 6.0)], 0.25),  # 2 / 8
        ([1.0], [1.0, 1.0], math.inf),
        ({"a": 1.0}, {"b": 1.0}, math.inf),
    ],
)
def test_a_difference_is_relative_for_floats_and_infinite_for_all_else(
    left: object, right: object, expected: float, comparison: ModuleType
) -> None:
    assert max(comparison.differences(left, right)) == expected
