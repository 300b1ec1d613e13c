"""Every gold table, on planted data and on poor data: exactly its spec, unique keys, ranges kept, nulls with a reason."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gold
import gold.tables
from gold.frames import Frames
from gold.table import GoldTable, as_table, to_arrow
from lake.spec import Table
from tests.unit.gold.conftest import SMALL, planted_rows

NAMES = [table.spec.name for table in gold.TABLES]
# about priors and steered training, of which pictures have no row (test_steering_*.py); about inputs of no class (test_out_of_scope.py)
NOT_PLANTED = (
    "cap_hybrid_training", "cap_hybrid_arms", "prior_correlations", "prior_top_words", "prior_homogeneity", "prior_precision",
    "out_of_scope",
)  # fmt: skip


def obeys(spec: Table, frame: pd.DataFrame) -> None:
    """Columns in order, unique key without nulls, every value inside the spec's range or list, castable to its Arrow schema."""
    assert tuple(frame.columns) == spec.column_names
    assert not frame.duplicated(list(spec.key)).any()
    assert not frame[list(spec.key)].isna().any(axis=None)
    assert to_arrow(spec, frame).num_rows == len(frame)
    pd.testing.assert_frame_equal(frame, frame.sort_values(list(spec.key), ignore_index=True))
    for column in spec.columns:
        values = frame[column.name].dropna()
        assert column.low is None or (values >= column.low).all(), column.name
        assert column.high is None or (values <= column.high).all(), column.name
        assert not column.allowed or values.isin(column.allowed).all(), column.name


POOR: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "zero rows": lambda rows: rows[:0],
    "one row": lambda rows: rows[:1],
    "one class only": lambda rows: rows.assign(is_correct=True, flipped=False),
    "one adapter": lambda rows: rows[rows["adapter_id"] == "a04"],
    "one corruption": lambda rows: rows[(rows["corruption"] == "blur") & (rows["severity"] == 1)],
    "a constant column": lambda rows: rows.assign(entropy=0.1),
    "one metric null everywhere": lambda rows: rows.assign(deletion=np.nan),
    "a metric null in places": lambda rows: rows.assign(deletion=rows["deletion"].where(rows["deletion"] > 0)),
    "all metrics null": lambda rows: rows.assign(entropy=None, sparsity=None, deletion=None, insertion=None),
    "no shallow severity": lambda rows: rows[rows["severity"] == 2],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_table_has_exactly_the_columns_of_its_spec_with_unique_keys_and_values_in_range(
    name: str, built: dict[str, pd.DataFrame]
) -> None:
    spec = next(table.spec for table in gold.TABLES if table.spec.name == name)
    assert (len(built[name]) > 0) == (name not in NOT_PLANTED)
    obeys(spec, built[name])


@pytest.mark.parametrize("fault", POOR)
def test_poor_data_give_rows_with_null_and_a_reason_and_never_a_crash(
    fault: str,
    make_rows: Callable[..., pd.DataFrame],
    planted: Frames,
    make_frames: Callable[..., Frames],
    make_built: Callable[..., dict[str, pd.DataFrame]],
) -> None:
    rows = POOR[fault](make_rows(n_examples=30))
    frames = make_frames(rows) if len(rows) else Frames("pets")
    fast = planted.settings.model_copy(update={"n_folds": 2})
    tables = make_built(replace(frames, settings=fast))
    for table in gold.TABLES:
        obeys(table.spec, tables[table.spec.name])
    unexplained = {
        "correlations": "pearson_r",
        "xai_feature_ranking": "rank",
        "classifier_comparison": "cv_auc_mean",
        "feature_importance": "lr_coef",
        "rank_effect": "ci_low",
        "degradation": "drop_from_clean",
        "adapter_summary": "accuracy",
        "quantitative_summary": "value",
        "qualitative_summary": "value",
    }
    for name, column in unexplained.items():
        nulls = tables[name][tables[name][column].isna()]
        assert nulls["reason"].notna().all(), name


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("zero rows", "no row has an explanation metric"),
        ("one row", "1 complete rows; at least 10 are needed"),
        ("one class only", "one class only: all rows are correct"),
        ("all metrics null", "no row has an explanation metric"),
    ],
)
def test_where_nothing_can_be_learned_all_eight_rows_say_why(
    fault: str, expected: str, make_rows: Callable[..., pd.DataFrame], planted: Frames
) -> None:
    from gold.tables import classifier_comparison

    found = classifier_comparison.build(Frames("pets", rows=POOR[fault](make_rows()), settings=planted.settings))
    assert found["reason"].tolist() == [expected] * 8
    assert found[["roc_auc", "accuracy", "ci_low", "cv_auc_mean", "tp"]].isna().all(axis=None)


