"""Which rows does a forecast rest on: complete ones, in the order of their keys, with every one that is left out counted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gold.forecast.rows import rows_of
from tests.unit.gold.forecast_frames import SMALL, grid, keys, settings


def ten() -> pd.DataFrame:
    """Five examples under two adapters in one cell: ten rows."""
    frame = keys(5, 2, [("blur", 2)])
    frame["is_correct"] = [True, False] * 5
    frame["confidence"] = np.arange(10.0)
    frame["xai__a__b__c"] = np.arange(10.0) ** 2
    return frame


def test_codes_stand_for_sorted_names_and_failed_is_the_opposite_of_correct() -> None:
    found = rows_of(ten(), SMALL)
    assert found.failed.tolist() == [False, True] * 5
    assert found.examples.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] and found.adapters.tolist() == [0, 1] * 5
    assert found.adapter_ids == ("a0", "a1") and found.cell_names == (("blur", 2),)
    assert found.matrix(("xai__a__b__c", "confidence"))[3].tolist() == [9.0, 3.0]
    assert (found.xai, found.named(("margin", "confidence"))) == (("xai__a__b__c",), ("confidence",))


def test_cells_are_corruption_and_severity_in_order_and_corruptions_stand_alone() -> None:
    frame = keys(1, 1, [("noise", 1), ("blur", 2), ("blur", 1)]).assign(is_correct=True, confidence=[1.0, 2.0, 3.0])
    found = rows_of(frame, SMALL)
    assert found.cell_names == (("blur", 1), ("blur", 2), ("noise", 1))
    assert found.cells.tolist() == [0, 1, 2] and found.corruptions.tolist() == [0, 0, 1]


def test_the_order_in_which_rows_come_changes_nothing() -> None:
    frame = grid()
    one, other = rows_of(frame, SMALL), rows_of(frame.sample(frac=1.0, random_state=3), SMALL)
    assert all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("failed", "examples", "adapters", "corruptions", "cells")
    )
    assert np.array_equal(one.matrix(tuple(one.columns)), other.matrix(tuple(other.columns)))


def test_a_feature_null_in_half_of_the_rows_is_left_out_and_one_null_in_a_tenth_costs_its_rows() -> None:
    frame = ten()
    frame["half"] = [np.nan, 1.0, 2.0, 3.0, 4.0] * 2
    frame.loc[:2, "half"] = np.nan  # rows 0, 1, 2 and 5: 4 of 10
    frame["tenth"] = [np.inf, *range(9)]  # what is not finite is null
    found = rows_of(frame, SMALL)
    assert found.left_out == {"half": "null in 40% of the rows"}
    assert (len(found), found.n_incomplete) == (9, 1)
    assert found.examples.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4] and found.columns["tenth"].tolist() == list(range(9))


def test_a_feature_of_a_sub_sample_costs_no_row_however_few_lack_it() -> None:
    frame = ten()
    frame["tenth"] = [np.inf, *range(9)]
    frame["xai__attention__inversion__reliance"] = [*np.arange(9.0) ** 2, np.nan]  # one of the nine rows that are complete lacks it
    frame["xai__attention__inversion__faithfulness"] = [np.nan, *np.arange(9.0)]  # lacks it where another feature is lacking anyway
    frame["xai__lime__inversion__reliance"] = [1.0, 2.0, *[np.nan] * 8]
    found = rows_of(frame, SMALL)
    assert (len(found), found.n_incomplete) == (9, 1)
    assert found.xai == ("xai__a__b__c", "xai__attention__inversion__faithfulness")
    assert found.left_out == {
        "xai__attention__inversion__reliance": "null in 1 of 9 rows, which it may not cost: of a sub-sample",
        "xai__lime__inversion__reliance": "null in 80% of the rows",
    }
    without = rows_of(frame[[name for name in frame.columns if "inversion" not in name]], SMALL)
    assert np.array_equal(without.examples, found.examples) and np.array_equal(without.failed, found.failed)


def test_a_share_of_nulls_at_the_bound_is_kept_and_above_it_is_not() -> None:
    for n_null, is_kept in ((2, True), (3, False)):
        frame = ten().iloc[:8].copy()
        frame["x"] = [np.nan] * n_null + [float(place) for place in range(8 - n_null)]
        found = rows_of(frame, settings(max_null_share=0.25))  # 2 of 8
        assert ("x" in found.columns) == is_kept and found.n_incomplete == (n_null if is_kept else 0)


def test_a_constant_feature_is_left_out_with_its_reason_and_costs_no_row() -> None:
    frame = ten().assign(same=1.5)
    frame.loc[0, "same"] = np.nan
    found = rows_of(frame, SMALL)
    assert found.left_out == {"same": "the same in every row"} and len(found) == 10


def test_rows_without_any_clean_feature_are_incomplete_and_make_no_feature_null_too_often() -> None:
    natural = keys(5, 2, [("natural:camera", 1)]).assign(is_correct=False, shifted_confidence=0.3)  # no clean counterpart
    both = pd.concat([ten().assign(shifted_confidence=np.arange(10.0)), natural], ignore_index=True)
    found = rows_of(both, SMALL)  # half of the 20 rows have no confidence
    assert (len(found), found.n_incomplete, dict(found.left_out)) == (10, 10, {})
    assert found.cell_names == (("blur", 2),)


def test_without_rows_or_without_any_feature_there_is_an_empty_or_plain_frame_and_no_error() -> None:
    empty = rows_of(ten().iloc[:0], SMALL)
    assert (len(empty), empty.adapter_ids, empty.cell_names, empty.n_incomplete) == (0, (), (), 0)
    blank = rows_of(ten().assign(confidence=np.nan, xai__a__b__c=None), SMALL)
    assert (len(blank), blank.n_incomplete) == (0, 10)
    bare = rows_of(ten().drop(columns=["confidence", "xai__a__b__c"]), SMALL)
    assert (len(bare), bare.matrix(()).shape) == (10, (10, 0))
