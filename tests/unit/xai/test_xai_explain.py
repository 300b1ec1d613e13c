"""All metrics of a batch in one call."""

from __future__ import annotations

import json

import numpy as np
import pytest

from xai.attribution import random, reverse
from xai.explain import explanation_metrics
from xai.metrics import deletion, entropy, gini, insertion
from xai.presets import DEFAULT, KI
from xai.value import deduplicated

BATCH, UNITS = 3, 25
TRUTH = np.random.default_rng(0).dirichlet(np.ones(UNITS), size=BATCH).astype(np.float32)
NOISE = random([np.random.default_rng(seed) for seed in range(BATCH)], UNITS)
ALL = {"attention": TRUTH, "random": NOISE, "reverse": reverse(TRUTH)}


def half(linear, weights=TRUTH):
    return linear(weights / 2)


@pytest.mark.parametrize("preset", [DEFAULT, KI], ids=lambda preset: preset.name)
def test_rows_hold_what_each_metric_says_alone(linear, preset) -> None:
    values = {"mean": half(linear), "zero": linear(TRUTH / 3)}
    found = explanation_metrics(ALL, values, preset)
    assert list(found) == list(ALL)
    for name, attribution in ALL.items():
        removed = deletion(attribution, values[preset.deletion_baseline], preset)
        revealed = insertion(attribution, values[preset.insertion_baseline], preset)
        chance = deletion(NOISE, values[preset.deletion_baseline], preset), insertion(NOISE, values[preset.insertion_baseline], preset)
        expected = {
            "entropy": entropy(attribution, epsilon=preset.entropy_epsilon),
            "sparsity": gini(attribution),
            "deletion": removed.area,
            "insertion": revealed.area,
            "deletion_normalised": removed.normalised,
            "insertion_normalised": revealed.normalised,
            "deletion_random": chance[0].area,
            "insertion_random": chance[1].area,
            "deletion_gain": chance[0].area - removed.area,
            "insertion_gain": revealed.area - chance[1].area,
            "p_intact": np.full(BATCH, 0.5),
        }
        assert [list(row) for row in found[name]] == [list(expected)] * BATCH
        for key, numbers in expected.items():
            np.testing.assert_allclose([row[key] for row in found[name]], numbers, atol=1e-7, err_msg=key)


def test_the_truth_gains_over_random_and_its_reverse_loses(linear) -> None:
    found = explanation_metrics(ALL, {"mean": half(linear)})
    for key in ("deletion_gain", "insertion_gain"):
        assert all(row[key] > 0 for row in found["attention"])
        assert all(row[key] == 0 for row in found["random"])
        assert all(row[key] < 0 for row in found["reverse"])


def test_without_a_random_attribution_gains_are_null(linear) -> None:
    row = explanation_metrics({"attention": TRUTH}, {"mean": half(linear)})["attention"][0]
    nulls = {key for key, number in row.items() if number is None}
    assert nulls == {"deletion_random", "insertion_random", "deletion_gain", "insertion_gain"}


def test_a_non_finite_attribution_is_null_in_its_own_row_only(linear) -> None:
    broken = TRUTH.copy()
    broken[1, 3] = np.nan
    found = explanation_metrics({"attention": broken, "random": NOISE}, {"mean": half(linear)})
    assert {key for key, number in found["attention"][1].items() if number is not None} == {
        "deletion_random",
        "insertion_random",
        "p_intact",
    }
    assert all(number is not None for row in (found["attention"][0], *found["random"]) for number in row.values())


def test_one_unit_and_an_intact_p_of_zero_are_null_and_never_zero(linear) -> None:
    one = np.ones((2, 1), dtype=np.float32)
    found = explanation_metrics({"random": one}, {"mean": linear(np.array([[0.8], [0.0]]))})["random"]
    assert [row["entropy"] for row in found] == [None, None]
    assert [row["sparsity"] for row in found] == [0.0, 0.0]
    assert found[0]["deletion_normalised"] == pytest.approx(0.5)
    assert (found[1]["deletion"], found[1]["deletion_normalised"], found[1]["insertion_normalised"]) == (0.0, None, None)


def test_rows_are_plain_numbers_that_json_takes(linear) -> None:
    found = explanation_metrics(ALL, {"mean": half(linear)})
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_model_is_asked_once_about_each_mask_and_in_one_call() -> None:
    calls = []

    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        calls.append(len(rows))
        return (TRUTH[rows] * keep).sum(-1)

    explanation_metrics(ALL, {"mean": deduplicated(flat, BATCH)})
    # 25 units, step 2: 14 points per curve of which 12 are not an end; three methods, two curves, and the two ends once.
    assert calls == [BATCH * (3 * 2 * 12 + 2)]


def test_a_batch_gives_the_rows_its_examples_give_alone(linear) -> None:
    together = explanation_metrics(ALL, {"mean": half(linear)})
    for row in range(BATCH):
        one = slice(row, row + 1)
        alone = explanation_metrics({name: a[one] for name, a in ALL.items()}, {"mean": half(linear, TRUTH[one])})
        for name in ALL:
            assert alone[name][0] == pytest.approx(together[name][row], abs=1e-12)


def test_padded_examples_have_the_rows_they_have_without_padding(linear) -> None:
    included = np.arange(UNITS) < np.array([25, 12, 4])[:, None]
    padded = {name: np.where(included, a, 0) for name, a in ALL.items()}
    together = explanation_metrics(padded, {"mean": half(linear)}, DEFAULT, included)
    short = {name: a[1:2, :12] for name, a in ALL.items()}
    alone = explanation_metrics(short, {"mean": half(linear, TRUTH[1:2, :12])})
    for name in ALL:
        assert alone[name][0] == pytest.approx(together[name][1], abs=1e-12)


def test_a_missing_baseline_is_named(linear) -> None:
    with pytest.raises(ValueError, match=r"preset 'ki' needs a value function for baseline zero, got \['mean'\]"):
        explanation_metrics(ALL, {"mean": half(linear)}, KI)


@pytest.mark.parametrize("attributions", [{}, {"a": TRUTH, "b": TRUTH[:, :5]}, {"a": TRUTH[0]}], ids=["none", "unlike", "one-dimensional"])
def test_attributions_of_unlike_shape_are_refused(attributions, linear) -> None:
    with pytest.raises(ValueError, match="all of one shape"):
        explanation_metrics(attributions, {"mean": half(linear)})
