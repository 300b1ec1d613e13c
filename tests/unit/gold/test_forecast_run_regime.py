"""Forecasts of rows that were not learned from: what a learner may see, and what it then says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from gold.forecast.calibrated import MAPS, learn_map
from gold.forecast.features import BY_NAME, FEATURE_SETS
from gold.forecast.learners import BOOSTED, FOREST, HELD_BACK, LEARNERS, LOGISTIC, Learner, boost, held_back, learners_of
from gold.forecast.regimes import GROUPED, REGIMES, Regime, blocks
from gold.forecast.rows import Rows
from gold.forecast.run_regime import MEANS, fitting, out_of_fold
from tests.unit.gold.forecast_frames import SMALL, grid, rows, settings

BOTH = (BY_NAME["confidence"], BY_NAME["confidence+xai|cell"])
CELLS = (("blur", 1), ("fog", 1), ("noise", 1))


@pytest.fixture(scope="module")
def many() -> Rows:
    return rows(grid(40, 4, CELLS))


def test_rows_held_back_are_whole_examples_one_in_five() -> None:
    examples = np.repeat([3, 9, 4, 7, 1, 0, 2, 5, 8, 6], 4)
    back = held_back(examples, 1)
    assert [len(set(back[examples == example])) for example in range(10)] == [1] * 10
    assert back.sum() == 40 / HELD_BACK
    assert np.array_equal(back, held_back(examples, 1)) and not all(np.array_equal(back, held_back(examples, seed)) for seed in range(2, 9))


@pytest.mark.parametrize("learner", [*LEARNERS, FOREST], ids=lambda learner: learner.name)
def test_every_learner_finds_a_signal_gives_probabilities_and_repeats_itself(learner: Learner) -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((600, 3))
    failed = generator.random(600) < expit(2 * x[:, 1])
    fit: Callable[[], np.ndarray] = lambda: learner.fit(x[:400], failed[:400], np.arange(400) % 5 == 0, SMALL)(x[400:])  # noqa: E731  # a local
    risk = fit()
    assert risk.min() >= 0.0 and risk.max() <= 1.0 and np.array_equal(risk, fit())
    assert roc_auc_score(failed[400:], risk) > 0.75  # the truth's own is 0.84


def test_a_constant_feature_of_a_training_part_is_no_error() -> None:
    x, failed = np.column_stack([np.zeros(60), np.arange(60.0)]), np.arange(60) % 3 == 0
    for learner in LEARNERS:
        assert np.isfinite(learner.fit(x, failed, np.arange(60) % 5 == 0, SMALL)(x)).all()


def test_trees_stop_where_the_rows_held_back_gain_nothing_and_without_both_classes_there_none_stops() -> None:
    generator = np.random.default_rng(0)
    x, failed = generator.standard_normal((400, 3)), generator.random(400) < 0.5
    back = np.arange(400) % 5 == 0
    long = settings(boosted=SMALL.boosted.model_copy(update={"trees": 200}))
    assert boost(x, failed, back, long)[1] < 20  # noise
    assert boost(x, failed & ~back, back, long)[1] == 200
    assert boost(x, failed, np.ones(400, dtype=bool), long)[1] == 200  # nothing would be left to learn from


def test_only_the_row_split_has_the_forest_and_there_on_the_sets_of_the_claim() -> None:
    every = learners_of(leaky=True)
    with_forest = [features.name for features in FEATURE_SETS if FOREST in fitting(features, every)]
    assert with_forest == ["confidence", "xai", "confidence+xai"] and fitting(BY_NAME["all"], every) == LEARNERS
    assert [learner.name for learner in learners_of(leaky=True)] == ["LogisticRegression", "XGBoost", "RandomForest"]
    assert learners_of(leaky=False) == LEARNERS


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
def test_what_a_row_s_block_holds_out_cannot_change_its_forecast(regime: Regime, many: Rows) -> None:
    block = blocks(many, regime, settings())[0]
    unseen = np.setdiff1d(np.arange(len(many)), block.train)
    failed = many.failed.copy()
    failed[unseen] = ~failed[unseen]
    columns = {
        name: np.where(np.isin(np.arange(len(many)), np.setdiff1d(unseen, block.test)), -9.0, values)
        for name, values in many.columns.items()
    }
    changed = Rows(**vars(many) | {"failed": failed, "columns": columns})
    one, other = (out_of_fold(given, regime, settings(), BOTH, LEARNERS) for given in (many, changed))
    for key in one.risks:
        assert np.array_equal(one.risks[key][block.test], other.risks[key][block.test]), key
        assert not np.array_equal(one.risks[key], other.risks[key]), key  # others had learned from these rows
    for key, kind in ((key, kind) for key in one.mapped for kind in MAPS):  # nor the map of its forecast
        assert np.array_equal(one.mapped[key][kind][block.test], other.mapped[key][kind][block.test]), (key, kind)
        assert not np.array_equal(one.mapped[key][kind], other.mapped[key][kind]), (key, kind)


def test_a_map_is_learned_from_forecasts_of_training_examples_that_the_learner_has_not_seen(many: Rows) -> None:
    confidence = BY_NAME["confidence"]
    found = out_of_fold(many, GROUPED, settings(), (confidence, BY_NAME["xai"]), LEARNERS)
    assert set(found.mapped) == {("confidence", learner.name) for learner in LEARNERS}  # of the sets whose reliability is shown
    block = blocks(many, GROUPED, settings())[0]
    x, failed = many.matrix(("confidence",))[block.train], many.failed[block.train]
    back = held_back(many.examples[block.train], 42)
    unseen = {
        LOGISTIC.name: LOGISTIC.fit(x[~back], failed[~back], back[~back], settings()),
        BOOSTED.name: BOOSTED.fit(x, failed, back, settings()),  # its trees stop on these rows, and learn from none
    }
    for learner, kind in ((learner, kind) for learner in unseen for kind in MAPS):
        expected = learn_map(kind, unseen[learner](x[back]), failed[back])(found.risks["confidence", learner][block.test])
        assert np.array_equal(found.mapped["confidence", learner][kind][block.test], expected)


def test_every_row_has_one_forecast_of_each_set_and_learner_and_the_folds_are_the_blocks(many: Rows) -> None:
    sets = (BY_NAME["constant"], BY_NAME["cell"], BY_NAME["embedding"], *BOTH)
    found = out_of_fold(many, GROUPED, settings(), sets)
    names = ("confidence", "confidence+xai|cell")
    assert set(found.risks) == {("constant", MEANS), ("cell", MEANS), *((name, one.name) for name in names for one in LEARNERS)}
    assert all(np.isfinite(risk).all() for risk in found.risks.values())
    assert found.skipped == {"embedding": "no feature of embedding: none is in the rows"}
    for place, block in enumerate(blocks(many, GROUPED, settings())):
        assert (found.folds[block.test] == place).all()
        rate = (many.failed[block.train].sum() + 0.5) / (len(block.train) + 1)
        assert found.risks["constant", MEANS][block.test] == pytest.approx(rate)


def test_a_logistic_forecast_is_that_of_a_model_fitted_by_hand_inside_the_fold(many: Rows) -> None:
    from sklearn.linear_model import LogisticRegression

    found = out_of_fold(many, GROUPED, settings(), (BY_NAME["confidence"],), (LOGISTIC,))
    block = blocks(many, GROUPED, settings())[1]
    x = many.columns["confidence"]
    z = (x - x[block.train].mean()) / x[block.train].std()
    model = LogisticRegression(C=1.0, tol=1e-8).fit(z[block.train, None], many.failed[block.train])
    expected = model.predict_proba(z[block.test, None])[:, 1]
    assert found.risks["confidence", "LogisticRegression"][block.test] == pytest.approx(expected, abs=1e-4)


def test_where_the_training_rows_hold_one_class_the_forecast_is_their_rate() -> None:
    frame = grid(40, 2, CELLS)
    frame["is_correct"] = True
    some = rows(frame)
    block = blocks(some, GROUPED, settings())[0]
    failed = np.isin(np.arange(len(some)), block.test)
    found = out_of_fold(Rows(**vars(some) | {"failed": failed}), GROUPED, settings(), BOTH, LEARNERS)
    for key in found.risks:
        assert found.risks[key][block.test] == pytest.approx(0.5 / (len(block.train) + 1))


def test_the_headline_is_the_learner_with_the_higher_auroc_inside_the_training_rows_and_none_without_confidence(many: Rows) -> None:
    found = out_of_fold(many, GROUPED, settings(), BOTH)
    assert found.headline == max(found.inner, key=lambda name: found.inner[name]) and set(found.inner) == {"LogisticRegression", "XGBoost"}
    assert out_of_fold(many, GROUPED, settings(), (BY_NAME["xai"],)).headline is None
    flat = out_of_fold(many, GROUPED, settings(), (BY_NAME["confidence"],), (LOGISTIC, Learner("XGBoost", LOGISTIC.fit)))
    assert flat.headline == "LogisticRegression"  # of equal ones the first


def test_a_bent_signal_makes_the_trees_the_headline() -> None:
    frame = grid(60, 4, CELLS)
    frame["is_correct"] = np.abs(frame["confidence"]) < 0.7
    assert out_of_fold(rows(frame), GROUPED, settings(), (BY_NAME["confidence"],)).headline == BOOSTED.name