def test_a_metric_null_everywhere_is_left_out_and_the_other_three_still_learn(
    make_rows: Callable[..., pd.DataFrame], planted: Frames
) -> None:
    from gold.tables import classifier_comparison, feature_importance

    frames = Frames("pets", rows=make_rows().assign(deletion=np.nan), settings=planted.settings)
    assert set(classifier_comparison.build(frames)["features"]) == {"entropy,sparsity,insertion"}
    found = feature_importance.build(frames).set_index(["protocol", "feature"])
    assert found.loc[("grouped", "deletion"), "reason"] == "null in every row"
    assert found.loc[("grouped", "entropy"), "rf_importance"] > 0.5


def test_the_order_of_the_rows_changes_nothing(planted: Frames) -> None:
    from gold.tables import classifier_comparison, correlations, feature_importance

    fast = planted.settings.model_copy(update={"n_folds": 2})
    shuffled = Frames("pets", rows=planted.rows.sample(frac=1.0, random_state=3), settings=fast)
    ordered = Frames("pets", rows=planted.rows, settings=fast)
    for module in (correlations, classifier_comparison, feature_importance):
        pd.testing.assert_frame_equal(module.build(shuffled), module.build(ordered), check_exact=True)


def test_what_differs_only_between_adapters_is_correlated_pooled_and_not_within(make_rows: Callable[..., pd.DataFrame]) -> None:
    from gold.tables import correlations

    rows, generator = make_rows(n_examples=300), np.random.default_rng(0)
    level = rows["adapter_id"].map({"a04": 0.0, "a16": 1.0, "a32": 2.0})
    rows["entropy"] = level + generator.standard_normal(len(rows))
    rows["is_correct"] = generator.random(len(rows)) < 0.9 - 0.3 * level
    found = correlations.build(Frames("pets", rows=rows)).set_index(["feature", "scope"])
    pooled, within = found.loc[("entropy", "pooled")], found.loc[("entropy", "within_adapter")]
    assert pooled["pearson_r"] < -0.25
    assert pooled["pearson_ci_high"] < -0.2
    assert within["pearson_ci_low"] < 0.0 < within["pearson_ci_high"]
    assert abs(within["pearson_r"]) < 0.05  # 3 / sqrt(3600)
    assert (pooled["effect_size_label"], within["effect_size_label"]) == ("medium", "negligible")


def test_every_module_of_the_tables_folder_stands_once_in_the_tuple() -> None:
    modules = [importlib.import_module(f"gold.tables.{found.name}") for found in pkgutil.iter_modules(gold.tables.__path__)]
    assert sorted(module.SPEC.full_name for module in modules) == sorted(table.spec.full_name for table in gold.TABLES)
    assert all(module.TABLE in gold.TABLES and module.TABLE.build is module.build for module in modules)


@pytest.mark.parametrize("table", gold.TABLES, ids=NAMES)
def test_every_table_is_gold_keyed_by_dataset_first_and_carries_settings_and_n(table: GoldTable) -> None:
    assert table.spec.layer == "gold"
    assert table.spec.key[0] == "dataset"
    assert {"settings_id", "n", "reason"} <= set(table.spec.column_names)
    assert all(column.comment for column in table.spec.columns)


# CONTRACTS 3, word for word: what SQL users rely on.
PROMISED = {
    "correlations": "method feature scope pearson_r pearson_p spearman_r spearman_p point_biserial_r cohens_d"
    " separation_ratio separation_ratio_pooled effect_size_label mean_correct mean_wrong std_correct std_wrong n",
    "classifier_comparison": "protocol model accuracy roc_auc f1 precision recall specificity brier avg_precision"
    " cv_auc_mean cv_auc_std tp tn fp fn",
    "feature_importance": "protocol feature xgb_importance rf_importance perm_importance perm_std lr_coef lr_odds_ratio",
    "adapter_summary": "adapter_id clean_accuracy accuracy mean_entropy std_entropy mean_insertion std_insertion n",
    "slices": "adapter_id slice_by slice corruption severity accuracy ci_low ci_high flip_rate n",
    "corruption_settings": "corruption severity parameter value expected_impact",
    "rank_effect": "rank update_scale ood_accuracy ci_low ci_high n_adapters",
    "degradation": "adapter_id corruption severity accuracy drop_from_clean drop_from_shallow n",
    "qualitative_summary": "metric value",
    "quantitative_summary": "metric value",
    "xai_feature_ranking": "rank",
    "adapter_ranking": "rank",
    "worst_corruption": "rank",
    "cap_hybrid_training": "setting priors fusion beta n_perturbations scorer seed accuracy comprehensiveness sufficiency"
    " adversarial_accuracy seconds leaky_prior",
    "prior_correlations": "scorer source_a source_b pearson_r spearman_r top10_overlap n",
    "prior_top_words": "scorer source label rank word score",
    "prior_homogeneity": "scorer source label_a label_b shared_mass discriminating_mass n",
    "training_summary": "adapter_id recipe rank alpha seed trainable_parameters trainable_share train_loss eval_loss"
    " accuracy f1 precision recall minutes",
}


