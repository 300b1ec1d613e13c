"""The laws every attribution method and every metric must satisfy (HOUSE 9), and that none is missing from its tuple."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import numpy as np
import pytest

import xai.attribution
import xai.metrics
from tests.unit.xai.conftest import linear_value
from xai.attribution import METHODS, attention, attention_rollout, cap, grad_cam, ig, kernel_shap, lime, occlusion, oracle, random, reverse
from xai.explain import explanation_metrics
from xai.inversion import movement, reproduce_by_poking
from xai.masks import drawn_masks
from xai.metrics import (
    METRICS,
    comprehensiveness,
    exemplar_agreement,
    exemplar_distance,
    exemplar_entropy,
    exemplar_probability,
    faithfulness,
    inversion_score,
    reliance,
    sufficiency,
)
from xai.presets import DEFAULT, DEFAULT_TEXT
from xai.records import Method, Metric

HELPERS = {"shares", "order", "correlation"}  # of xai.metrics: steps that several metrics share, no metric themselves

BATCH, UNITS = 4, 9
INCLUDED = np.arange(UNITS) < np.array([9, 7, 5, 1])[:, None]
WEIGHTS = np.random.default_rng(1).dirichlet(np.ones(UNITS + 1), size=(BATCH, 3)).astype(np.float32)
MAPS = np.random.default_rng(4).dirichlet(np.ones(UNITS + 1), size=(BATCH, 3, UNITS + 1)).astype(np.float32)
UNIT_OF = np.tile(np.arange(UNITS + 1) - 1, (BATCH, 1))
ACTIVATIONS, GRADIENTS = (np.random.default_rng(seed).normal(size=(BATCH, 2, UNITS)).astype(np.float32) for seed in (5, 9))
SIGNED = np.random.default_rng(2).normal(size=(BATCH, UNITS)).astype(np.float32)
TRUE_UNITS = INCLUDED & (np.arange(UNITS) % 3 == 0)


def generators(rows: slice) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(BATCH)[rows]]


def masks(rows: slice) -> np.ndarray:
    return drawn_masks(generators(rows), INCLUDED[rows])


def value(rows: slice):
    return linear_value(np.abs(SIGNED[rows]) / 20)  # p between 0 and 1


ATTRIBUTE = {
    "attention": lambda rows: attention(WEIGHTS[rows], 1, INCLUDED[rows]),
    "attention_rollout": lambda rows: attention_rollout(MAPS[rows], UNIT_OF[rows], INCLUDED[rows]),
    "grad_cam": lambda rows: grad_cam(ACTIVATIONS[rows], GRADIENTS[rows], INCLUDED[rows]),
    "random": lambda rows: random(generators(rows), UNITS, INCLUDED[rows]),
    "reverse": lambda rows: reverse(SIGNED[rows], INCLUDED[rows]),
    "ig": lambda rows: ig(SIGNED[rows], INCLUDED[rows]).values,
    "occlusion": lambda rows: occlusion(value(rows), INCLUDED[rows]).values,
    "lime": lambda rows: lime(value(rows), masks(rows), INCLUDED[rows]).values,
    "kernel_shap": lambda rows: kernel_shap(value(rows), masks(rows), INCLUDED[rows]).values,
    "cap": lambda rows: cap(value(rows), masks(rows), INCLUDED[rows]).values,
    "oracle": lambda rows: oracle(TRUE_UNITS[rows], INCLUDED[rows]),
}
EVERYONE = slice(0, BATCH)

ONE_HOT, UNIFORM = np.eye(1, 16), np.full((1, 16), 1 / 16)
TRUTH = np.random.default_rng(3).dirichlet(np.ones(16), size=1)
BEST = np.argsort(-TRUTH[0])[:4]  # the units that are taken as known to decide
OF_TRUTH = ("precision_at_k", "truth_share")
OF_POKES = tuple(metric.name for metric in METRICS if metric.category == "inversion")
OF_EXEMPLARS = tuple(metric.name for metric in METRICS if metric.category == "provenance")


def metric_of(name: str, attribution: np.ndarray, value: object) -> float:
    if name in OF_POKES:
        return inversion_of(name, attribution, value)
    if name in OF_EXEMPLARS:
        return exemplars_of(name, attribution)
    alone = {"comprehensiveness": comprehensiveness, "sufficiency": sufficiency}
    family, _, percent = name.partition("_")
    if family in alone:
        return float((alone[family](attribution, value, (int(percent),)) if percent else alone[family](attribution, value))[0])
    noise = random([np.random.default_rng(0)], attribution.shape[1]).astype(np.float64)
    decisive = np.isin(np.arange(attribution.shape[1]), BEST)[None]
    row = explanation_metrics({"mine": attribution, "random": noise}, {"mean": value}, DEFAULT, truth=decisive)["mine"][0]
    assert row[name] is not None
    return row[name]


def inversion_of(name: str, attribution: np.ndarray, value: object) -> float:
    """Of an explanation that wavers at random while the output is poked; pokes of one unit in five change the answer."""
    units, noise = attribution.shape[1], np.random.default_rng(5)
    moved = movement(attribution, attribution[:, None] + noise.normal(size=(1, 20, units)))
    r = reliance(moved, np.array([0.5]), 0.5 + 0.1 * noise.normal(size=(1, 20)))
    hidden = value(~np.eye(units, dtype=bool)[None])
    f = faithfulness(attribution, value(np.ones((1, 1, units), dtype=bool)) - hidden)
    poked = attribution[..., None] + noise.normal(size=(1, units, 3))
    refined = reproduce_by_poking(attribution, poked, noise.random((1, units, 3)) < 0.8, 1.0, scale_free=True)
    of_rbp = {"rbp_mean_delta": refined.mean_delta, "rbp_mass_kept": refined.mass_kept, "rbp_rejected": refined.rejected}
    found = of_rbp | {"reliance": r, "faithfulness": f, "inversion_score": inversion_score(r, f)}
    return float(found[name][0])


def exemplars_of(name: str, attribution: np.ndarray) -> float:
    """As if each unit were a training example, with its share of the whole for its probability."""
    p, labels = np.abs(attribution) / np.abs(attribution).sum(), np.arange(attribution.shape[1])[None] % 3
    found = {
        "exemplar_entropy": exemplar_entropy(p),
        "exemplar_probability": exemplar_probability(np.maximum(p, 1e-9)),
        "exemplar_agreement": exemplar_agreement(labels, np.array([1]), p > 0),
        "exemplar_distance": exemplar_distance(attribution, np.roll(attribution, 1)),
    }
    return float(found[name][0])


def modules(package: ModuleType) -> dict[str, ModuleType]:
    return {found.name: importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)}


def records(package: ModuleType, kind: type) -> dict[str, list[object]]:
    return {name: [thing for thing in vars(module).values() if isinstance(thing, kind)] for name, module in modules(package).items()}


def test_every_file_of_a_method_has_its_record_in_the_tuple_under_the_name_of_its_function() -> None:
    found = records(xai.attribution, Method)
    assert {name: [record.name for record in of_file] for name, of_file in found.items()} == {name: [name] for name in found}
    assert sorted(METHODS, key=lambda method: method.name) == [found[name][0] for name in sorted(found)]
    assert all(callable(getattr(xai.attribution, method.name)) for method in METHODS)


def test_every_file_of_a_metric_has_a_record_and_every_record_is_in_the_tuple_once() -> None:
    found = records(xai.metrics, Metric)
    assert {name for name, of_file in found.items() if not of_file} == HELPERS
    assert {record for of_file in found.values() for record in of_file} == set(METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_the_names_in_contracts_are_exported() -> None:
    names = {"entropy", "gini", "deletion", "insertion", "comprehensiveness", "sufficiency"}
    names |= {"reliance", "faithfulness", "inversion_score"}
    assert names <= set(xai.metrics.__all__)
    assert set(xai.attribution.__all__) == {"METHODS", *(method.name for method in METHODS)}


def test_every_key_of_an_explained_row_has_its_record() -> None:
    row = explanation_metrics({"a": UNIFORM}, {"mean": lambda keep: keep.mean(-1)})["a"][0]
    of_text = {"comprehensiveness", "sufficiency", "comprehensiveness_20", "sufficiency_20"}
    assert set(row) == {metric.name for metric in METRICS} - of_text - {*OF_TRUTH, *OF_POKES, *OF_EXEMPLARS}
    known = np.isin(np.arange(16), BEST)[None]
    text = explanation_metrics({"a": UNIFORM}, {"mask": lambda keep: keep.mean(-1)}, DEFAULT_TEXT, truth=known)["a"][0]
    assert list(text) == [*row, "comprehensiveness", "sufficiency", "comprehensiveness_20", "sufficiency_20", *OF_TRUTH]


def test_every_method_says_what_it_needs_and_costs_and_which_way_it_points() -> None:
    for method in METHODS:
        assert method.modalities == (() if method.name == "grad_cam" else ("image", "text"))  # no backbone is a conv net
        assert method.paper and method.unit
        assert (method.forwards == "0") == (method.needs in ("nothing", "truth")) == method.control
        assert (method.direction == "none") == (method.control and method.needs == "nothing")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_an_attribution_is_finite_of_shape_batch_by_units_and_zero_on_excluded_units(method: Method) -> None:
    attribution = ATTRIBUTE[method.name](EVERYONE)
    assert attribution.shape == (BATCH, UNITS)
    assert attribution.dtype == np.float32
    assert np.isfinite(attribution).all()
    assert (attribution[~INCLUDED] == 0).all()
    assert (attribution[INCLUDED] != 0).any()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_batch_of_four_is_bit_equal_to_four_batches_of_one(method: Method) -> None:
    alone = [ATTRIBUTE[method.name](slice(row, row + 1)) for row in range(BATCH)]
    np.testing.assert_array_equal(ATTRIBUTE[method.name](EVERYONE), np.concatenate(alone))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_does_not_edit_its_input(method: Method) -> None:
    given = ACTIVATIONS, GRADIENTS, MAPS, UNIT_OF, WEIGHTS, SIGNED, INCLUDED, TRUE_UNITS
    before = [array.copy() for array in given]
    ATTRIBUTE[method.name](EVERYONE)
    for now, then in zip(given, before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize("attribution", [UNIFORM, ONE_HOT, SIGNED.reshape(1, -1)[:, :16]], ids=["uniform", "one_hot", "random"])
def test_a_metric_stays_inside_its_declared_range(metric: Metric, attribution: np.ndarray, linear) -> None:
    value = metric_of(metric.name, attribution, linear(TRUTH))
    rounding = 1e-12  # sixteen float64 additions of numbers up to 1
    assert metric.low - rounding <= value <= metric.high + rounding


@pytest.mark.parametrize("metric", [m for m in METRICS if m.direction != "none"], ids=lambda metric: metric.name)
def test_the_true_attribution_beats_its_reverse(metric: Metric, linear) -> None:
    true, turned = (metric_of(metric.name, a, linear(TRUTH)) for a in (TRUTH, reverse(TRUTH)))
    assert (true > turned) if metric.direction == "higher" else (true < turned)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_does_not_edit_its_input(metric: Metric, linear) -> None:
    attribution, before = SIGNED[:, :].copy(), SIGNED.copy()
    attribution.flags.writeable = False
    metric_of(metric.name, attribution[:1], linear(WEIGHTS[:1, 0, :UNITS]))
    np.testing.assert_array_equal(attribution, before)
