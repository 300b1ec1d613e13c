"""The figures of a forecast by hand, against a twin that counts pairs, prefixes and orders of ties one by one, and against scikit-learn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from gold.forecast import FIGURES, Scored

CURVES = ("average_precision", "aurc", "augrc", "fpr95")


def scored(risk: list[float], failed: list[int], folds: list[int] | None = None, adapters: list[int] | None = None) -> Scored:
    zeros = [0] * len(risk)
    return Scored(np.array(risk), np.array(failed, dtype=np.bool_), np.array(folds or zeros), np.array(adapters or zeros), True)


def drawn(seed: int, n: int, levels: int, n_folds: int = 3, n_adapters: int = 2) -> Scored:
    """n rows whose risks take `levels` values, so that most of them tie."""
    generator = np.random.default_rng(seed)
    risk = generator.integers(1, levels + 1, n) / (levels + 1.0)
    failed = generator.random(n) < risk
    return Scored(risk, failed, generator.integers(n_folds, size=n), generator.integers(n_adapters, size=n), True)


def test_every_figure_of_five_rows_by_hand() -> None:
    found = scored([0.1, 0.2, 0.3, 0.4, 0.5], [0, 0, 1, 0, 1]).figures()
    assert found["auroc"] == found["auroc_within"] == pytest.approx(5 / 6)  # 0.3 is above 2 correct rows, 0.5 above 3: 5 of 6 pairs
    assert found["average_precision"] == pytest.approx(5 / 6)  # (1/1 + 2/3) / 2
    assert found["lift"] == pytest.approx(25 / 12)  # 5/6 over 2/5
    assert found["aurc"] == pytest.approx(59 / 300)  # (0 + 0 + 1/3 + 1/4 + 2/5) / 5
    assert found["augrc"] == pytest.approx(0.12)  # generalised risk 0 0 0 .2 .2 .4 at coverage 0 .2 … 1: (0 + 0 + .1 + .2 + .3) / 5
    assert found["fpr95"] == pytest.approx(1 / 3)  # both failures are flagged from 0.3 up, and with them 0.4 of three correct rows
    assert found["brier"] == pytest.approx(0.19)  # (.01 + .04 + .49 + .16 + .25) / 5


def test_rows_of_a_tie_come_in_every_order_alike() -> None:
    found = scored([0.2, 0.2, 0.2, 0.8], [1, 0, 0, 1]).figures()
    assert found["auroc"] == pytest.approx(3 / 4)  # 0.2 against two ties: 1 of 2; 0.8: 2 of 2
    assert found["average_precision"] == pytest.approx(3 / 4)  # 1/2 x 1/1 + 1/2 x 2/4
    assert found["lift"] == pytest.approx(3 / 2)
    assert found["aurc"] == pytest.approx(3 / 8)  # (1/3 + 1/3 + 1/3 + 2/4) / 4
    assert found["augrc"] == pytest.approx(3 / 16)  # failed 0 1/3 2/3 1 2 of 4: (1/6 + 3/6 + 5/6 + 3/2) / 4 / 4
    assert found["fpr95"] == 1.0  # the threshold is 0.2: everything is flagged


def test_one_failure_of_twenty_may_be_missed_and_one_of_nineteen_may_not() -> None:
    for n_failed, expected in ((20, 0.0), (19, 0.5)):  # 19/20 = 0.95 without the failure at 1; 18/19 = 0.947
        risk = [place / 30 for place in (*range(1, n_failed + 1), 1.5, 0.5)]
        assert scored(risk, [1] * n_failed + [0, 0]).figures(wanted=["fpr95"]) == {"fpr95": expected}


def test_ece_has_bins_of_equal_mass_and_tied_forecasts_share_their_label() -> None:
    # 30 rows in 15 bins of 2. Forecast 0.2 for 15 rows of which 6 fail: 7 bins of |0.2 - 0.4|. Forecast 0.8 for 15 of which 12 fail:
    # 7 bins of 0. The bin between: |(0.2 + 0.8) / 2 - (0.4 + 0.8) / 2| = 0.1. Together (7 x 0.2 + 0.1) / 15 = 0.1, in any order of labels.
    risk = [0.2] * 15 + [0.8] * 15
    for labels in ([1] * 6 + [0] * 9 + [1] * 12 + [0] * 3, [0] * 9 + [1] * 6 + [0, 1, 1, 1, 1] * 3):
        assert scored(risk, labels).figures(wanted=["ece"])["ece"] == pytest.approx(0.1)


def test_a_row_on_the_edge_of_a_bin_is_divided() -> None:
    # 20 rows in 15 bins of 4/3 rows; where none fails every bin is off by its mean forecast, together by that of all: 0.5
    assert scored([place / 20 + 1 / 40 for place in range(20)], [0] * 20).figures(wanted=["ece"])["ece"] == pytest.approx(0.5)
    # 2 rows, 0.4 (fails) and 0.6 (does not): 7 bins of |0.4 - 1|, 7 of |0.6 - 0|; bin 8 holds as much of both, |0.5 - 0.5| = 0
    assert scored([0.4, 0.6], [1, 0]).figures(wanted=["ece"])["ece"] == pytest.approx(14 * 0.6 / 15)


def twin(forecast: Scored) -> dict[str, float]:
    """All but Brier and ECE from their words: pairs one by one, curves from every order that risk allows. NaN where there is none."""
    rows = list(zip(forecast.risk, forecast.failed, forecast.folds, forecast.adapters, strict=True))
    found = {name: _pairs(rows, same) for name, same in (("auroc", (2,)), ("auroc_within", (2, 3)))}
    folds = [[row for row in rows if row[2] == fold] for fold in sorted({row[2] for row in rows})]
    for name, figure in (("average_precision", _precision), ("aurc", _aurc), ("augrc", _augrc), ("fpr95", _fpr95)):
        values = [(len(fold), figure(fold)) for fold in folds]
        exists = [(n, value) for n, value in values if value is not None]
        found[name] = sum(n * value for n, value in exists) / sum(n for n, _ in exists) if exists else math.nan
    return found


Rows = list[tuple[float, bool, int, int]]


def _pairs(rows: Rows, same: tuple[int, ...]) -> float:
    right, total = 0.0, 0
    for failed, correct in itertools.product(rows, rows):
        if failed[1] and not correct[1] and all(failed[at] == correct[at] for at in same):
            total += 1
            right += 1.0 if failed[0] > correct[0] else 0.5 if failed[0] == correct[0] else 0.0
    return right / total if total else math.nan


def _over_orders(rows: Rows, of_one: Callable[[list[bool]], float]) -> float:
    orders = [order for order in itertools.permutations(rows) if all(a[0] <= b[0] for a, b in itertools.pairwise(order))]
    return sum(of_one([row[1] for row in order]) for order in orders) / len(orders)


def _aurc(rows: Rows) -> float | None:
    return _over_orders(rows, lambda failed: sum(sum(failed[:k]) / k for k in range(1, len(failed) + 1)) / len(failed))


def _augrc(rows: Rows) -> float | None:
    def area(failed: list[bool]) -> float:
        n = len(failed)
        height = [sum(failed[:k]) / n for k in range(n + 1)]
        return sum((low + high) / 2 / n for low, high in itertools.pairwise(height))

    return _over_orders(rows, area)


def _flags(rows: Rows, threshold: float) -> Rows:
    return [row for row in rows if row[0] >= threshold]


def _precision(rows: Rows) -> float | None:
    n_failed, area, before = sum(row[1] for row in rows), 0.0, 0
    for threshold in sorted({row[0] for row in rows}, reverse=True):
        flagged = _flags(rows, threshold)
        hits = sum(row[1] for row in flagged)
        area, before = area + (hits - before) * hits / len(flagged), hits
    return area / n_failed if n_failed else None


def _fpr95(rows: Rows) -> float | None:
    n_failed, n_correct = sum(row[1] for row in rows), sum(not row[1] for row in rows)
    for threshold in sorted({row[0] for row in rows}, reverse=True):
        flagged = _flags(rows, threshold)
        if n_failed and n_correct and 100 * sum(row[1] for row in flagged) >= 95 * n_failed:
            return sum(not row[1] for row in flagged) / n_correct
    return None


@pytest.mark.parametrize("seed", range(12))
def test_the_figures_are_those_of_the_slow_twin(seed: int) -> None:
    forecast = drawn(seed, n=14, levels=3 + seed % 4)
    expected = twin(forecast)
    assert forecast.figures(wanted=list(expected)) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_scikit_learn_has_the_same_auroc_average_precision_and_brier_of_one_fold_weighted_or_not() -> None:
    forecast = drawn(1, n=500, levels=30, n_folds=1, n_adapters=1)
    for weights in (None, np.random.default_rng(2).integers(0, 4, 500)):
        found = forecast.figures(weights)
        assert found["auroc"] == pytest.approx(roc_auc_score(forecast.failed, forecast.risk, sample_weight=weights), abs=1e-12)
        precision = average_precision_score(forecast.failed, forecast.risk, sample_weight=weights)
        assert found["average_precision"] == pytest.approx(precision, abs=1e-12)
        assert found["brier"] == pytest.approx(brier_score_loss(forecast.failed, forecast.risk, sample_weight=weights), abs=1e-12)
        rate = np.average(forecast.failed, weights=weights)
        assert found["lift"] == pytest.approx(precision / rate, abs=1e-12)
        assert found["augrc"] == pytest.approx((1 - found["auroc"]) * rate * (1 - rate) + rate**2 / 2, abs=1e-12)


@pytest.mark.parametrize("levels", [4, 10**9])
def test_a_weight_is_that_many_rows(levels: int) -> None:
    forecast = drawn(3, n=300, levels=levels)
    before = forecast.risk.copy()
    weights = np.random.default_rng(4).integers(0, 4, 300)
    weights[forecast.folds == 2] = 0  # a fold that no draw met
    rows = np.repeat(np.arange(300), weights)
    repeated = Scored(forecast.risk[rows], forecast.failed[rows], forecast.folds[rows], forecast.adapters[rows], True)
    assert forecast.figures(weights) == pytest.approx(repeated.figures(), abs=1e-12)
    assert forecast.figures(weights.astype(np.uint8)) == forecast.figures(weights)
    assert np.array_equal(forecast.risk, before)


def test_a_constant_forecast_scores_one_half_although_its_constants_rank_the_held_out_adapters_the_wrong_way() -> None:
    generator = np.random.default_rng(5)
    adapters = np.repeat(np.arange(8), 50)
    failed = generator.random(400) < 0.1 + 0.08 * adapters
    rest = np.array([failed[adapters != adapter].mean() for adapter in range(8)])  # what the training folds know: lower where it fails more
    found = Scored(rest[adapters], failed, adapters, adapters, True).figures()
    assert (found["auroc"], found["auroc_within"], found["lift"]) == (0.5, 0.5, pytest.approx(1.0, abs=1e-12))
    assert roc_auc_score(failed, rest[adapters]) < 0.4


def test_within_adapter_knowing_the_adapter_is_worth_nothing() -> None:
    adapters = np.tile(np.arange(4), 100)
    failed = np.random.default_rng(6).random(400) < 0.1 + 0.2 * adapters
    found = Scored(adapters / 4.0, failed, np.arange(400) // 100, adapters, True).figures(wanted=["auroc", "auroc_within"])
    assert found["auroc_within"] == 0.5 and found["auroc"] > 0.7


@pytest.mark.parametrize("seed", range(3))
def test_a_figure_within_adapters_is_that_of_each_adapters_rows_alone_and_their_mean_by_rows(seed: int) -> None:
    forecast = drawn(20 + seed, n=150, levels=7, n_folds=2, n_adapters=3)
    weights = np.random.default_rng(seed).integers(0, 3, 150)
    found = forecast.figures(weights)
    for name in (*CURVES, "ece"):
        parts = []
        for fold, adapter in itertools.product(range(2) if name in CURVES else (None,), range(3)):  # bins of ECE hold all folds
            mine = (forecast.adapters == adapter) & ((forecast.folds == fold) if fold is not None else True)
            alone = scored(list(forecast.risk[mine]), list(forecast.failed[mine]))
            parts.append((weights[mine].sum(), alone.figures(weights[mine], wanted=[name])[name]))
        expected = sum(n * value for n, value in parts) / sum(n for n, _ in parts)
        assert found[f"{name}_within"] == pytest.approx(expected, abs=1e-12)
        assert found[f"{name}_within"] != pytest.approx(found[name], abs=1e-6)


def test_a_fold_without_failures_has_no_average_precision_but_a_risk_of_zero() -> None:
    # fold 0: correct, failed in the right order: AP 1, AURC (0 + 1/2) / 2 = 1/4, FPR95 0. fold 1: two correct rows: AURC 0, the others none
    found = scored([0.1, 0.9, 0.3, 0.4], [0, 1, 0, 0], [0, 0, 1, 1]).figures()
    assert [found[name] for name in CURVES] == pytest.approx([1.0, 1 / 8, 1 / 16, 0.0])  # AUGRC of fold 0: (0 + 1/4) / 2
    assert found["lift"] == pytest.approx(2.0)  # over the failure rate of fold 0 alone


def test_a_figure_that_does_not_exist_is_nan_with_its_reason() -> None:
    correct = scored([0.1, 0.2], [0, 0])
    assert {name for name, value in correct.figures().items() if math.isnan(value)} == {
        f"{name}{inside}" for name in ("auroc", "average_precision", "lift", "fpr95") for inside in ("", "_within")
    }  # fmt: skip
    assert correct.reason("lift") == "no row failed" and correct.reason("aurc") is None
    apart = scored([0.1, 0.2], [0, 1], folds=[0, 1])
    assert apart.reason("auroc") == "no test fold holds both failed and correct rows" and apart.reason("lift") is None
    adapters = scored([0.1, 0.2], [0, 1], adapters=[0, 1])
    assert adapters.reason("auroc_within") == "no adapter has both failed and correct rows inside one test fold"
    assert adapters.figures(wanted=["auroc"]) == {"auroc": 1.0}
    nothing = scored([], [])
    assert all(math.isnan(value) for value in nothing.figures().values())
    assert {nothing.reason(name) for name in FIGURES} == {"no rows"}


def test_a_score_that_is_no_probability_has_no_brier_and_no_ece() -> None:
    raw = Scored(np.array([-3.0, 7.0]), np.array([False, True]), np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64), False)
    found = raw.figures()
    assert math.isnan(found["brier"]) and math.isnan(found["ece"]) and found["auroc"] == 1.0
    assert raw.reason("ece") == "the score is no probability"


def test_copies_of_an_adapter_make_no_pairs_with_each_other() -> None:
    """The twin counts pairs one by one: rows of one adapter meet once per copy, rows of two adapters once per pair of copies."""
    forecast = drawn(7, n=60, levels=5, n_folds=2, n_adapters=3)
    copies = np.array([3, 1, 2])[forecast.adapters]
    right = {"auroc": 0.0, "auroc_within": 0.0}
    total = dict(right)
    for failed, correct in itertools.product(np.flatnonzero(forecast.failed), np.flatnonzero(~forecast.failed)):
        if forecast.folds[failed] == forecast.folds[correct]:
            won = float(forecast.risk[failed] > forecast.risk[correct]) + 0.5 * float(forecast.risk[failed] == forecast.risk[correct])
            alike = forecast.adapters[failed] == forecast.adapters[correct]
            times = copies[failed] if alike else copies[failed] * copies[correct]
            for name in ("auroc", "auroc_within") if alike else ("auroc",):
                right[name], total[name] = right[name] + times * won, total[name] + times
    expected = {name: right[name] / total[name] for name in right}
    assert forecast.figures(copies, wanted=list(expected), copies=copies) == pytest.approx(expected, abs=1e-12)
    assert forecast.figures(copies, wanted=["auroc"])["auroc"] != pytest.approx(expected["auroc"], abs=1e-6)


def test_a_held_out_adapter_drawn_twice_is_two_held_out_adapters() -> None:
    forecast = drawn(8, n=200, levels=9, n_folds=1, n_adapters=4)
    alone = Scored(forecast.risk, forecast.failed, forecast.adapters, forecast.adapters, True)  # every fold is one adapter
    again = forecast.adapters == 1
    twice = [np.r_[part, part[again]] for part in (forecast.risk, forecast.failed)]
    named = np.r_[forecast.adapters, np.full(again.sum(), 9)]
    expected = Scored(twice[0], twice[1], named, named, True).figures(wanted=["auroc", "auroc_within", "average_precision", "augrc"])
    copies = 1 + again.astype(np.int64)
    assert alone.figures(copies, wanted=list(expected), copies=copies) == pytest.approx(expected, abs=1e-12)


def test_only_what_is_wanted_is_answered_in_the_order_wanted() -> None:
    assert list(scored([0.1, 0.9], [0, 1]).figures(wanted=("lift", "auroc"))) == ["lift", "auroc"]


def test_bad_input_is_refused_with_what_must_hold() -> None:
    with pytest.raises(ValueError, match="equally long"):
        scored([0.1], [0, 1])
    with pytest.raises(ValueError, match="must be finite, got 1 that are not"):
        scored([0.1, math.nan], [0, 1])
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got 0.1 to 1.5"):
        scored([0.1, 1.5], [0, 1])
    good = scored([0.1, 0.5], [0, 1])
    with pytest.raises(ValueError, match="figures must be among auroc"):
        good.figures(wanted=["accuracy"])
    for weights in (np.ones(3, dtype=np.int64), np.ones(2), np.array([-1, 2])):
        with pytest.raises(ValueError, match="weights must be 2 counts from 0 up"):
            good.figures(weights)