@pytest.mark.parametrize("name", PROMISED)
def test_a_table_keeps_the_promised_columns(name: str) -> None:
    spec = next(table.spec for table in gold.TABLES if table.spec.name == name)
    assert set(PROMISED[name].split()) <= set(spec.column_names)


def test_a_record_with_a_lacking_or_an_unknown_column_or_a_repeated_key_is_refused() -> None:
    spec = gold.TABLES[NAMES.index("quantitative_summary")].spec
    good = {"metric": "m", "value": 1.0, "n": 1, "reason": None}
    with pytest.raises(ValueError, match="unknown \\['extra'\\]"):
        as_table(spec, "pets", [{**good, "extra": 1}])
    with pytest.raises(ValueError, match="lacking \\['value'\\]"):
        as_table(spec, "pets", [{"metric": "m", "n": 1, "reason": None}])
    with pytest.raises(ValueError, match="must be unique"):
        as_table(spec, "pets", [good, good])


def test_a_frame_that_lacks_a_column_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"frame 'cells' must have the columns n_flipped, sum_confidence"):
        Frames("pets", cells=pd.DataFrame(columns=["adapter_id", "label", "corruption", "severity", "n", "n_correct"]))


def test_features_of_a_sub_sample_are_correlated_over_its_rows_ranked_beside_the_others_and_never_quoted() -> None:
    from gold.frames import INVERSION_FEATURES
    from gold.quotes import strongest_feature
    from gold.statistics import pearson
    from gold.tables import correlations, xai_feature_ranking

    rows = planted_rows(0, 3.0, 60)
    plain = correlations.build(Frames("pets", rows=rows, settings=SMALL))
    inside = rows["example_id"].isin(sorted(rows["example_id"].unique())[:20])
    known = rows["is_correct"].astype(float).where(inside)  # tells all, where it is known
    more = rows.assign(**(dict.fromkeys(INVERSION_FEATURES, np.nan) | {"reliance": known}))
    found = correlations.build(Frames("pets", rows=more, settings=SMALL))
    assert set(found["feature"]) == {*plain["feature"], *INVERSION_FEATURES}
    others = found[~found["feature"].isin(INVERSION_FEATURES)].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, plain)  # rows outside the sub-sample stay theirs
    pooled = found[found["scope"] == "pooled"].set_index("feature")
    assert pooled.loc["reliance", "n"] == inside.sum() and pooled.loc["reliance", "n_examples"] == 20
    assert pooled.loc["reliance", "pearson_r"] == pytest.approx(pearson(known[inside], rows["is_correct"][inside]).value)
    assert "0 examples with this metric" in pooled.loc["faithfulness", "reason"]
    ranking = xai_feature_ranking.build(Frames("pets", rows=more, settings=SMALL, built={"correlations": found}))
    first = ranking[(ranking["scope"] == "pooled") & (ranking["rank"] == 1)]
    assert first["feature"].tolist() == ["reliance"] and first["n"].tolist() == [inside.sum()]
    quoted = strongest_feature(Frames("pets", settings=SMALL, built={"xai_feature_ranking": ranking}), "pooled")
    assert quoted["feature"] == "entropy"  # of what all rows have


def test_features_of_a_head_stand_under_its_name_beside_those_of_the_method() -> None:
    from gold.frames import PROVENANCE_FEATURES, columns_of
    from gold.statistics import pearson
    from gold.tables import correlations, xai_feature_ranking
    from silver.specs import PROVENANCE, Part

    rows = planted_rows(0, 3.0, 60)
    plain = correlations.build(Frames("pets", rows=rows, settings=SMALL))
    told, noise = rows["is_correct"].astype(float), np.random.default_rng(0).normal(size=len(rows))
    of_knn, of_own = (columns_of(Part(PROVENANCE, "s", name)) for name in ("knn", "my_own"))
    assert [*of_knn] == [*PROVENANCE_FEATURES] and of_own["exemplar_distance"] == "my_own__exemplar_distance"
    more = rows.assign(**dict.fromkeys(of_knn.values(), noise), **dict.fromkeys(of_own.values(), told + noise / 4))
    found = correlations.build(Frames("pets", rows=more, settings=SMALL))
    own = {"my_own", "knn"}
    pd.testing.assert_frame_equal(found[~found["method"].isin(own)].reset_index(drop=True), plain)
    assert set(zip(found["method"], found["feature"], strict=True)) == {
        *zip(plain["method"], plain["feature"], strict=True), *((head, name) for head in own for name in PROVENANCE_FEATURES),
    }  # fmt: skip
    row = found[(found["method"] == "my_own") & (found["feature"] == "exemplar_entropy") & (found["scope"] == "pooled")].iloc[0]
    assert row["pearson_r"] == pytest.approx(pearson((told + noise / 4).to_numpy(), told.to_numpy()).value)
    ranking = xai_feature_ranking.build(Frames("pets", rows=more, settings=SMALL, built={"correlations": found}))
    assert set(ranking[ranking["rank"] == 1]["method"]) == {"my_own"}
