"""Do occlusion, LIME, Shapley values and CAP equal those of libraries and of slow twins that know nothing of ours?"""

from __future__ import annotations

from itertools import permutations
from math import exp, log

import numpy as np
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import FeatureAblation, LimeBase, ShapleyValues
from captum.attr._core.lime import get_exp_kernel_similarity_function
from sklearn.linear_model import Ridge

from xai.attribution import kernel_shap, occlusion
from xai.fits import CapFit, LimeFit, ShapleyFit, fit_cap, fit_lime, fit_shapley, shapley_design
from xai.masks import Masking, drawn_masks

SIZES = [13, 6, 6, 2]
INCLUDED = np.arange(13) < np.array(SIZES)[:, None]
PULL = np.random.default_rng(0).normal(size=13)
PAIRS = np.random.default_rng(1).normal(size=(13, 13)) / 3
MASKS = drawn_masks([np.random.default_rng(seed) for seed in range(4)], INCLUDED)


def one(mask: np.ndarray) -> float:
    """p of one mask: logistic of a quadratic form, far from additive."""
    seen = mask.astype(float)
    units = len(seen)
    return 1 / (1 + exp(-float(seen @ PULL[:units] + seen @ PAIRS[:units, :units] @ seen)))


def value(keep: np.ndarray) -> np.ndarray:
    return np.array([[one(mask) for mask in masks] for masks in keep])


def forward(inputs: torch.Tensor) -> torch.Tensor:
    """The same model as a torch function of visible units [batch, units]."""
    return torch.tensor([one(row) for row in inputs.numpy()], dtype=torch.float64)


@pytest.fixture(scope="module")
def p() -> np.ndarray:
    return value(MASKS)


@pytest.mark.parametrize("settings", [LimeFit(), LimeFit(ridge=0.01, width=0.6)], ids=["default", "other"])
def test_lime_is_sklearns_ridge_with_the_kernel_as_sample_weight(p, settings: LimeFit) -> None:
    found = fit_lime(MASKS, p, INCLUDED, settings)
    for row, size in enumerate(SIZES):
        x = MASKS[row, :, :size].astype(float)
        weights = [np.sqrt(exp(-(((size - mask.sum()) / size) ** 2) / settings.width**2)) for mask in x]
        twin = Ridge(alpha=settings.ridge, solver="svd").fit(x, p[row], sample_weight=weights)
        np.testing.assert_allclose(found.values[row, :size], twin.coef_, atol=1e-12)


def test_lime_is_captums_with_its_own_kernel_on_the_share_removed(p) -> None:
    kernel = get_exp_kernel_similarity_function("euclidean", kernel_width=0.25)
    found = fit_lime(MASKS, p, INCLUDED)
    for row, size in enumerate(SIZES):
        given = iter(MASKS[row, :, :size])

        def masks(inputs: torch.Tensor, given=given, **_: object) -> torch.Tensor:
            return torch.from_numpy(next(given).astype(np.float32))[None]

        peer = LimeBase(
            forward,
            SkLearnRidge(alpha=1.0),
            lambda _, __, shown, **___: kernel(torch.ones(1, 1), shown.mean(dim=1, keepdim=True), None),
            masks,
            perturb_interpretable_space=True,
            from_interp_rep_transform=lambda shown, _, **__: shown,
            to_interp_rep_transform=None,
        )
        slopes = peer.attribute(torch.ones(1, size), n_samples=100).numpy().reshape(-1)
        np.testing.assert_allclose(found.values[row, :size], slopes, atol=2e-6)  # captum fits in float32


@pytest.mark.parametrize("settings", [CapFit(), CapFit(ridge=7.0, p_low=0.2, p_high=0.6)], ids=["default", "other"])
def test_cap_is_the_solution_of_its_normal_equations(p, settings: CapFit) -> None:
    found = fit_cap(MASKS, p, INCLUDED, settings)
    for row, size in enumerate(SIZES):
        m = MASKS[row, :, :size].astype(float)
        z = np.array([-1 / log(min(max(number, settings.p_low), settings.p_high)) for number in p[row]])
        np.testing.assert_allclose(found.values[row, :size], np.linalg.solve(m.T @ m + settings.ridge * np.eye(size), m.T @ z), rtol=1e-10)
        assert found.clipped[row] == np.mean([not settings.p_low <= number <= settings.p_high for number in p[row]])


