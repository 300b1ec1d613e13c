"""What probe worlds say where the answer is known by hand (METHODS 7)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import torch

from gold.inversion.explain import direct, masked
from gold.inversion.judge import judge
from gold.inversion.pokes import UNTOUCHED, poked
from gold.inversion.settings import InversionSettings, SizeSettings
from gold.inversion.worlds import product
from gold.inversion.worlds.tabular import regression
from gold.inversion.worlds.world import Setup
from models.probes import Formula, NetProbe
from xai.inversion import movement
from xai.metrics import reliance

SETTINGS = InversionSettings(examples=SizeSettings(tabular=60), psi=(0.0, 0.8), sweep_examples=0)


@pytest.fixture(scope="module")
def exact() -> pd.DataFrame:
    """The exact formula y = x1 sin(x2): one row per method, condition and form."""
    return pd.DataFrame(judge(product.WORLD, "formula", 0, SETTINGS).summary)


def plain(frame: pd.DataFrame, explainer: str) -> pd.Series:
    rows = frame[(frame["explainer"] == explainer) & (frame["refined"] == "none") & (frame["slot"] == UNTOUCHED)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("explainer", ["occlusion", "kernel_shap", "oracle"])
def test_exact_explanations_of_a_product_rely_wholly_are_faithful_and_score_one_over_root_two(exact: pd.DataFrame, explainer: str) -> None:
    # both factors lose y when hidden and get y / 2 each as Shapley values: a moves by a constant times what y moves by
    row = plain(exact, explainer)
    assert (row["reliance"], row["faithfulness"]) == (pytest.approx(1.0, abs=1e-6), pytest.approx(1.0, abs=1e-6))
    assert row["inversion_score"] == pytest.approx(0.5**0.5, abs=1e-6)
    assert row["spurious_share"] == pytest.approx(0.0, abs=1e-6) and row["true_unit_share"] == pytest.approx(1.0, abs=1e-6)


def test_lime_with_paired_masks_scores_as_an_exact_explanation_and_with_fresh_ones_far_below(exact: pd.DataFrame) -> None:
    assert plain(exact, "lime")["inversion_score"] == pytest.approx(0.707, abs=0.004)
    assert 0.36 <= plain(exact, "lime_fresh")["inversion_score"] <= 0.48  # sampling noise alone lowers R: METHODS 7
    assert plain(exact, "lime_fresh")["faithfulness"] > 0.98  # as faithful as the paired one


def test_a_random_explanation_scores_about_six_tenths_which_looks_better_than_an_exact_one(exact: pd.DataFrame) -> None:
    # mean |r| of 20 pairs without relation is 0.18, F floored at 0 over six units about 0.2: root of ((0.18^2 + 0.8^2) / 2)
    assert plain(exact, "random")["inversion_score"] == pytest.approx(0.60, abs=0.03)


def test_an_echo_of_the_output_relies_wholly_and_names_nothing(exact: pd.DataFrame) -> None:
    row = plain(exact, "output_echo")
    assert (row["reliance"], row["faithfulness"], row["inversion_score"]) == (pytest.approx(1.0), 0.0, pytest.approx(1.0))


def test_a_model_that_ignores_the_slot_makes_no_score_rise_and_no_method_name_it(exact: pd.DataFrame) -> None:
    rows = exact[(exact["slot"] == "overwritten") & exact["explainer"].isin(["occlusion", "kernel_shap", "lime"])]
    assert (rows["model_sensitivity"] == 0).all() and rows["delta_inversion_score"].abs().max() < 1e-9


def test_refining_never_adds_mass_and_the_shrink_control_keeps_faithfulness(exact: pd.DataFrame) -> None:
    refined = exact[exact["refined"].isin(["literal", "scale_free"])]
    assert refined["mass_kept"].between(0, 1).all() and exact[exact["refined"] == "shrink"]["mass_kept"].isna().all()
    for explainer in ("occlusion", "lime", "ig"):
        shrunk = exact[(exact["explainer"] == explainer) & (exact["refined"] == "shrink")]
        assert shrunk["faithfulness"].to_numpy() == pytest.approx(plain(exact, explainer)["faithfulness"])  # one factor moves no order


@pytest.mark.parametrize(("units", "told"), [(2, 0.84), (6, 0.58), (20, 0.38)])
def test_exact_attributions_of_linear_models_are_faithful_while_reliance_falls_with_their_features(units: int, told: float) -> None:
    found, faithful = [], []
    for seed in range(12):
        w = torch.from_numpy(np.random.default_rng(seed).standard_normal(units).astype(np.float32))

        def oracle(inputs: np.ndarray, outputs: np.ndarray, rows: np.ndarray, w: torch.Tensor = w) -> np.ndarray:
            return inputs[:, :, 0] * w.numpy()

        settings = InversionSettings(examples=SizeSettings(tabular=40))
        setup = regression("linear_test", "formula", seed, 40, settings, lambda x, w=w: x @ w, units, (0,), oracle)
        asked = poked("linear_test", seed, setup, settings, ((UNTOUCHED, 0.0),), 1, 0.05)
        said = dict(direct(asked, settings))["oracle"].given
        m = asked.intact.given
        found.append(np.nanmean(reliance(movement(said[:, 0], said[:, 1:]), m[:, 0], m[:, 1:])))
        hidden = [
            m[:, 0] - asked.asked(np.where(np.arange(units)[:, None] == j, 0, asked.inputs[:, 0]), np.arange(40))[0] for j in range(units)
        ]
        faithful.append(np.abs(np.stack(hidden, axis=1) - said[:, 0]).max())
    assert max(faithful) < 1e-4  # exact: hiding x_j loses w_j x_j
    assert np.mean(found) == pytest.approx(told, abs=0.06)


class Constant(torch.nn.Module):
    def forward(self, inputs: torch.Tensor, included: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(inputs), 1)


class Restless(torch.nn.Module):
    def forward(self, inputs: torch.Tensor, included: torch.Tensor) -> torch.Tensor:
        return torch.rand(len(inputs), 1)


def setup_of(net: torch.nn.Module, n: int = 4) -> Setup:
    inputs = np.random.default_rng(0).standard_normal((n, 6, 1)).astype(np.float32)
    ones = np.ones((6, 1), dtype=np.float32)
    return Setup(NetProbe(net), inputs, np.ones((n, 6), dtype=bool), 5, 0 * ones, inputs, ones, 1.0, 1.0)


def test_a_constant_model_has_no_score_rather_than_zero() -> None:
    asked = poked("constant", 0, setup_of(Constant()), SETTINGS, ((UNTOUCHED, 0.0),), 2, 0.05)
    found = masked(asked, SETTINGS)
    given, m = found.said["occlusion"].given, asked.intact.given
    assert np.isnan(reliance(movement(given[:, 0], given[:, 1:]), m[:, 0], m[:, 1:])).all()


def test_a_model_that_does_not_repeat_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="must answer the same twice"):
        poked("restless", 0, setup_of(Restless()), SETTINGS, ((UNTOUCHED, 0.0),), 2, 0.05)


def test_pokes_are_those_of_the_example_whatever_stands_beside_it_and_more_of_them_leave_the_first() -> None:
    many, few = setup_of(Formula(product.formula)), setup_of(Formula(product.formula), 2)
    few = Setup(few.probe, many.inputs[:2], few.included, 5, few.mean, few.background, few.spread, 1.0, 1.0)
    wide, narrow = (poked("product", 0, one, SETTINGS, ((UNTOUCHED, 0.0),), repeats, 0.05) for one, repeats in ((many, 5), (few, 2)))
    assert np.array_equal(wide.inputs[:2], narrow.inputs) and np.array_equal(wide.noise[:2, :, :2], narrow.noise)


def test_a_poke_is_a_share_of_the_feature_and_never_below_that_of_its_spread() -> None:
    asked = poked("product", 0, setup_of(Formula(product.formula)), SETTINGS, ((UNTOUCHED, 0.0),), 3, 0.05)
    rows, pokes = np.zeros(3, dtype=np.int64), 2 * 3 + np.arange(3)
    moved = asked.of_unit(rows, pokes) - asked.inputs[0, 0]
    size = 0.05 * max(abs(float(asked.inputs[0, 0, 2, 0])), 1.0)  # the spread is 1
    assert moved[:, 2, 0] == pytest.approx(size * asked.noise[0, 2, :, 0], rel=1e-3)
    assert not np.delete(moved, 2, axis=1).any()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
