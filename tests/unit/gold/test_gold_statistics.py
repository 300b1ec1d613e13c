"""The statistics by hand: Cohen's d, separation ratios, Simpson's case, and every way a number can fail to exist."""

from __future__ import annotations

import numpy as np
import pytest

from gold.statistics import (
    clustered_pearson_interval,
    cohens_d,
    contrast,
    effect_size_label,
    mean_interval,
    pearson,
    percentile_interval,
    point_biserial,
    separation_ratio,
    separation_ratio_pooled,
    spearman,
    wilson,
)

# correct: 4, 6, 8 (mean 6, sd 2); wrong: 1, 2, 3, 4, 5 (mean 3, sd sqrt(10/4) = 1.581139)
X = np.array([4.0, 6.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0])
Y = np.array([True, True, True, False, False, False, False, False])


def test_cohens_d_is_the_difference_over_the_pooled_sd() -> None:
    # pooled variance (2*4 + 4*2.5) / 6 = 3; d = 3 / sqrt(3) = 1.732051
    assert cohens_d(X, Y).value == pytest.approx(1.7320508)
    assert cohens_d(X, ~Y).value == pytest.approx(-1.7320508)


def test_the_separation_ratio_divides_by_the_sum_of_the_sds_and_its_pooled_form_by_the_pooled_sd() -> None:
    # 3 / (2 + 1.5811388) = 0.8377223
    assert separation_ratio(X, Y).value == pytest.approx(0.8377223)
    assert separation_ratio(X, ~Y).value == pytest.approx(0.8377223)
    assert separation_ratio_pooled(X, ~Y).value == pytest.approx(1.7320508)


def test_the_contrast_gives_plain_means_and_sample_sds_without_groups() -> None:
    found = contrast(X, Y)
    assert (found.mean_correct, found.mean_wrong, found.std_correct, found.std_wrong) == pytest.approx((6.0, 3.0, 2.0, 1.5811388))


@pytest.mark.parametrize(
    ("d", "label"),
    [
        (0.0, "negligible"),
        (0.199, "negligible"),
        (0.2, "small"),
        (-0.49, "small"),
        (0.5, "medium"),
        (0.799, "medium"),
        (0.8, "large"),
        (-3.0, "large"),
    ],
)
def test_the_effect_size_label_has_the_studys_limits(d: float, label: str) -> None:
    assert effect_size_label(d) == label


def test_no_effect_size_has_no_label() -> None:
    assert effect_size_label(None) is None