def test_more_units_than_masks_have_the_same_solution() -> None:
    included = np.ones((2, 90), dtype=bool)
    masks = drawn_masks([np.random.default_rng(seed) for seed in range(2)], included, Masking(n=30))
    p = np.random.default_rng(2).uniform(0.1, 0.9, size=(2, 30))
    cap, lime = fit_cap(masks, p, included), fit_lime(masks, p, included)
    for row in range(2):
        m = masks[row].astype(float)
        np.testing.assert_allclose(cap.values[row], np.linalg.solve(m.T @ m + np.eye(90), m.T @ (-1 / np.log(p[row]))), atol=1e-12)
        weights = np.exp(-((1 - m.mean(axis=1)) ** 2) / (2 * 0.25**2))
        np.testing.assert_allclose(lime.values[row], Ridge(solver="svd").fit(m, p[row], sample_weight=weights).coef_, atol=1e-12)


def by_orders(size: int) -> np.ndarray:
    """Mean of what each unit adds over all orders, by adding one unit after the other."""
    total, orders = np.zeros(size), list(permutations(range(size)))
    for order in orders:
        shown = np.zeros(size, dtype=bool)
        before = one(shown)
        for unit in order:
            shown[unit] = True
            after = one(shown)
            total[unit] += after - before
            before = after
    return total / len(orders)


@pytest.mark.parametrize("size", [1, 2, 6])
def test_enumerated_shapley_values_are_the_mean_over_all_orders(size: int) -> None:
    included = np.ones((1, size), dtype=bool)
    masks = drawn_masks([np.random.default_rng(0)], included, Masking(n=3))
    design = shapley_design(masks, included)
    np.testing.assert_allclose(fit_shapley(design, value(design.keep), included).values[0], by_orders(size), atol=1e-13)


def test_enumerated_shapley_values_are_captums() -> None:
    masks = MASKS[1:2, :, :6]
    found = kernel_shap(value, masks, masks[:, 0])
    peer = ShapleyValues(forward).attribute(torch.ones(1, 6, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(found.values, peer, atol=2e-6)  # captum adds 720 orders up in float32


def test_shapley_values_from_masks_are_the_constrained_weighted_least_squares(p) -> None:
    """The twin eliminates the last unit by the constraint, as the `shap` package does, and solves in plain loops."""
    settings = ShapleyFit(enumerate_up_to=0)
    design = shapley_design(MASKS[:1], INCLUDED[:1], settings)
    found = fit_shapley(design, value(design.keep), INCLUDED[:1], settings)
    n, full, nothing = 13, one(np.ones(13)), one(np.zeros(13))
    rows, wanted = [], []
    for mask, number in zip(MASKS[0].astype(float), p[0], strict=True):
        shown = int(mask.sum())
        if shown == n:
            continue
        orders = 1.0
        for step in range(shown):
            orders *= (n - step) / (shown - step)
        weight = np.sqrt((n - 1) / (orders * shown * (n - shown)))
        rows.append(weight * (mask[:-1] - mask[-1]))
        wanted.append(weight * (number - nothing - mask[-1] * (full - nothing)))
    first = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    np.testing.assert_allclose(found.values[0], [*first, full - nothing - first.sum()], atol=1e-10)


def test_shapley_values_are_those_of_the_shap_package() -> None:
    import shap  # late: it compiles some of itself

    masks = MASKS[1:2, :, :6]
    peer = shap.KernelExplainer(lambda rows: np.array([one(row) for row in rows]), np.zeros((1, 6)))
    np.testing.assert_allclose(kernel_shap(value, masks, masks[:, 0]).values[0], peer.shap_values(np.ones(6), nsamples=2**6), atol=1e-6)


def test_occlusion_is_captums_feature_ablation() -> None:
    found = occlusion(value, INCLUDED)
    for row, size in enumerate(SIZES):
        peer = FeatureAblation(forward).attribute(torch.ones(1, size, dtype=torch.float64), baselines=0.0).numpy()[0]
        np.testing.assert_allclose(found.values[row, :size], peer, atol=1e-7)  # ours are float32
