"""Do the forecast's rows compare two ways that give the same numbers, and judge coverage by its distance from what is promised?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import forecast
from benchmarks.forecast_worlds import ADAPTERS, EXAMPLES, Coverage, World, forecasts
from gold.forecast import Scored, bootstrap


def test_the_naive_ways_and_ours_give_the_same_aurocs_from_the_same_draws() -> None:
    given, examples = forecast.frame(600, 30, 1, by_adapter=False)
    one = given["forecast 0"]
    alone = Scored(one.risk, one.failed, np.zeros_like(examples), one.adapters, True)
    ours = bootstrap({"one": alone}, examples, 5, 0.95, np.random.default_rng(1), wanted=["auroc"]).draws["one"]["auroc"][0]
    for auroc in (roc_auc_score, forecast.lean_auroc):
        assert ours == pytest.approx(forecast.naive_aurocs(one.risk, one.failed, examples, 5, auroc), abs=1e-12)


def test_the_frame_has_folds_of_examples_and_where_adapters_are_held_out_of_one_adapter_each() -> None:
    for by_adapter, n_folds in ((False, 5), (True, 60)):
        given, examples = forecast.frame(2_400, 100, 2, by_adapter)
        folds, adapters = given["forecast 1"].folds, given["forecast 1"].adapters
        assert len(given) == 2 and len(np.unique(folds)) == n_folds
        assert len(np.unique(np.stack([examples, folds % 5]), axis=1).T) == 100  # no example in two folds of one adapter
        if by_adapter:
            assert len(np.unique(np.stack([adapters, folds]), axis=1).T) == n_folds


@pytest.mark.parametrize(("share", "met"), [(0.931, True), (0.929, False), (0.971, False)])
def test_coverage_may_be_two_points_from_what_is_promised_on_either_side(share: float, met: bool) -> None:
    found = Coverage(share, 0.95, 0.7, 0.6, 1.0, (0.8, 0.1))
    figure, difference = forecast._coverage_rows(ADAPTERS, found, 400)
    assert (figure.value, figure.met, figure.details["plain_percentiles_over_examples"]) == (round(100 * share, 1), met, 70.0)
    assert (difference.value, difference.met, difference.details["truth"]) == (95.0, True, 0.1)
    assert figure.details["error_of_the_coverage"] == 1.1  # sqrt(0.95 x 0.05 / 400) = 0.0109


@pytest.mark.parametrize("world", [EXAMPLES, ADAPTERS])
def test_the_columns_of_a_world_meet_the_same_examples_unless_the_truth_is_sought(world: World) -> None:
    for shared, least, most in ((True, 0.6, 1.0), (False, -0.2, 0.2)):
        given, examples = forecasts(world, 400, 2, np.random.default_rng(0), shared)
        risk = given["one"].risk.reshape(400, 2)  # variance 1 of the example and 0.25 of the row: r = 0.8
        assert least < np.corrcoef(risk.T)[0, 1] < most
        assert examples.tolist() == np.repeat(np.arange(400), 2).tolist()
        assert len(np.unique(given["one"].folds)) == 2