def simpson() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three adapters, each with its own level of the feature and its own accuracy, and nothing between the two inside any of them."""
    generator = np.random.default_rng(0)
    adapter = np.repeat([0, 1, 2], 2000)
    x = np.array([0.0, 1.0, 2.0])[adapter] + generator.standard_normal(6000)
    y = generator.random(6000) < np.array([0.9, 0.6, 0.3])[adapter]
    return x, y, adapter


@pytest.mark.parametrize("statistic", [pearson, spearman, lambda x, y, groups=None: point_biserial(y, x, groups)])
def test_a_correlation_between_adapters_is_gone_within_them(statistic: object) -> None:
    x, y, adapter = simpson()
    pooled, within = statistic(x, y), statistic(x, y, adapter)
    assert pooled.value < -0.25
    assert abs(within.value) < 0.04  # 3 / sqrt(6000)
    assert within.p_value > 0.01


def test_an_effect_between_adapters_is_gone_within_them() -> None:
    x, y, adapter = simpson()
    assert cohens_d(x, y).value < -0.5
    assert abs(cohens_d(x, y, adapter).value) < 0.1


def test_an_effect_inside_every_adapter_keeps_its_size_although_accuracies_differ() -> None:
    """Difference 1 and sd 1 inside each adapter, whose accuracies are 0.9 and 0.2: plain centring would report about 0.6."""
    generator = np.random.default_rng(0)
    adapter = np.repeat([0, 1], 5000)
    y = generator.random(10000) < np.array([0.9, 0.2])[adapter]
    x = np.array([5.0, -5.0])[adapter] + y + generator.standard_normal(10000)
    assert cohens_d(x, y, adapter).value == pytest.approx(1.0, abs=0.08)  # standard error about 0.028
    found = contrast(x, y, adapter)
    assert found.mean_correct - found.mean_wrong == pytest.approx(1.0, abs=0.08)
    assert found.std_correct == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("statistic", [pearson, spearman, cohens_d, separation_ratio])
def test_with_one_group_within_is_pooled(statistic: object) -> None:
    generator = np.random.default_rng(3)
    x, y = generator.standard_normal(50), generator.random(50) < 0.5
    pooled, within = statistic(x, y), statistic(x, y, ["a"] * 50)
    assert within.value == pytest.approx(pooled.value)
    assert within.p_value == pytest.approx(pooled.p_value) or within.p_value is pooled.p_value is None


def test_spearman_within_adapters_does_not_change_when_each_adapter_is_stretched_its_own_way() -> None:
    x, y, adapter = simpson()
    stretched = np.where(adapter == 0, np.exp(x), np.where(adapter == 1, x**3, 100.0 + x))
    assert spearman(stretched, y, adapter).value == pytest.approx(spearman(x, y, adapter).value, abs=1e-12)
    assert spearman(stretched, y).value != pytest.approx(spearman(x, y).value, abs=0.01)  # over all rows it does change


CONSTANT = np.full(20, 0.1)
HALF = np.arange(20) % 2 == 0


@pytest.mark.parametrize(
    ("x", "y", "groups", "reason"),
    [
        (np.arange(20.0), np.ones(20), None, "the outcome is constant"),
        (CONSTANT, HALF, None, "the feature is constant"),
        (CONSTANT + 1e-18, HALF, None, "the feature is constant"),
        (np.arange(2.0), [0, 1], None, "2 complete pairs in 1 groups; a correlation needs at least groups + 2"),
        ([], [], None, "0 complete pairs in 0 groups; a correlation needs at least groups + 2"),
        (np.full(20, np.nan), HALF, None, "0 complete pairs in 0 groups; a correlation needs at least groups + 2"),
        (np.arange(4.0), [0, 1, 0, 1], [0, 1, 2, 3], "4 complete pairs in 4 groups; a correlation needs at least groups + 2"),
        (np.repeat([0.1, 0.7], 10), HALF, np.repeat([0, 1], 10), "the feature is constant"),
    ],
)
@pytest.mark.parametrize("statistic", [pearson, spearman])
def test_a_correlation_that_does_not_exist_is_none_with_the_reason(
    statistic: object, x: object, y: object, groups: object, reason: str
) -> None:
    found = statistic(x, y, groups)
    assert (found.value, found.p_value, found.reason) == (None, None, reason)


@pytest.mark.parametrize(
    ("x", "y", "groups", "reason"),
    [
        (np.arange(20.0), np.ones(20), None, "one class only: no correct or no wrong rows"),
        ([], [], None, "no rows with a value"),
        (np.full(20, np.nan), HALF, None, "no rows with a value"),
        (np.arange(3.0), [1, 0, 0], None, "correct and wrong need at least two rows each"),
        (CONSTANT, HALF, None, "the feature has no spread inside the classes"),
        (np.arange(20.0), np.repeat([0, 1], 10), np.repeat([0, 1], 10), "no adapter has both correct and wrong rows"),
    ],
)
@pytest.mark.parametrize("statistic", [cohens_d, separation_ratio, separation_ratio_pooled])
def test_an_effect_that_does_not_exist_is_none_with_the_reason(
    statistic: object, x: object, y: object, groups: object, reason: str
) -> None:
    found = statistic(x, y, groups)
    assert (found.value, found.reason) == (None, reason)


def test_nan_pairs_are_left_out_and_not_counted() -> None:
    generator = np.random.default_rng(5)
    x, y = generator.standard_normal(30), generator.standard_normal(30)
    holes = x.copy()
    holes[::3] = np.nan
    keep = np.isfinite(holes)
    assert pearson(holes, y) == pearson(x[keep], y[keep])


def test_unequal_lengths_and_outcomes_that_are_not_0_or_1_are_refused() -> None:
    with pytest.raises(ValueError, match="equally long"):
        pearson([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="must be 0 or 1"):
        point_biserial([0, 2, 1], [1.0, 2.0, 3.0])


def test_wilson_refuses_impossible_counts_and_has_no_interval_without_rows() -> None:
    assert wilson(0, 0).low is None
    assert wilson(0, 0).reason == "no rows"
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(3, 2)


def test_one_value_has_no_interval_of_its_mean() -> None:
    assert mean_interval([0.5]).reason == "an interval over adapters needs at least two of them"


def test_a_figure_that_most_resamples_lack_has_no_interval() -> None:
    assert percentile_interval([np.nan, np.nan, 0.5]).reason == "the figure does not exist in most resamples"
    assert percentile_interval([]).low is None


def test_copies_of_an_example_do_not_narrow_the_clustered_interval_of_a_correlation() -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal(200)
    y = 0.3 * x + generator.standard_normal(200)
    once = clustered_pearson_interval(x, y, np.arange(200), None, 300, 0.95, np.random.default_rng(1))
    often = clustered_pearson_interval(
        np.repeat(x, 9), np.repeat(y, 9), np.repeat(np.arange(200), 9), None, 300, 0.95, np.random.default_rng(1)
    )
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    # large-sample sd of r is (1 - r^2) / sqrt(n) = 0.065: width about 4 of them
    assert once.high - once.low == pytest.approx(0.25, abs=0.07)
