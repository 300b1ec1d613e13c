"""Do gold's tables take shifted data of the user's own, of which nothing clean is known, and columns to slice by? Counted by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gold.aggregates import summed
from gold.frames import ADAPTERS, CELLS, SLICED, Frames
from gold.tables import adapter_summary, degradation, quantitative_summary, slices, worst_corruption

# adapter, label, corruption, severity, n, n_correct, n_flipped; what has no clean counterpart cannot flip
CLEAN = [("a", "cat", "none", 0, 10, 9, 0)]
BLUR = [("a", "cat", "blur", 1, 10, 6, 4)]
NATURAL = [("a", "cat", "natural:site", 1, 6, 3, None), ("a", "dog", "natural:site", 1, 4, 1, None)]


def cells(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame([(*row, 1.0) for row in rows], columns=list(CELLS))


def frames(*rows: tuple[Any, ...], **more: Any) -> Frames:
    known = pd.DataFrame([{**dict.fromkeys(ADAPTERS), "status": "ready", "adapter_id": "a"}], columns=list(ADAPTERS))
    return Frames("pets", cells=cells(*rows), adapters=known, **more)


def test_a_flip_rate_is_a_share_of_the_rows_that_have_a_clean_counterpart() -> None:
    found = summed(cells(*BLUR, *NATURAL), ["adapter_id"]).iloc[0]
    # right 6 + 3 + 1 of 20; flipped 4 of the 10 rows under blur
    assert (found["n"], found["accuracy"], found["flip_rate"]) == (20, 0.5, 0.4)
    alone = summed(cells(*NATURAL), ["corruption"]).iloc[0]
    assert (alone["n"], alone["accuracy"]) == (10, 0.4) and pd.isna(alone["flip_rate"])


def test_a_shifted_source_stands_beside_the_corruptions_and_says_why_it_has_no_flip_rate() -> None:
    data = frames(*CLEAN, *BLUR, *NATURAL)
    row = degradation.build(data).set_index("corruption").loc["natural:site"]
    assert (row["accuracy"], row["clean_accuracy"], row["drop_from_clean"], row["drop_from_shallow"]) == (0.4, 0.9, 0.5, 0.0)
    assert pd.isna(row["flip_rate"]) and row["reason"] == "no clean counterpart, so no flip rate"
    worst = worst_corruption.build(data).set_index("corruption")
    assert worst["rank"].to_dict() == {"blur": 2, "natural:site": 1}
    assert worst["reason"].to_dict() == {"blur": None, "natural:site": "no clean counterpart, so no flip rate"}
    assert slices.build(data).set_index(["slice", "corruption"]).loc[("dog", "natural:site"), "accuracy"] == 0.25


def test_accuracy_under_corruption_counts_a_shifted_source_as_one_more_cell_by_its_rows() -> None:
    row = adapter_summary.build(frames(*CLEAN, *BLUR, *NATURAL)).iloc[0]
    assert (row["accuracy"], row["flip_rate"], row["n"], row["n_examples"], row["reason"]) == (0.5, 0.4, 20, 10, None)


def test_the_interval_of_a_shifted_source_alone_rests_on_its_own_rows() -> None:
    few = ("a", "cat", "natural:site", 1, 4, 2, None)
    row = adapter_summary.build(frames(*CLEAN, few)).iloc[0]
    # Wilson at 2 of 4, z = 1.95996: half = z sqrt(1/16 + z^2/64) / (1 + z^2/4) = 1.95996 * 0.350012 / 1.960365 = 0.349940
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.15004, 0.84996), abs=1e-4)
    assert row["reason"] == "no clean counterpart, so no flip rate"
    summary = quantitative_summary.build(frames(*CLEAN, few)).set_index("metric")
    assert pd.isna(summary.loc["flip_rate", "value"]) and summary.loc["flip_rate", "reason"] == "flip_rate is null in every row"
    assert summary.loc["ood_accuracy", "value"] == 0.5


def test_a_metadata_column_is_sliced_like_the_labels_and_one_of_too_many_values_says_so() -> None:
    sliced = pd.DataFrame(
        [("a", "site", "north", "none", 0, 10, 10, 0), ("a", "site", "", "natural:site", 1, 4, 1, None)], columns=list(SLICED)
    )
    found = slices.build(frames(*CLEAN, sliced=sliced, unsliced={"serial": 1200})).set_index(["slice_by", "slice", "corruption"])
    row = found.loc[("site", "north", "none")]
    # Wilson at 10 of 10: low = 10 / (10 + 1.95996^2) = 0.72246
    assert (row["accuracy"], row["ci_low"], row["ci_high"], row["flip_rate"]) == pytest.approx((1.0, 0.72246, 1.0, 0.0), abs=1e-5)
    assert found.loc[("site", "", "natural:site"), "accuracy"] == 0.25
    whole = found.loc[("serial", "*", "none")]
    assert whole["n"] == 0 and pd.isna(whole["accuracy"]) and whole["reason"] == "1,200 values are too many to slice by"
    assert found.loc[("label", "cat", "none"), "accuracy"] == 0.9 and len(found) == 4
