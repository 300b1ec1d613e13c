"""The laws of the meta-learner: what is planted is found, what is noise is not, and no example stands on two sides."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from gold.design import design
from gold.importance import importances, permutation_drops
from gold.learners import LEARNERS, LOGISTIC, XGBOOST, XGBOOST_TUNED, Learner, fit
from gold.meta_learner import adapter_score, evaluate
from gold.protocols import GROUPED, KI, PROTOCOLS, Protocol, folds, holdout
from gold.settings import GoldSettings

Make = Callable[..., pd.DataFrame]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_a_planted_signal_is_found(learner: Learner, protocol: Protocol, make_rows: Make, small: GoldSettings) -> None:
    # strength 3 on a standard normal: the true P(correct) itself has AUROC about 0.9; a learner of ten trees reaches 0.8
    found = evaluate(design(make_rows()), learner, protocol, small)
    assert found.roc_auc is not None
    assert found.roc_auc > 0.8
    assert found.ci_low is not None
    assert found.ci_low > 0.7
    assert found.cv_auc_mean is not None
    assert found.cv_auc_mean > 0.8
    assert found.auc_within_adapter is not None
    assert found.auc_within_adapter > 0.8
    assert found.confidence_auc == pytest.approx(0.5, abs=0.15)  # planted as noise
    assert found.reason is None


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_shuffled_labels_give_one_half_within_the_interval(
    learner: Learner, protocol: Protocol, make_rows: Make, small: GoldSettings
) -> None:
    rows = make_rows(n_examples=120)
    rows["is_correct"] = np.random.default_rng(1).permutation(rows["is_correct"])
    # a 99.9 % interval: eight tests at 95 % would fail by chance one time in three
    found = evaluate(design(rows), learner, protocol, small.model_copy(update={"confidence_level": 0.999, "bootstrap_resamples": 200}))
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low <= 0.5 <= found.ci_high
    assert found.ci_high - found.ci_low < 0.35  # not satisfied by an empty statement


def test_under_grouped_no_example_stands_on_both_sides_and_under_ki_almost_all_do(make_rows: Make, small: GoldSettings) -> None:
    data = design(make_rows())
    shared = {}
    for protocol in PROTOCOLS:
        train, test = holdout(protocol, data.correct, data.examples, small)
        assert sorted([*train, *test]) == list(range(len(data)))
        assert len(test) / len(data) == pytest.approx(0.2, abs=0.03)
        shared[protocol.name] = len(set(data.examples[train]) & set(data.examples[test])) / len(set(data.examples[test]))
    # 12 rows per example: all of them in training with probability 0.8^12 = 7 %; seen in the test and not in training 0.2^12
    assert shared == {"ki": 1.0, "grouped": 0.0}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_folds_are_disjoint_and_cover_all_rows_and_grouped_folds_share_no_example(
    protocol: Protocol, make_rows: Make, small: GoldSettings
) -> None:
    data = design(make_rows())
    found = folds(protocol, data.correct, data.examples, small, 5)
    assert sorted(np.concatenate([test for _, test in found])) == list(range(len(data)))
    overlap = [bool(set(data.examples[train]) & set(data.examples[test])) for train, test in found]
    assert overlap == [protocol is not GROUPED] * 5


def test_repeated_feature_vectors_flatter_the_ki_split_and_not_the_grouped_one(make_rows: Make, small: GoldSettings) -> None:
    """METHODS 4.1, planted: features say nothing, but an example's rows agree, so remembering its vector is enough under ki."""
    rows = make_rows(strength=0.0, n_examples=100)
    fate = rows["example_id"].map(lambda name: int(name[:2], 16) < 128)
    data = design(rows.assign(is_correct=fate))
    deep = small.model_copy(update={"boost": small.boost.model_copy(update={"trees": 60, "depth": 8, "learning_rate": 0.3})})
    ki, grouped = (evaluate(data, XGBOOST, protocol, deep) for protocol in (KI, GROUPED))
    assert ki.roc_auc is not None
    assert grouped.roc_auc is not None
    assert ki.roc_auc > 0.85
    assert grouped.roc_auc < 0.65


