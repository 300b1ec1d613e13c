"""Gold's numbers against scipy, scikit-learn and naive twins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from gold.scores import Ordered, auroc, auroc_within, brier, clustered_auroc_interval, confusion
from gold.statistics import cluster_counts, cohens_d, mean_interval, pearson, point_biserial, separation, spearman, wilson

SEEDS = range(4)


def data(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """A score with many ties (two decimals) and an outcome that leans on it."""
    generator = np.random.default_rng(seed)
    score = generator.random(n).round(2)
    return score, generator.random(n) < 0.2 + 0.6 * score


@pytest.mark.parametrize("seed", SEEDS)
def test_the_correlations_are_those_of_scipy(seed: int) -> None:
    x, y = data(seed)
    for ours, theirs in (
        (pearson(x, y), stats.pearsonr(x, y.astype(float))),
        (spearman(x, y), stats.spearmanr(x, y)),
        (point_biserial(y, x), stats.pointbiserialr(y, x)),
    ):
        assert ours.value == pytest.approx(theirs.statistic, abs=1e-12)
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-8)


def test_a_perfect_line_has_r_one_and_p_zero() -> None:
    found = pearson([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0])
    assert found.value == pytest.approx(1.0)
    assert found.p_value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_within_pearson_is_the_partial_correlation_given_the_adapters(seed: int) -> None:
    """Naive twin: residuals of both on one dummy per adapter by least squares; p of the slope in the regression with the dummies."""
    x, y = data(seed)
    groups = np.random.default_rng(seed).integers(4, size=len(x))
    dummies = (groups[:, None] == np.arange(4)).astype(float)
    left, right = (v - dummies @ np.linalg.lstsq(dummies, v, rcond=None)[0] for v in (x, y.astype(float)))
    r = np.corrcoef(left, right)[0, 1]
    design = np.column_stack([x, dummies])
    beta = np.linalg.lstsq(design, y.astype(float), rcond=None)[0]
    freedom = len(x) - design.shape[1]
    variance = np.sum((y - design @ beta) ** 2) / freedom * np.linalg.inv(design.T @ design)[0, 0]
    p = 2 * stats.t.sf(abs(beta[0]) / np.sqrt(variance), freedom)
    found = pearson(x, y, groups)
    assert found.value == pytest.approx(r, abs=1e-12)
    assert found.p_value == pytest.approx(p, rel=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_within_cohens_d_is_the_dummy_regression_over_the_residual_sd(seed: int) -> None:
    """Naive twin: slope of x on is_correct with one dummy per adapter; spread from the means of each (adapter, correctness)."""
    x, y = data(seed)
    groups = np.random.default_rng(seed).integers(3, size=len(x))
    regressors = np.column_stack([y.astype(float), groups[:, None] == np.arange(3)])
    slope = np.linalg.lstsq(regressors, x, rcond=None)[0][0]
    cells = [x[(groups == g) & (y == side)] for g in range(3) for side in (True, False)]
    sd = np.sqrt(sum(np.sum((cell - cell.mean()) ** 2) for cell in cells) / (len(x) - len(cells)))
    assert cohens_d(x, y, groups).value == pytest.approx(slope / sd, rel=1e-10)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (7, 20), (180, 200)])
def test_wilson_is_that_of_scipy(successes: int, n: int) -> None:
    theirs = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    ours = wilson(successes, n)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_mean_interval_is_students_t() -> None:
    values = [0.5, 0.6, 0.8, 0.55]
    low, high = stats.t.interval(0.9, 3, loc=np.mean(values), scale=stats.sem(values))
    ours = mean_interval(values, 0.9)
    assert (ours.low, ours.high) == pytest.approx((low, high))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_scores_are_those_of_scikit_learn_with_ties(seed: int) -> None:
    score, y = data(seed)
    said = score >= 0.5
    counts = confusion(score, y)
    assert auroc(score, y) == pytest.approx(metrics.roc_auc_score(y, score), abs=1e-12)
    assert Ordered(score, y).average_precision() == pytest.approx(metrics.average_precision_score(y, score), abs=1e-12)
    assert brier(score, y) == pytest.approx(metrics.brier_score_loss(y, score), abs=1e-12)
    assert [[counts.tn, counts.fp], [counts.fn, counts.tp]] == metrics.confusion_matrix(y, said).tolist()
    assert counts.f1 == pytest.approx(metrics.f1_score(y, said))
    assert counts.precision == pytest.approx(metrics.precision_score(y, said))
    assert counts.recall == pytest.approx(metrics.recall_score(y, said))
    assert counts.specificity == pytest.approx(metrics.recall_score(~y, ~said))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_weighted_auroc_is_that_of_the_repeated_rows(seed: int) -> None:
    score, y = data(seed, n=80)
    weight = np.random.default_rng(seed).integers(0, 4, size=80)
    assert Ordered(score, y).auroc(weight) == pytest.approx(
        metrics.roc_auc_score(np.repeat(y, weight), np.repeat(score, weight)), abs=1e-12
    )


def test_the_within_auroc_counts_the_pairs_of_one_adapter() -> None:
    """Naive twin: all pairs, one by one."""
    score, y = data(0, n=60)
    groups = np.random.default_rng(0).integers(3, size=60)
    pairs = [
        1.0 if score[a] > score[b] else 0.5 if score[a] == score[b] else 0.0
        for a in range(60)
        for b in range(60)
        if y[a] and not y[b] and groups[a] == groups[b]
    ]
    assert auroc_within(score, y, groups) == pytest.approx(np.mean(pairs), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_separation_is_that_of_scikit_learn_and_of_a_bootstrap_with_ties(seed: int) -> None:
    score, y = data(seed)
    inside, outside = score[y], score[~y]
    found = separation(inside, outside)
    assert found.auroc == pytest.approx(metrics.roc_auc_score(y, score), abs=1e-12)
    false, true, _ = metrics.roc_curve(y, score, drop_intermediate=False)
    assert found.fpr95 == false[np.argmax(true >= 0.95)]
    pairs = (inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)
    generator = np.random.default_rng(seed)
    drawn = [pairs[np.ix_(*(generator.integers(n, size=n) for n in pairs.shape))].mean() for _ in range(2000)]
    # 2,000 draws give a standard deviation within 1.6 % of its own, four of which are 6.4 %
    assert found.standard_error == pytest.approx(np.std(drawn), rel=0.065)


def test_scores_that_do_not_exist_are_none() -> None:
    ones, empty = np.ones(4, dtype=bool), np.zeros(0)
    assert auroc(np.arange(4.0), ones) is None
    assert auroc(np.array([0.1, np.nan]), np.array([True, False])) is None
    assert auroc_within(np.arange(4.0), np.array([True, True, False, False]), np.array([0, 0, 1, 1])) is None
    assert auroc(empty, empty.astype(bool)) is None
    assert brier(empty, empty.astype(bool)) is None
    assert Ordered(np.arange(4.0), ~ones).average_precision() is None
    assert confusion(np.zeros(4), ones).precision is None


def test_a_score_that_is_not_finite_is_refused_where_order_matters() -> None:
    with pytest.raises(ValueError, match="must be finite"):
        Ordered(np.array([np.nan]), np.array([True]))


def test_a_resample_draws_as_many_clusters_as_there_are() -> None:
    counts = list(cluster_counts(30, 5, np.random.default_rng(0)))
    assert [int(count.sum()) for count in counts] == [30] * 5
    assert any((count == 0).any() for count in counts)


def test_the_clustered_auroc_interval_covers_the_truth_and_the_row_wise_one_does_not() -> None:
    """100 planted data sets: 40 examples, 10 rows each that share the example's score and outcome; true AUROC Phi(1 / sqrt 2) = 0.760.

    Nominal 90 %. Drawing rows as if independent makes the interval about sqrt(10) too narrow: coverage near 2 Phi(1.645 / 3.16) - 1 = 40 %.
    """
    truth = stats.norm.cdf(1 / np.sqrt(2))
    covered = {"examples": 0, "rows": 0}
    for seed in range(100):
        generator = np.random.default_rng(seed)
        y = np.repeat(generator.random(40) < 0.5, 10)
        score = np.repeat(generator.standard_normal(40), 10) + y
        for name, clusters in (("examples", np.repeat(np.arange(40), 10)), ("rows", np.arange(400))):
            found = clustered_auroc_interval(score, y, clusters, 100, 0.9, np.random.default_rng(seed))
            covered[name] += found.low <= truth <= found.high
    assert covered["examples"] >= 80  # binomial sd 3 at 90 of 100, and the percentile bootstrap is a little narrow at 40
    assert covered["rows"] <= 60
