"""The tables made of counts: every expected number is worked out by hand from a few cells."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pandas as pd
import pytest

from gold.aggregates import update_scale
from gold.frames import ADAPTERS, CELLS, Frames
from gold.tables import adapter_ranking, adapter_summary, corruption_settings, degradation, rank_effect, slices, worst_corruption
from gold.tables.degradation import WIDE_SQL

# adapter, label, corruption, severity, n, n_correct, n_flipped
A = [
    ("a", "cat", "none", 0, 10, 10, 0), ("a", "dog", "none", 0, 10, 8, 0),
    ("a", "cat", "blur", 1, 10, 9, 1), ("a", "dog", "blur", 1, 10, 7, 2),
    ("a", "cat", "blur", 2, 10, 5, 5), ("a", "dog", "blur", 2, 10, 5, 4),
    ("a", "cat", "blur", 3, 10, 2, 8), ("a", "dog", "blur", 3, 10, 2, 7),
    ("a", "cat", "noise", 1, 20, 19, 0),
]  # fmt: skip


def cells(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame([(*row, 1.0) for row in rows], columns=list(CELLS))


def adapters(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([{**dict.fromkeys(ADAPTERS), "status": "ready", **row} for row in rows], columns=list(ADAPTERS))


def test_degradation_sums_the_labels_and_measures_drops_from_clean_and_from_shallow() -> None:
    found = degradation.build(Frames("pets", cells=cells(A))).set_index(["corruption", "severity"])
    # clean 18/20 = 0.9; blur 16/20 = 0.8, 10/20 = 0.5, 4/20 = 0.2; flips at severity 3: 15 of 20
    expected = {("none", 0): 0.9, ("blur", 1): 0.8, ("blur", 2): 0.5, ("blur", 3): 0.2, ("noise", 1): 0.95}
    assert found["accuracy"].to_dict() == pytest.approx(expected)
    assert found.loc[("blur", 3), "drop_from_clean"] == pytest.approx(0.7)
    assert found.loc[("blur", 3), "drop_from_shallow"] == pytest.approx(0.6)
    assert found.loc[("noise", 1), "drop_from_clean"] == pytest.approx(-0.05)
    assert found.loc[("none", 0), "drop_from_clean"] == 0.0
    assert pd.isna(found.loc[("none", 0), "drop_from_shallow"])
    assert found.loc[("blur", 3), "flip_rate"] == pytest.approx(0.75)
    assert found.loc[("blur", 3), "n"] == 20


def test_without_a_clean_cell_or_a_shallow_one_the_drop_is_null_and_says_so() -> None:
    found = degradation.build(Frames("pets", cells=cells([("a", "cat", "blur", 2, 10, 5, 0)]))).iloc[0]
    assert pd.isna(found["drop_from_clean"])
    assert pd.isna(found["drop_from_shallow"])
    assert found["reason"] == "no clean rows; no rows at severity 1 of this corruption"


def test_the_wide_view_has_the_studys_columns_in_duckdb() -> None:
    frame = degradation.build(Frames("pets", cells=cells(A)))
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA gold")
        connection.register("frame", frame)
        connection.execute("CREATE TABLE gold.degradation AS SELECT * FROM frame")
        found = connection.execute(WIDE_SQL).df().set_index("corruption")
    columns = ["clean", "shallow", "medium", "heavy", "drop_shallow_heavy", "drop_pct"]
    assert list(found.columns) == ["dataset", "adapter_id", *columns]
    # drop_pct = 100 * (0.8 - 0.2) / 0.8
    assert found.loc["blur", columns].astype(float).tolist() == pytest.approx([0.9, 0.8, 0.5, 0.2, 0.6, 75.0])
    # one severity only: it is shallow, medium and heavy at once
    assert found.loc["noise", columns].astype(float).tolist() == pytest.approx([0.9, 0.95, 0.95, 0.95, 0.0, 0.0])


def test_a_slice_carries_the_wilson_interval_of_its_own_rows() -> None:
    found = slices.build(Frames("pets", cells=cells(A))).set_index(["slice", "corruption", "severity"])
    row = found.loc[("cat", "none", 0)]
    # Wilson at 10 of 10, z = 1.95996: low = n / (n + z^2) = 10 / 13.8415 = 0.72246, high = 1
    assert (row["accuracy"], row["ci_low"], row["ci_high"]) == pytest.approx((1.0, 0.72246, 1.0), abs=1e-5)
    assert found.loc[("dog", "blur", 3), "flip_rate"] == pytest.approx(0.7)
    assert len(found) == len(A)


def test_the_worst_corruption_is_the_one_with_the_lowest_accuracy_over_its_severities() -> None:
    found = worst_corruption.build(Frames("pets", cells=cells(A))).set_index("corruption")
    # blur: (16 + 10 + 4) / 60 = 0.5; noise 0.95
    assert found["rank"].to_dict() == {"blur": 1, "noise": 2}
    assert found.loc["blur", "accuracy"] == pytest.approx(0.5)
    assert found.loc["blur", "drop_from_clean"] == pytest.approx(0.4)
    assert (found.loc["blur", "worst_severity"], found.loc["blur", "worst_accuracy"]) == (3, pytest.approx(0.2))


def test_the_summary_keeps_refused_adapters_with_the_reason_and_no_invented_figures() -> None:
    known = adapters(
        {"adapter_id": "a", "name": "good", "rank": 4, "alpha": 8, "use_rslora": True},
        {"adapter_id": "b", "name": "bad", "status": "rejected", "reason": "pickle"},
    )
    found = adapter_summary.build(Frames("pets", cells=cells(A), adapters=known)).set_index("adapter_id")
    assert found.loc["b", "reason"] == "adapter is rejected: pickle; no clean rows; no corrupted rows"
    assert found.loc["b", ["clean_accuracy", "accuracy", "ci_low", "mean_entropy"]].isna().all()
    # corrupted: (30 + 19) / 80 rows of 20 examples; the interval rests on 20, not 80: Wilson half width about 0.2
    assert found.loc["a", "accuracy"] == pytest.approx(49 / 80)
    assert found.loc["a", "ci_high"] - found.loc["a", "ci_low"] == pytest.approx(0.389, abs=0.005)
    assert (found.loc["a", "n"], found.loc["a", "n_examples"]) == (80, 20)
    assert found.loc["a", "update_scale"] == 4.0


def test_adapters_are_ranked_by_accuracy_under_corruption_and_the_unranked_stay() -> None:
    other = [("b", "cat", "none", 0, 20, 20, 0), ("b", "cat", "blur", 1, 20, 4, 16)]
    known = adapters({"adapter_id": "a"}, {"adapter_id": "b"}, {"adapter_id": "c"})
    found = adapter_ranking.build(Frames("pets", cells=cells(A + other), adapters=known)).set_index("adapter_id")
    assert found["rank"].fillna(-1).to_dict() == {"a": 1, "b": 2, "c": -1}
    assert found["clean_rank"].fillna(-1).to_dict() == {"a": 2, "b": 1, "c": -1}
    assert found.loc["c", "reason"] == "no clean rows; no corrupted rows"


def test_the_update_scale_is_alpha_over_the_root_of_the_rank_only_with_rslora() -> None:
    table = adapters(
        {"rank": 16, "alpha": 32, "use_rslora": True},
        {"rank": 16, "alpha": 32, "use_rslora": False},
        {"rank": None, "alpha": None, "use_rslora": None},
        {"rank": 0, "alpha": 8, "use_rslora": True},
    )
    assert update_scale(table).tolist()[:2] == [8.0, 2.0]
    assert update_scale(table).isna().tolist() == [False, False, True, True]


def test_the_rank_effect_has_an_interval_only_over_two_or_more_adapters() -> None:
    ranks = (("a", 4), ("b", 4), ("c", 16))
    table = adapters(*({"adapter_id": name, "rank": rank, "alpha": 2 * rank, "use_rslora": True} for name, rank in ranks))
    counts = [(name, "cat", "blur", 1, 10, right, 0) for name, right in (("a", 6), ("b", 8), ("c", 9))]
    found = rank_effect.build(Frames("pets", cells=cells(counts), adapters=table)).set_index("rank")
    # 0.6 and 0.8: mean 0.7, sd 0.141421, t(0.975, 1) = 12.7062, half = 12.7062 * 0.141421 / sqrt(2) = 1.27 -> cut to [0, 1]
    assert found.loc[4, ["ood_accuracy", "ci_low", "ci_high"]].astype(float).tolist() == pytest.approx([0.7, 0.0, 1.0])
    assert found.loc[16, ["ci_low", "ci_high"]].isna().all()
    assert found.loc[16, "reason"] == "an interval over adapters needs at least two of them"
    assert found["n_adapters"].to_dict() == {4: 2, 16: 1}
    assert found["update_scale"].to_dict() == {4: 4.0, 16: 8.0}


def test_ranks_are_compared_among_recipes_that_differ_in_rank_scale_and_seed_alone() -> None:
    def recipe(name: str, rank: int, seed: int, share: float = 1.0) -> dict[str, Any]:
        told = {"name": name, "rank": rank, "seed": seed, "update_scale": 4.0, "alpha": None, "train_share": share}
        return {"adapter_id": name, "rank": rank, "alpha": 4.0 * rank**0.5, "use_rslora": True, "recipe_settings": json.dumps(told)}

    weak = [recipe(f"w{seed}", 4, seed, share=0.1) for seed in range(3)]  # three of one rank, against two ranks: the ranks count
    old = recipe("b", 4, 1)
    old["recipe_settings"] = old["recipe_settings"].replace('"alpha": null, ', '"label_noise": 0.0, ')
    table = adapters(recipe("a", 4, 0), old, recipe("c", 16, 0), *weak)
    counts = [(name, "cat", "blur", 1, 10, right, 0) for name, right in (("a", 6), ("b", 8), ("c", 9), ("w0", 1), ("w1", 1), ("w2", 1))]
    found = rank_effect.build(Frames("pets", cells=cells(counts), adapters=table)).set_index("rank")
    assert found["ood_accuracy"].to_dict() == pytest.approx({4: 0.7, 16: 0.9})  # with the weak ones rank 4 had (6 + 8 + 3) / 50 = 0.34
    assert found["n_left_out"].tolist() == [3, 3]


def test_equal_rank_with_another_scale_is_another_group() -> None:
    table = adapters(*({"adapter_id": name, "rank": 4, "alpha": alpha, "use_rslora": True} for name, alpha in (("a", 8), ("b", 16))))
    counts = [(name, "cat", "blur", 1, 10, 5, 0) for name in ("a", "b")]
    assert rank_effect.build(Frames("pets", cells=cells(counts), adapters=table))["update_scale"].tolist() == [4.0, 8.0]


def test_a_configured_corruption_without_rows_stays_with_n_zero(planted: Frames) -> None:
    found = corruption_settings.build(planted).set_index(["corruption", "severity"])
    assert found.loc[("snow", 1), ["value", "n", "reason"]].tolist() == ["0.1, 0.3", 0, "no rows were evaluated under it"]
    assert pd.isna(found.loc[("snow", 1), "value_number"])
    assert found.loc[("blur", 2), ["value", "value_number", "n"]].tolist() == ["3.5", 3.5, 180]  # 60 examples x 3 adapters


def test_the_summaries_quote_the_tables_built_before_them(built: dict[str, pd.DataFrame]) -> None:
    numbers = built["quantitative_summary"].set_index("metric")["value"]
    words = built["qualitative_summary"].set_index("metric")["value"]
    learners = built["classifier_comparison"].query("protocol == 'grouped'").sort_values("cv_auc_mean").iloc[-1]
    assert words["grouped_best_model"] == learners["model"]
    assert numbers["grouped_roc_auc"] == learners["roc_auc"]
    assert words["strongest_feature_pooled"] == "entropy"  # planted
    assert words["grouped_auc_against_confidence"] == "above"  # the planted confidence knows nothing
    assert (numbers["n_adapters"], numbers["n_examples"], numbers["n_predictions"]) == (3, 60, 60 * 3 * 5)


def test_a_summary_without_the_tables_it_quotes_says_so(planted: Frames) -> None:
    from gold.tables import quantitative_summary

    found = quantitative_summary.build(planted).set_index("metric")
    assert pd.isna(found.loc["grouped_roc_auc", "value"])
    assert found.loc["grouped_roc_auc", "reason"] == "classifier_comparison was not built before this table"