def test_knowing_only_the_adapter_is_reported_as_a_baseline(make_rows: Make, small: GoldSettings) -> None:
    rows = make_rows(strength=0.0)
    rates = {"a04": 0.2, "a16": 0.5, "a32": 0.8}
    rows["is_correct"] = np.random.default_rng(0).random(len(rows)) < rows["adapter_id"].map(rates)
    rows["entropy"] = rows["adapter_id"].map(rates) + 0.01 * np.random.default_rng(1).standard_normal(len(rows))
    found = evaluate(design(rows), LOGISTIC, GROUPED, small)
    # equal thirds, positives 0.2/0.5/0.8, negatives 0.8/0.5/0.2 (each sums to 1.5):
    # (0.5 * 0.8 + 0.8 * 1.3 + 0.5 * (0.16 + 0.25 + 0.16)) / 2.25 = 0.767
    assert found.adapter_auc == pytest.approx(0.767, abs=0.08)
    assert found.roc_auc == pytest.approx(found.adapter_auc, abs=0.08)
    assert found.auc_within_adapter == pytest.approx(0.5, abs=0.12)  # the learner knows nothing but the adapter


def test_the_adapter_score_is_the_training_accuracy_and_the_overall_one_for_an_unseen_adapter(make_rows: Make) -> None:
    data = design(make_rows())
    train = np.flatnonzero((data.adapters != 2) & (np.arange(len(data)) % 3 > 0))
    seen = data.correct[train][data.adapters[train] == 0]
    score = adapter_score(data, train)
    assert np.unique(score[data.adapters == 0]) == pytest.approx([seen.mean()])
    assert seen.mean() != data.correct[data.adapters == 0].mean()  # else a score that peeks at the test rows would pass
    assert np.unique(score[data.adapters == 2]) == pytest.approx([data.correct[train].mean()])


def test_the_majority_baseline_is_the_share_of_the_training_majority_in_the_test(make_rows: Make, small: GoldSettings) -> None:
    data = design(make_rows())
    _, test = holdout(GROUPED, data.correct, data.examples, small)
    found = evaluate(data, LOGISTIC, GROUPED, small)
    assert found.base_rate is not None
    assert found.base_rate > 0.5  # the intercept of 0.5 makes `correct` the majority
    assert found.majority_accuracy == data.correct[test].mean()


def test_confusion_counts_are_those_of_the_test_rows(make_rows: Make, small: GoldSettings) -> None:
    found = evaluate(design(make_rows()), LOGISTIC, GROUPED, small)
    assert None not in (found.tp, found.tn, found.fp, found.fn, found.accuracy, found.n_test, found.n_train)
    assert found.tp + found.tn + found.fp + found.fn == found.n_test
    assert found.accuracy == pytest.approx((found.tp + found.tn) / found.n_test)
    assert found.n_train + found.n_test == found.n


def test_rows_without_a_feature_are_left_out_and_counted(make_rows: Make, small: GoldSettings) -> None:
    rows = make_rows()
    rows.loc[:9, "entropy"] = [np.nan, np.inf, -np.inf, *[np.nan] * 7]
    found = evaluate(design(rows), LOGISTIC, GROUPED, small)
    assert (found.n, found.n_incomplete) == (710, 10)  # 60 x 3 x 4 = 720


def test_too_few_examples_of_a_class_for_the_folds_is_null_with_a_reason(make_rows: Make, small: GoldSettings) -> None:
    rows = make_rows(n_examples=8)
    first = rows["example_id"].iloc[0]
    found = evaluate(design(rows.assign(is_correct=rows["example_id"] != first)), LOGISTIC, GROUPED, small)
    assert found.roc_auc is None
    assert found.reason == "the rarer class has 1 examples; 5 parts need at least 5"


def test_a_test_side_below_one_row_per_class_is_null_with_a_reason(make_rows: Make, small: GoldSettings) -> None:
    found = evaluate(design(make_rows(n_examples=1)), LOGISTIC, KI, small.model_copy(update={"test_share": 0.1}))
    assert found.reason == "a test share of 0.1 of 12 rows is less than one row per class"


def test_a_training_side_too_small_for_the_folds_has_a_test_score_and_no_cross_validation(make_rows: Make, small: GoldSettings) -> None:
    rows = make_rows(n_examples=10).assign(is_correct=True)
    rows.loc[[0, 30, 60, 90, 110], "is_correct"] = False  # five wrong rows: one falls to the test side, four are left for five folds
    found = evaluate(design(rows), LOGISTIC, KI, small)
    assert found.roc_auc is not None
    assert (found.cv_auc_mean, found.cv_auc_std) == (None, None)
    assert found.reason == "cross-validation: the rarer class has 4 rows; 5 parts need at least 5"


