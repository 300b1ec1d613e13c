"""Is preset `ki` the study's procedure? A twin written the study's way: one picture, one mask, one forward at a time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from xai.explain import explanation_metrics
from xai.presets import KI
from xai.value import deduplicated

CLASSES, PIXELS = 5, 12


class Model:
    """A small random network over pictures [units, pixels]: every patch matters, and not additively."""

    def __init__(self, n_units: int, rng: np.random.Generator) -> None:
        self.inner = rng.normal(size=(n_units * PIXELS, 16)) / math.sqrt(n_units)
        self.outer = rng.normal(size=(16, CLASSES))

    def probability(self, picture: np.ndarray, target: int) -> float:
        logits = np.tanh(picture.reshape(-1) @ self.inner) @ self.outer
        exp = np.exp(logits - logits.max())
        return float(exp[target] / exp.sum())


def study(model: Model, picture: np.ndarray, target: int, attribution: np.ndarray) -> dict[str, float]:
    n = len(attribution)
    step = max(1, n // 10)
    order = np.argsort(-attribution)
    mean, black = np.broadcast_to(picture.mean(axis=0), picture.shape), np.zeros_like(picture)
    removed, revealed = picture.copy(), black.copy()
    deletion, insertion = [model.probability(removed, target)], [model.probability(revealed, target)]
    for start in range(0, n, step):
        for unit in order[start : start + step]:
            removed[unit] = mean[unit]
            revealed[unit] = picture[unit]
        deletion.append(model.probability(removed, target))
        insertion.append(model.probability(revealed, target))
    return {
        "deletion": evenly_spaced_area(deletion),
        "deletion_normalised": evenly_spaced_area(deletion) / deletion[0],
        "insertion": evenly_spaced_area(insertion),
        "entropy": study_entropy(attribution),
        "sparsity": study_gini(attribution),
    }


def evenly_spaced_area(p: list[float]) -> float:
    width = 1.0 / (len(p) - 1)
    return sum((left + right) / 2 * width for left, right in itertools.pairwise(p))


def study_entropy(attribution: np.ndarray) -> float:
    shares = attribution / attribution.sum()
    return -sum(share * math.log2(share + 1e-10) for share in shares) / math.log2(len(shares))


def study_gini(attribution: np.ndarray) -> float:
    n, shares = len(attribution), sorted(attribution / attribution.sum())
    return 1 - 2 / n * sum((n - i + 0.5) * share for i, share in enumerate(shares, start=1))


def flat_value(model: Model, pictures: np.ndarray, targets: np.ndarray, fills: np.ndarray):
    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        shown = [np.where(mask[:, None], pictures[row], fills[row]) for row, mask in zip(rows, keep, strict=True)]
        return np.array([model.probability(picture, targets[row]) for row, picture in zip(rows, shown, strict=True)])

    return flat


def batched(flat, batch: int):
    """The pairs of all masks in float64: `deduplicated` answers in float32, which is coarser than this test's tolerance."""

    def value(keep: np.ndarray) -> np.ndarray:
        return np.stack([flat(np.full(len(keep[row]), row), keep[row]) for row in range(batch)])

    return value


@pytest.fixture(params=[1, 4, 9, 16, 25, 37, 49, 256])
def case(request: pytest.FixtureRequest):
    n, rng = request.param, np.random.default_rng(request.param)
    model, pictures = Model(n, rng), rng.normal(size=(3, n, PIXELS))
    return model, pictures, rng.integers(CLASSES, size=3), rng.dirichlet(np.ones(n), size=3)


def fills(pictures: np.ndarray) -> dict[str, np.ndarray]:
    return {"mean": np.broadcast_to(pictures.mean(axis=1, keepdims=True), pictures.shape), "zero": np.zeros_like(pictures)}


def test_preset_ki_equals_the_studys_loop_to_1e12(case) -> None:
    model, pictures, targets, attribution = case
    values = {name: batched(flat_value(model, pictures, targets, fill), 3) for name, fill in fills(pictures).items()}
    found = explanation_metrics({"attention": attribution}, values, KI)["attention"]
    for row in range(3):
        if attribution.shape[1] == 1:  # the study divides by log2 1; ours is null
            assert found[row]["entropy"] is None
            continue
        for key, expected in study(model, pictures[row], targets[row], attribution[row]).items():
            assert found[row][key] == pytest.approx(expected, abs=1e-12), key


def test_a_deduplicated_value_changes_no_more_than_its_float32(case) -> None:
    model, pictures, targets, attribution = case
    flats = {name: flat_value(model, pictures, targets, fill) for name, fill in fills(pictures).items()}
    exact = explanation_metrics({"attention": attribution}, {k: batched(f, 3) for k, f in flats.items()}, KI)["attention"]
    found = explanation_metrics({"attention": attribution}, {k: deduplicated(f, 3) for k, f in flats.items()}, KI)["attention"]
    for row in range(3):
        for key in ("deletion", "insertion", "p_intact"):
            assert found[row][key] == pytest.approx(exact[row][key], abs=2.0**-24)  # half a float32 step below 1, averaged


def test_on_an_all_zero_map_the_study_says_certain_and_we_say_uniform() -> None:
    zero = np.zeros(16)
    # The study's formulas on shares that are all 0: -Σ 0·log2(1e-10) = 0 and 1 - (2/16)·0 = 1.
    assert -sum(share * math.log2(share + 1e-10) for share in zero) == 0.0
    row = explanation_metrics({"attention": zero[None]}, {b: lambda keep: keep.mean(-1) for b in ("mean", "zero")}, KI)["attention"][0]
    assert row["entropy"] == pytest.approx(1.0, abs=1e-8)  # the epsilon of 1e-10 beside a share of 1/16 lifts log2 by 2e-9
    assert row["sparsity"] == 0.0
