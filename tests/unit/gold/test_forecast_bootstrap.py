"""Intervals of forecasts: by hand, against a naive bootstrap that copies rows, and held against a truth that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gold.forecast import FIGURES, Scored, bootstrap
from gold.forecast.spread import spread
from gold.statistics import cluster_counts
from lake.identity import rng

T1, Z = 12.7062, 1.959964  # 0.975 quantiles of Student's t with one degree and of the normal


def world(
    seed: int, n_examples: int = 60, n_adapters: int = 3, sd: float = 0.0, shared: bool = True
) -> tuple[dict[str, Scored], np.ndarray]:
    """Two forecasts, `good` and `poor`, of rows that share what their example does; of sd `sd` is what an adapter changes of `good`.

    Not `shared`: every adapter meets examples of its own, for a truth that rests on many of both.
    """
    generator = np.random.default_rng(seed)
    shape = (n_examples, n_adapters)
    base = generator.standard_normal((n_examples, 1) if shared else shape)
    failed = (0.8 * base + 0.6 * generator.standard_normal(shape) > 0.6).ravel()
    slope = 1.0 + sd * generator.standard_normal((1, n_adapters))
    good = (base * slope + 0.7 * generator.standard_normal(shape)).ravel()
    poor = 0.5 * good + generator.standard_normal(good.shape)
    examples, adapters = np.repeat(np.arange(n_examples), n_adapters), np.tile(np.arange(n_adapters), n_examples)
    folds = adapters if sd else np.zeros_like(adapters)
    return {name: Scored(risk, failed, folds, adapters, False) for name, risk in (("good", good), ("poor", poor))}, examples


def test_the_draws_are_those_of_a_naive_bootstrap_that_copies_the_rows_of_each_drawn_example() -> None:
    forecasts, examples = world(0)
    found = bootstrap(forecasts, examples, 25, 0.95, rng(1, "", "gold"), wanted=["auroc"])
    drawn = list(cluster_counts(60, 25, rng(1, "", "gold")))
    for name, forecast in forecasts.items():
        rows = [np.concatenate([np.flatnonzero(examples == e) for e in np.repeat(np.arange(60), counts)]) for counts in drawn]
        expected = [roc_auc_score(forecast.failed[some], forecast.risk[some]) for some in rows]
        assert found.draws[name]["auroc"][0] == pytest.approx(expected, abs=1e-12)


def test_adapters_are_drawn_with_their_examples_and_examples_with_their_adapters_and_cells_alone() -> None:
    forecasts, examples = world(0, n_examples=12, n_adapters=8, sd=0.3)
    found = bootstrap({"good": forecasts["good"]}, examples, 20, 0.95, rng(1, "", "gold"), adapters_too=True, wanted=["auroc"])
    assert [way.n_units for way in found.ways] == [12, 8, 96]
    generator, good = rng(1, "", "gold"), forecasts["good"]
    for way, (units, copies) in enumerate(((examples, False), (good.adapters, True), (examples * 8 + good.adapters, False))):
        for place, counts in enumerate(cluster_counts(len(np.unique(units)), 20, generator)):
            weights = counts[units]
            expected = good.figures(weights, ["auroc"], weights if copies else None)["auroc"]
            assert found.draws["good"]["auroc"][way, place] == expected


def test_the_interval_of_one_way_is_students_t_around_the_value_with_the_bootstraps_variance_mended_for_few_units() -> None:
    draws = np.random.default_rng(0).permutation(np.arange(1.0, 200.0))[np.newaxis]  # variance of 1..m is m (m + 1) / 12
    found = spread(90.0, draws, [2], 0.95)  # two units: variance x 2 / 1, and t with one degree
    error = math.sqrt(199 * 200 / 12 * 2)
    assert found.standard_error == pytest.approx(error)
    assert (found.low, found.high) == pytest.approx((90 - T1 * error, 90 + T1 * error), rel=1e-5)
    many = spread(90.0, draws, [10**9], 0.95)
    assert many.high == pytest.approx(90 + Z * math.sqrt(199 * 200 / 12), rel=1e-6)


def test_variance_of_training_widens_by_its_root() -> None:
    draws = np.arange(1.0, 200.0)[np.newaxis]
    plain, wide = (spread(0.0, draws, [50], 0.95, training) for training in (0.0, 3.0))
    assert (wide.standard_error, wide.high) == pytest.approx((2 * plain.standard_error, 2 * plain.high))
    forecasts, examples = world(1)
    one, other = (bootstrap(forecasts, examples, 30, 0.95, rng(1, "", "gold"), wanted=["auroc"], training=t) for t in (0.0, 3.0))
    for ask in (lambda found: found.estimate("poor", "auroc"), lambda found: found.difference("good", "poor", "auroc")):
        assert ask(other).value == ask(one).value and ask(other).standard_error == pytest.approx(2 * ask(one).standard_error)


def test_two_ways_that_cross_have_the_sum_of_their_variances_less_that_of_their_cells() -> None:
    # variances 1 of examples, 4 of adapters, 0.5 of cells, over very many units: 4.5, whatever the value
    examples, adapters, cells = (np.tile([-1.0, 1.0], 500), np.repeat([-2.0, 2.0], 500), np.tile([-math.sqrt(0.5), math.sqrt(0.5)], 500))
    found = spread(7.0, 7.0 + np.stack([examples, adapters, cells]), [10**9] * 3, 0.95)
    assert found.standard_error == pytest.approx(math.sqrt(4.5), rel=1e-3)
    assert (found.low, found.high) == pytest.approx((7 - Z * math.sqrt(4.5), 7 + Z * math.sqrt(4.5)), rel=1e-3)
    # never below the larger of the two: cells of variance 4 would leave 1
    assert spread(7.0, 7.0 + np.stack([examples, adapters, adapters]), [10**9] * 3, 0.95).standard_error == pytest.approx(2.0, rel=1e-3)
    # 8 adapters make all of the variance: t with 7 degrees, 2.364624, and sqrt(8 / 7)
    few = spread(0.0, np.stack([np.zeros(1000), adapters, np.zeros(1000)]), [10**9, 8, 10**9], 0.95)
    assert few.high == pytest.approx(2 * 2.364624 * math.sqrt(8 / 7), rel=1e-3)


def test_a_figure_without_noise_has_an_interval_of_no_width() -> None:
    found = spread(0.5, np.full((3, 50), 0.5), [9, 9, 81], 0.95)
    assert (found.standard_error, found.low, found.high) == (0.0, 0.5, 0.5)


def test_a_forecast_differs_from_itself_by_exactly_nothing_and_from_another_by_less_than_unpaired_ones_would() -> None:
    forecasts, examples = world(2)
    found = bootstrap(forecasts | {"twin": forecasts["good"]}, examples, 200, 0.95, rng(1, "", "gold"), wanted=["auroc", "aurc"])
    for figure in ("auroc", "aurc"):
        same = found.difference("good", "twin", figure)
        assert (same.value, same.low, same.high, same.standard_error) == (0.0, 0.0, 0.0, 0.0)
        errors = [found.estimate(name, figure).standard_error or 0.0 for name in ("good", "poor")]
        paired = found.difference("good", "poor", figure)
        assert paired.value == found.values["good"][figure] - found.values["poor"][figure]
        assert 0 < (paired.standard_error or 0.0) < math.hypot(*errors)


def test_draws_depend_on_the_generator_alone_and_not_on_who_else_is_compared() -> None:
    forecasts, examples = world(3)
    both = bootstrap(forecasts, examples, 20, 0.95, rng(1, "", "gold"))
    alone = bootstrap({"poor": forecasts["poor"]}, examples + 100, 20, 0.95, rng(1, "", "gold"))
    other = bootstrap(forecasts, examples, 20, 0.95, rng(2, "", "gold"))
    for figure in ("auroc", "auroc_within", "average_precision", "lift", "aurc", "augrc", "fpr95"):
        assert np.array_equal(both.draws["poor"][figure], alone.draws["poor"][figure])
        assert not np.array_equal(both.draws["poor"][figure], other.draws["poor"][figure])


def test_below_eight_held_out_adapters_intervals_are_withheld_with_the_reason_and_values_stay() -> None:
    for n_adapters, reason in ((7, "7 adapters are held out in turn; an interval over adapters needs at least 8"), (8, None)):
        forecasts, examples = world(4, n_adapters=n_adapters, sd=0.3)
        found = bootstrap(forecasts, examples, 20, 0.95, rng(1, "", "gold"), adapters_too=True, wanted=["auroc"])
        for answer in (found.estimate("good", "auroc"), found.difference("good", "poor", "auroc")):
            assert answer.reason == reason and answer.value is not None
            assert (answer.low is None, answer.standard_error is None) == (reason is not None, reason is not None)
    within = bootstrap(*world(4, n_adapters=7, sd=0.3), 20, 0.95, rng(1, "", "gold"), wanted=["auroc"])
    assert within.estimate("good", "auroc").low is not None  # over examples alone seven adapters are enough


def test_one_example_has_no_interval() -> None:
    risk, zeros = np.array([0.1, 0.9]), np.zeros(2, dtype=np.int64)
    found = bootstrap({"a": Scored(risk, np.array([False, True]), zeros, zeros, True)}, zeros, 20, 0.95, rng(1, "", "gold"))
    assert found.estimate("a", "auroc").value == 1.0
    assert found.estimate("a", "auroc").reason == "an interval over examples needs at least two of them"


def test_a_figure_that_most_draws_lack_has_a_value_without_interval() -> None:
    # AUROC needs examples 0 and 1 in a draw of three from three: 1 - 2 (2/3)^3 + (1/3)^3 = 0.44
    zeros = np.zeros(3, dtype=np.int64)
    forecast = Scored(np.array([0.9, 0.1, 0.5]), np.array([True, False, True]), np.array([0, 0, 1]), zeros, True)
    found = bootstrap({"a": forecast}, np.arange(3), 1000, 0.95, rng(1, "", "gold"))
    assert found.estimate("a", "auroc").value == 1.0
    assert found.estimate("a", "auroc").reason == "the figure does not exist in most resamples"
    assert found.estimate("a", "brier").reason is None


def test_a_figure_that_does_not_exist_says_so_in_the_difference_too() -> None:
    zeros = np.zeros(2, dtype=np.int64)
    failed, risk = np.array([False, True]), np.array([0.1, 0.9])
    pair = {"chance": Scored(risk, failed, zeros, zeros, True), "raw": Scored(risk, failed, zeros, zeros, False)}
    found = bootstrap(pair, np.arange(2), 20, 0.95, rng(1, "", "gold"))
    assert found.estimate("raw", "brier").reason == "the score is no probability" and found.estimate("raw", "brier").value is None
    assert found.difference("chance", "raw", "brier").reason == "raw: the score is no probability"


def test_forecasts_of_other_rows_are_refused() -> None:
    forecasts, examples = world(5)
    good = forecasts["good"]
    with pytest.raises(ValueError, match="one row per entry of examples"):
        bootstrap(forecasts, examples[:-1], 20, 0.95, rng(1, "", "gold"))
    with pytest.raises(ValueError, match="one row per entry of examples"):
        bootstrap({}, examples, 20, 0.95, rng(1, "", "gold"))
    for failed, folds in ((~good.failed, good.folds), (good.failed, good.folds + good.adapters)):
        other = Scored(good.risk, failed, folds, good.adapters, False)
        with pytest.raises(ValueError, match="same rows in the same order"):
            bootstrap({"good": good, "other": other}, examples, 20, 0.95, rng(1, "", "gold"))


def test_intervals_stay_inside_the_range_of_the_figure() -> None:
    forecasts, examples = world(6, n_examples=8)
    sure = Scored(forecasts["good"].failed * 0.9, *(getattr(forecasts["good"], field) for field in ("failed", "folds", "adapters")), True)
    found = bootstrap(forecasts | {"sure": sure}, examples, 100, 0.95, rng(1, "", "gold"))
    for name in found.values:
        for figure in FIGURES:
            answer = found.estimate(name, figure)
            assert answer.low is None or (answer.low >= 0.0 and (answer.high or 0.0) <= 1.0) or figure.startswith("lift")
    assert (found.estimate("sure", "auroc").low, found.estimate("sure", "auroc").high) == (1.0, 1.0)


def covered(truth: float, sets: int, adapters_too: bool, n_examples: int, n_adapters: int, sd: float) -> float:
    """Share of simulated sets whose 95 % interval of the paired difference of AUROC holds the truth."""
    hits = 0
    for seed in range(sets):
        forecasts, examples = world(1000 + seed, n_examples, n_adapters, sd)
        found = bootstrap(forecasts, examples, 60, 0.95, rng(seed, "", "gold"), adapters_too, ["auroc"]).difference("good", "poor", "auroc")
        hits += (found.low or 0.0) <= truth <= (found.high or 0.0)
    return hits / sets


def test_intervals_hold_the_truth_as_often_as_they_say_and_only_draws_of_adapters_do_where_adapters_differ() -> None:
    """The standard error of a coverage of 0.95 over 150 sets is 0.018; the bench counts more of them."""
    forecasts, _ = world(0, n_examples=40_000)
    truth = forecasts["good"].figures(wanted=["auroc"])["auroc"] - forecasts["poor"].figures(wanted=["auroc"])["auroc"]
    assert 0.9 <= covered(truth, 150, False, 60, 3, 0.0) <= 0.99
    forecasts, _ = world(0, n_examples=200, n_adapters=2000, sd=0.8, shared=False)
    truth = forecasts["good"].figures(wanted=["auroc"])["auroc"] - forecasts["poor"].figures(wanted=["auroc"])["auroc"]
    assert 0.9 <= covered(truth, 150, True, 60, 10, 0.8) <= 0.99
    assert covered(truth, 60, False, 60, 10, 0.8) < 0.9  # an interval for these ten adapters, not for the next one