def test_the_cross_validated_auroc_is_the_mean_and_population_sd_over_the_folds_of_the_training_side(
    make_rows: Make, small: GoldSettings
) -> None:
    """Naive twin with scikit-learn's own pipeline, splitter and score."""
    data = design(make_rows())
    train, _ = holdout(GROUPED, data.correct, data.examples, small)
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000))
    folded = StratifiedGroupKFold(5, shuffle=True, random_state=42)
    scores = cross_val_score(model, data.x[train], data.correct[train], groups=data.examples[train], cv=folded, scoring="roc_auc")
    found = evaluate(data, LOGISTIC, GROUPED, small)
    assert found.cv_auc_mean == pytest.approx(scores.mean(), abs=1e-9)
    assert found.cv_auc_std == pytest.approx(scores.std(), abs=1e-9)


def test_the_positive_weight_is_wrong_over_correct_and_the_scaler_knows_only_the_training_rows(
    make_rows: Make, small: GoldSettings
) -> None:
    data = design(make_rows())
    train = np.arange(0, len(data), 2)
    for learner in (XGBOOST, XGBOOST_TUNED):
        model = fit(learner, data.x[train], data.correct[train], small)
        assert model.classifier.scale_pos_weight == pytest.approx((~data.correct[train]).sum() / data.correct[train].sum())
        assert model.scaler.mean_ == pytest.approx(data.x[train].mean(axis=0))


def test_the_learners_have_the_studys_hyper_parameters() -> None:
    """METHODS 4, word for word."""
    forest, boost, tuned, logistic = (learner.make(GoldSettings(), 0.25).get_params() for learner in LEARNERS)
    expected = {
        "n_estimators": 200,
        "max_depth": 12,
        "min_samples_split": 5,
        "min_samples_leaf": 2,
        "class_weight": "balanced",
        "random_state": 42,
    }
    assert {name: forest[name] for name in expected} == expected
    keys = (
        "n_estimators", "max_depth", "learning_rate", "subsample", "colsample_bytree",
        "reg_alpha", "reg_lambda", "scale_pos_weight", "tree_method", "random_state",
    )  # fmt: skip
    assert [boost[key] for key in keys] == [200, 6, 0.1, 0.8, 0.8, 0.1, 1.0, 0.25, "hist", 42]
    assert [tuned[key] for key in (*keys, "gamma", "min_child_weight")] == [300, 4, 0.05, 0.7, 0.7, 0.5, 2.0, 0.25, "hist", 42, 0.1, 3.0]
    assert (logistic["C"], logistic["class_weight"]) == (0.1, "balanced")


def test_a_learner_refuses_one_class(small: GoldSettings) -> None:
    with pytest.raises(ValueError, match="must hold correct and wrong"):
        fit(LOGISTIC, np.zeros((5, 2)), np.ones(5, dtype=np.bool_), small)


def test_the_planted_feature_is_the_important_one_by_all_five_readings(make_rows: Make, small: GoldSettings) -> None:
    data = design(make_rows())
    found = {row.feature: row for row in importances(data, data.features, GROUPED, small)}
    for name in ("xgb_importance", "rf_importance", "perm_importance", "lr_coef", "lr_odds_ratio"):
        assert max(found, key=lambda feature: getattr(found[feature], name)) == "entropy", name
    assert sum(row.xgb_importance or 0.0 for row in found.values()) == pytest.approx(1.0, abs=1e-6)


def test_the_odds_ratio_is_the_exponential_of_the_coefficient_of_the_standardised_feature(make_rows: Make, small: GoldSettings) -> None:
    data = design(make_rows())
    train, _ = holdout(GROUPED, data.correct, data.examples, small)
    from sklearn.linear_model import LogisticRegression

    z = (data.x[train] - data.x[train].mean(axis=0)) / data.x[train].std(axis=0)
    twin = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit(z, data.correct[train])
    found = importances(data, data.features, GROUPED, small)
    assert [row.lr_coef for row in found] == pytest.approx(twin.coef_[0].tolist(), rel=1e-6)
    assert [row.lr_odds_ratio for row in found] == pytest.approx(np.exp(twin.coef_[0]).tolist(), rel=1e-6)


def test_permutation_leaves_the_matrix_alone_and_a_column_the_model_ignores_drops_nothing(make_rows: Make, small: GoldSettings) -> None:
    data = design(make_rows())
    x = data.x.copy()
    x[:, 1] = 7.0  # constant in training: a split on it is impossible
    model = fit(XGBOOST, x, data.correct, small)
    varied = np.column_stack([x[:, 0], np.arange(len(x), dtype=float), x[:, 2:]])
    before = varied.copy()
    assert permutation_drops(model, varied, data.correct, 1, small).tolist() == [0.0] * 3
    assert permutation_drops(model, varied, data.correct, 0, small).min() > 0.05
    assert np.array_equal(varied, before)
