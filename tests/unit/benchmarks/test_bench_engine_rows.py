"""What do the rows say where a figure does not exist, and about a size that is not the page's?"""

from __future__ import annotations

import math

import pytest

from benchmarks import dry_run, embeddings, engine, memory, new_adapter
from benchmarks.material import MIDDLE, SMALL, size_text

ALIKE = {"entropy": 0.9999, "sparsity": 0.9998, "deletion": 0.9997, "insertion": 0.9996, "same_target": 7.0}


@pytest.mark.parametrize("figure", list(engine.FIGURES))
def test_a_correlation_that_does_not_exist_is_the_worst_and_is_not_met(figure: str) -> None:
    row = engine.agreement("bf16", ALIKE | {figure: math.nan}, 8)
    assert row.met is False and math.isnan(row.value) and row.figure == f"least correlation ({figure})"


def test_numbers_that_are_alike_are_met_by_the_least() -> None:
    row = engine.agreement("bf16", ALIKE, 8)
    assert row.met is True and row.value == 0.9996 and row.figure == "least correlation (insertion)"
    assert engine.agreement("bf16", ALIKE | {"sparsity": 0.99}, 8).met is False


def test_figures_are_compared_where_both_explain_the_same_class_and_the_row_says_how_many() -> None:
    twin = {figure: [1.0, 2.0, 3.0, 9.0] for figure in engine.FIGURES} | {"target": [0.0, 1.0, 2.0, 3.0]}
    ours = {figure: [2.0, 4.0, 6.0, -50.0] for figure in engine.FIGURES} | {"target": [0.0, 1.0, 2.0, 4.0]}
    found = engine.correlations(twin, ours)
    assert found["same_target"] == 3.0 and all(found[figure] == pytest.approx(1.0) for figure in engine.FIGURES)
    assert engine.agreement("bf16", found, 4).details["of the same class"] == 3


def test_a_figure_without_a_value_is_not_zero() -> None:
    assert math.isnan(engine._number(None)) and engine._number(0.0) == 0.0 and engine._number(0.25) == 0.25


def test_dropped_patches_are_limited_by_the_forwards_of_what_is_left() -> None:
    # 256 patches in steps of 25 and a CLS token: the explained and the intact input have 257 tokens; ten deletions leave
    # 256 - 25 k patches, ten insertions show 25 k, for k of 1 to 10. Nothing left is one answer per adapter.
    tokens = 2 * 257 + sum(256 - 25 * k + 1 for k in range(1, 11)) + sum(25 * k + 1 for k in range(1, 11))
    seconds = {name: [1.0] for name in (*engine.WAYS, "twin of 8")}
    assert tokens == 3094 and round(tokens / 257, 2) == 12.04
    assert "3,094" in (text := engine._speed(seconds, "drop", "twin of 8").limited_by) and "12.04" in text
    assert "23 of the twin's 25" in engine._speed(seconds, "bf16", "twin of 8").limited_by


def test_rows_of_another_size_than_the_pages_say_so() -> None:
    assert size_text(SMALL) == "DINOv2 of width 64, 4 layers, 56 px"
    row = memory._row("jvm", SMALL, (10, 20), {10: {"jvm": 1.0}, 20: {"jvm": 1.0}}, {10: 1.0, 20: 2.0})
    assert "width 64" in row.what and "56 px" in row.what and "12 minutes" in row.limited_by
    assert "width 32" in new_adapter._row((1, 2), [[1.0], [1.0]]).what
    assert "width 192" in (found := dry_run.WHAT.format(size=size_text(MIDDLE))) and "84 px" in found


def test_embeddings_are_judged_with_the_table_written_against_the_same_scorer() -> None:
    seconds = {"scorer_loop": [9.0], "transformers_loop": [12.0], "spark": [8.0], "table": [10.0]}
    rows = embeddings._rows(seconds, 100, "bfloat16", {})
    assert [row.value for row in rows] == [0.9, 9 / 8, 1.2, 1.5] and [row.met for row in rows] == [False, None, None, None]
    assert "same scorer" in rows[0].figure and "table written" in rows[0].figure and rows[0].details["transformers_loop_images_per_second"]
