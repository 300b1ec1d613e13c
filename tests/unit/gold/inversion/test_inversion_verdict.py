"""The verdict on Reproduce-by-Poking, from hand-made summaries: what it counts, what it withholds, what it says."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from gold.inversion.tables.inversion_sweep import swept
from gold.inversion.tables.inversion_verdict import of_domains, verdicts


def summary(rise: Callable[[str, int], float], seeds: int = 3, explainer: str = "lime", share: float = 0.1) -> list[dict[str, object]]:
    """Rows of one world: IS rises under the slot by `rise(form, seed)`; the slot's share by 0.2 as it is and by half of that refined."""
    rows: list[dict[str, object]] = []
    for seed in range(seeds):
        for form, lam in (("none", 0.0), ("scale_free", 1.0), ("scale_free", 10.0), ("shrink", 1.0), ("shrink", 10.0), ("literal", 0.1)):
            for slot, psi in (("untouched", 0.0), ("overwritten", 0.0), ("overwritten", 0.4), ("overwritten", 0.8)):
                up = psi > 0
                rows.append(
                    {
                        "domain": "tabular", "model": "mlp", "explainer": explainer, "seed": seed, "slot": slot, "psi": psi,
                        "refined": form, "lam": lam, "n": 40, "inversion_score": 0.5 + (0.1 if form == "none" else 0.0),
                        "delta_inversion_score": None if slot == "untouched" else (rise(form, seed) if lam in (0.0, 1.0) else 9.0) * up,
                        "spurious_share": share + 0.2 * (psi / 0.8) * (0.5 if form == "scale_free" else 1.0),
                        "model_sensitivity_share": 0.05 + 0.03 * up,
                    }
                )  # fmt: skip
    return rows


def only(rows: list[dict[str, object]], explainer: str = "all") -> dict[str, object]:
    (found,) = (row for row in verdicts(pd.DataFrame(rows), 0.95) if row["explainer"] == explainer)
    return found


def test_the_gain_is_the_rise_refined_minus_the_rise_shrunk_by_one_factor_over_seeds() -> None:
    rises = {"none": 0.30, "scale_free": 0.10, "shrink": 0.25}
    rows = summary(lambda form, seed: rises.get(form, 0.0) + 0.01 * seed * (form == "scale_free"))
    row = only(rows)
    error = 0.01 / 3**0.5  # gains of the three seeds: -0.15, -0.14, -0.13; t(2) = 4.30265 at 97.5 %, 1.06066 at 80 %
    told = row["gain"], row["gain_ci_low"], row["gain_ci_high"]
    assert told == (
        pytest.approx(-0.14),
        pytest.approx(-0.14 - 4.30265 * error, abs=1e-5),
        pytest.approx(-0.14 + 4.30265 * error, abs=1e-5),
    )
    assert row["min_detectable_gain"] == pytest.approx((4.30265 + 1.06066) * error, abs=1e-5)
    assert (row["verdict"], row["rise"], row["n_seeds"], row["n"]) == ("reduces", pytest.approx(0.3), 3, 120)
    assert row["share_rise"] == pytest.approx(0.2) and row["share_fall"] == pytest.approx(-0.1)
    assert row["model_share_rise"] == pytest.approx(0.03) and row["score_gain"] == pytest.approx(0.0)
    said = str(row["sentence"])
    assert said.startswith("Reproduce-by-Poking reduces the rise of IS beyond what one factor for each input does: rise +0.3000 (")
    assert "by +0.200 with psi (the model's own sensitivity by +0.030), and by -0.100 under" in said
    single = only(rows, "lime")  # the same figures, and no verdict of its own
    assert single["gain"] == row["gain"] and single["verdict"] is None and "not corrected for their number" in str(single["reason"])


@pytest.mark.parametrize(("refined", "verdict"), [(0.4, "increases"), (0.2, "no_evidence")])
def test_more_than_one_factor_is_an_increase_and_the_same_is_no_evidence(refined: float, verdict: str) -> None:
    noise = {0: -0.01, 1: 0.0, 2: 0.01}
    row = only(summary(lambda form, seed: (refined if form == "scale_free" else 0.2) + noise[seed] * (form == "shrink")))
    assert row["verdict"] == verdict


@pytest.mark.parametrize("rise", [-0.2, 0.0])
def test_where_the_score_does_not_rise_there_is_nothing_to_reduce(rise: float) -> None:
    row = only(summary(lambda form, seed: rise - 0.1 * (form == "scale_free") + 0.001 * seed * (rise < 0)))
    assert row["verdict"] == "nothing_to_reduce" and str(row["sentence"]).startswith("IS does not rise with the slot's echo")


def test_seeds_without_a_score_are_not_counted() -> None:
    rows = summary(lambda form, seed: 0.2 + 0.01 * seed, seeds=5)
    for row in rows:
        if row["seed"] in (1, 3):
            row["delta_inversion_score"] = None
    found = only(rows)
    assert (found["n_seeds"], found["n"]) == (3, 120) and "over 3 seeds" in str(found["sentence"])


def test_a_domain_is_the_mean_over_its_trained_models_seed_by_seed() -> None:
    worlds = []
    for dataset, model, gain in (("world_product", "mlp", 0.0), ("world_adult", "xgboost", -0.2), ("world_linear", "formula", 9.0)):
        rows = summary(lambda form, seed, g=gain: 0.3 + (g + 0.01 * seed) * (form == "scale_free"))
        worlds += [row | {"dataset": dataset, "model": model} for row in rows]
    (row,) = of_domains(pd.DataFrame(worlds), 0.95)
    assert (row["domain"], row["model"], row["explainer"]) == ("tabular", "all", "all")
    assert row["gain"] == pytest.approx(-0.1 + 0.01) and row["n"] == 3 * 80  # formulas have nothing to learn


def test_two_seeds_have_figures_and_no_verdict() -> None:
    row = only(summary(lambda form, seed: 0.1, seeds=2))
    assert (row["verdict"], row["gain_ci_low"], row["gain"]) == (None, None, pytest.approx(0.0))
    assert "3 seeds" in str(row["reason"]) and str(row["sentence"]).startswith("No verdict from 2 seeds")


def test_controls_have_rows_and_no_part_in_the_mean_over_methods() -> None:
    rises = {"lime": 0.0, "random": 5.0}
    rows = [row for name, value in rises.items() for row in summary(lambda form, seed, v=value: v * (form == "scale_free"), explainer=name)]
    assert only(rows)["gain"] == pytest.approx(0.0) and only(rows, "random")["gain"] == pytest.approx(5.0)


def test_a_world_without_an_inversion_score_says_so() -> None:
    rows = [row | {"delta_inversion_score": None, "inversion_score": None} for row in summary(lambda form, seed: 0.0)]
    row = only(rows)
    assert row["verdict"] is None and row["sentence"] == "No verdict: no example has an inversion score under the slot."


def test_a_sweep_is_the_mean_and_spread_over_seeds_and_examples_and_null_where_there_is_none() -> None:
    key = {"domain": "tabular", "model": "mlp", "explainer": "lime", "magnitude": 0.05}
    found = swept([key | {"n_pert": 1, "scores": [0.1, None]}, key | {"n_pert": 1, "scores": [0.3]}, key | {"n_pert": 3, "scores": [None]}])
    assert found[0] == key | {
        "n_pert": 1,
        "inversion_score": pytest.approx(0.2),
        "std": pytest.approx(0.1 * 2**0.5),
        "n": 2,
        "reason": None,
    }
    assert (found[1]["inversion_score"], found[1]["std"], found[1]["n"]) == (None, None, 0) and found[1]["reason"]
