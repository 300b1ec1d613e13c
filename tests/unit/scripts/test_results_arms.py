"""Does the page say of arms what gold's rows say, in words that the verdicts allow?"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from tests.unit.scripts.arm_rows import arms, row, training

Script = Callable[[str], Any]


def test_settings_stand_from_few_shots_to_all_texts_and_noise_behind_true_labels(script: Script) -> None:
    order = ["5-shot", "10-shot", "full+share30%", "full", "full+noise5%", "full+noise10%", "of another make"]
    mixed = [order[place] for place in (6, 3, 1, 5, 0, 4, 2)]
    assert sorted(mixed, key=script("results_arms").setting_order) == order
    assert script("results_arms").without_noise("full+share30%+noise2.5%") == "full+share30%"


def test_arms_stand_with_no_prior_first_and_no_adapter_last(script: Script) -> None:
    names = ["none", "cap", "ig", "cap+ig", "shuffled:cap", "random", "logistic_regression"]
    found = script("results_arms").arms_of(arms(*(row(name, 0.9) for name in reversed(names)), row("none", 0.7, setting="5-shot")))
    assert [(arm.setting, arm.priors) for arm in found] == [("5-shot", "none"), *(("full", name) for name in names)]


def test_a_difference_is_shown_with_its_error_pairs_and_verdict(script: Script) -> None:
    given = [
        row("cap", 0.912, standard_error=0.0042, none=(0.0121, 0.0044, 3, "better"), shuffled=(-0.0004, None, 1, None), leaky_prior=True),
        row("cap", 0.5, "sufficiency", none=(-0.1, 0.01, 2, None), leaky_prior=True),
    ]
    (arm,) = script("results_arms").arms_of(arms(*given))
    assert (arm.level("accuracy"), arm.title, arm.prior_settings) == ("0.912 ± 0.004", "cap (leaky)", "beta 1, n 100")
    assert arm.over("none", "accuracy") == "+0.012 ± 0.004 (3 pairs): better"
    assert arm.over("shuffled", "accuracy") == "+0.000 (1 pair): no verdict"  # never -0.000
    assert arm.over("none", "sufficiency") == "-0.100 ± 0.010 (2 pairs): no verdict"
    assert arm.over("logistic", "accuracy") == "–" == arm.over("none", "comprehensiveness")


def test_a_prior_of_which_nobody_knows_whether_it_leaks_says_so(script: Script) -> None:
    found = script("results_arms").arms_of(arms(row("cap", 0.9), row("random", 0.9), row("none", 0.9), row("ig", 0.9, leaky_prior=False)))
    assert [arm.title for arm in found] == ["none", "cap (leak unknown)", "ig", "random"]
    asked = pd.DataFrame({"scorer": ["none", "a", "a", "b", "b", "b"], "leaky_prior": [None, True, False, False, None, None]})
    assert script("results_text").leaks(asked) == ("1 of 5 trainings flagged leaky, 2 of 5 trainings not leaky, 2 of 5 trainings not known")


def test_a_grid_of_values_leaves_the_usual_ones_in_the_arms_table(script: Script) -> None:
    given = [row("cap", 0.9, beta=beta, n_perturbations=n) for beta in (0.3, 1.0) for n in (50, 100)]
    given += [row("lime", 0.9, beta=0.3, n_perturbations=50), row("cap+ig", 0.9, beta=0.3, n_perturbations=50), row("none", 0.9)]
    given += [row("shap", 0.9, beta=7.0)]
    found = script("results_arms").usual(script("results_arms").arms_of(arms(*given)))
    # beta 0.3 and n 50 have three arms each; shap has no such row and keeps its own.
    assert [(arm.priors, arm.about["beta"]) for arm in found] == [("none", 0), ("cap", 0.3), ("lime", 0.3), ("shap", 7), ("cap+ig", 0.3)]
    assert all(arm.about["n_perturbations"] in (0, 50) for arm in found if arm.priors != "shap")


def test_the_main_row_of_an_arm_is_the_one_that_was_trained_most_often_whatever_the_default_is(script: Script) -> None:
    usual, arms_of = script("results_arms").usual, script("results_arms").arms_of
    given = [row("cap", 0.9, beta=beta, n_seeds=n) for beta, n in ((0.1, 5), (1.0, 3), (2.0, 1))]
    # of the recipe too: w (with clip_norm, say) was trained more often than v
    given += [row("none", 0.9, n_seeds=3), row("none", 0.8, n_seeds=4, variant="w")]
    assert [(arm.priors, arm.about["beta"], arm.about["variant"]) for arm in usual(arms_of(arms(*given)))] == [
        ("none", 0.0, "w"),
        ("cap", 0.1, "v"),
    ]


def test_of_rows_trained_as_often_the_one_counts_whose_values_most_arms_share_then_the_smallest(script: Script) -> None:
    usual, arms_of = script("results_arms").usual, script("results_arms").arms_of
    given = [row("cap", 0.9, beta=beta) for beta in (0.3, 1.0, 3.0)]
    assert [arm.about["beta"] for arm in usual(arms_of(arms(*given)))] == [0.3]
    shared = [*given, row("lime", 0.9, beta=3.0), row("ig", 0.9, beta=3.0, n_perturbations=0, scorer="none"), row("lime", 0.9, beta=1.0)]
    assert {arm.about["beta"] for arm in usual(arms_of(arms(*shared)))} == {3.0}


def test_both_tunings_of_an_arm_are_main_rows(script: Script) -> None:
    given = [row("none", 0.9), row("none", 0.8, tuning="full", variant="f", n_seeds=1), row("logistic_regression", 0.7)]
    found = script("results_arms").usual(script("results_arms").arms_of(arms(*given)))
    assert [(arm.priors, arm.tuning) for arm in found] == [("none", "full"), ("none", "lora"), ("logistic_regression", "none")]


def test_an_arm_without_a_scored_row_is_left_out_with_a_sentence(script: Script) -> None:
    module = script("results_arms")
    frame = arms(row("none", 0.9, n=3), row("cap", None, n=2, n_seeds=0), row("cap", None, "sufficiency", n=2, n_seeds=0))
    assert [arm.priors for arm in module.arms_of(frame)] == ["none"]
    assert module.unscored(frame) == "Left out, here and below: 1 arm of 2 adapters without a scored row."
    assert module.unscored(arms(row("none", 0.9, n=3))) == ""


def test_rows_that_are_not_the_main_ones_stand_below(script: Script) -> None:
    given = [row("cap", 0.9, beta=0.1), row("cap", 0.123, beta=1.0, n_seeds=1), row("ig", None, n_seeds=0, n=4), row("none", 0.8)]
    trained = training({"adapter_id": "a", **dict.fromkeys(("comprehensiveness_random", "sufficiency_random"), 0.5)})
    settings = SimpleNamespace(confidence_level=0.95, steering=SimpleNamespace(min_pairs=3))
    steering = SimpleNamespace(arms=arms(*given), training=trained, recipes={}, settings=settings, settings_id="6")
    text = script("results_arm_tables").arms_section(SimpleNamespace(n_shifted=2), steering)
    main, _, below = text.partition("The same arms with other values, 1 rows:")
    assert "| full | cap (leak unknown) | beta 0.1, n 100 | 3 | 0.900 |" in main and "0.123" not in main
    assert "| full | cap (leak unknown) | beta 1, n 100 | 1 | 0.123 |" in below
    assert (
        "trained most often" in main
        and "Left out, here and below: 1 arm of 4 adapters without a scored row." in main
        and "| ig" not in text
    )


def test_the_summary_has_a_row_per_tuning(script: Script) -> None:
    given = [row("none", 0.9), row("none", 0.8, tuning="full", variant="f"), row("none", 0.5, variant="w", n_seeds=1), LINEAR]
    empty = pd.DataFrame({"setting": [], "source": []})
    findings = SimpleNamespace(dataset="d", settings_ids={"bronze.examples": "5" * 16}, config=None, n_labels=2, n_meta=3)
    module = script("results_text_summary")
    found = module.text_rows(findings, SimpleNamespace(arms=arms(*given), asked=empty, precision=empty))
    place = [module.TITLES.index(name) for name in ("setting", "logistic regression", "none")]
    assert [[line[at] for at in place] for line in found] == [
        ["full, tuning full", "0.770", "0.800"],
        ["full, tuning lora", "0.770", "0.900"],
    ]
    lines = [f"| {' | '.join(line)} |" for line in found]
    assert [module.row_order(line)[1:] for line in lines] == [
        ((math.inf, 100.0, 0.0, "full"), "tuning full"),
        ((math.inf, 100.0, 0.0, "full"), "tuning lora"),
    ]


LINEAR = row("logistic_regression", 0.77)
TOO_FEW = (
    "no arm can be said to beat logistic regression (0.770), for there are too few pairs for a verdict; the highest is `cap` with +0.130 ± "
    "0.004 (2 pairs): no verdict."
)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            [row("cap", 0.80, logistic=(0.03, 0.004, 3, "better")), row("ig", 0.75, logistic=(-0.02, 0.004, 3, "worse"))],
            "logistic regression (0.770) is beaten by `cap` (+0.030 ± 0.004, 3 pairs); not by 1 other arm.",
        ),
        (
            [row("cap", 0.78, logistic=(0.01, 0.004, 3, "no evidence")), row("ig", 0.75, logistic=(-0.02, 0.004, 3, "worse"))],
            "no arm beats logistic regression (0.770); the highest is `cap` with +0.010 ± 0.004 (3 pairs): no evidence.",
        ),
        (
            [row("cap", 0.90, logistic=(0.13, 0.004, 2, None))],
            TOO_FEW,
        ),
        ([row("cap", 0.8)], "nothing to compare, logistic regression could not be fitted on the same texts."),
    ],
)
def test_each_family_gets_a_sentence_on_logistic_regression(script: Script, given: list[dict[str, Any]], says: str) -> None:
    known = [one | {"leaky_prior": False} for one in given]
    text = script("results_arm_sentences").sentences(script("results_arms").arms_of(arms(*known, LINEAR)))
    assert f"- full, single priors: {says}\n" in text


BETTER, SAME, WORSE = (0.02, 0.004, 3, "better"), (0.0, 0.01, 3, "no evidence"), (-0.02, 0.004, 3, "worse")


def test_a_prior_helped_only_where_it_is_better_than_none_and_than_its_shuffled_control(script: Script) -> None:
    given = [
        row("none", 0.9),
        row("cap", 0.92, none=BETTER, shuffled=SAME),
        row("cap", 0.6, "comprehensiveness", none=BETTER, shuffled=BETTER),
        row("ig", 0.88, none=WORSE, shuffled=SAME),
        row("ig", 0.5, "comprehensiveness", none=SAME, shuffled=SAME),
        row("ig", 0.5, "adversarial_accuracy", none=BETTER),
    ]
    text = script("results_arm_sentences").sentences(script("results_arms").arms_of(arms(*(one | {"leaky_prior": False} for one in given))))
    assert "accuracy: none of 2 arms; robustness: no arm has both verdicts; comprehensiveness: cap in full, 1 of 2 arms." in text
    assert "| full | accuracy | cap of 2 | ig of 2 | no arm of 2 | no arm of 2 |" in text
    assert "| full | robustness | ig of 1 | no arm of 1 | no verdict on any | no verdict on any |" in text


def test_without_pairs_nothing_is_shown_for_or_against_priors(script: Script) -> None:
    text = script("results_arm_sentences").sentences(script("results_arms").arms_of(arms(row("none", 0.9), row("cap", 0.99))))
    assert text.endswith("nothing is shown for or against priors.")


def test_recipes_are_named_by_what_tells_them_apart(script: Script) -> None:
    tables = script("results_arm_tables")
    frame = training({"adapter_id": "a", "variant": "v", "accuracy": 0.9}, {"adapter_id": "b", "variant": "w", "accuracy": 0.9})
    recipes = {"a": {"name": "x", "rank": 4, "epochs": 3, "seed": 1}, "b": {"name": "y", "rank": 8, "epochs": 3, "shots": 5}}
    assert tables.recipe_texts(frame, recipes) == {"v": "rank 4", "w": "rank 8"}
    assert tables.recipe_texts(frame, recipes | {"b": {"name": "y", "rank": 4, "epochs": 3}}) == {}


def test_arms_and_logistic_regression_on_different_test_texts_are_named(script: Script) -> None:
    texts_behind = script("results_arm_tables").texts_behind
    linear = {"priors": "logistic_regression", "n": 3080}
    assert texts_behind(training({"n": 200}, linear | {"n": 200})) == "Accuracy: on 200 clean texts of meta."
    text = texts_behind(training({"n": 200}, {"n": 190}, {"n": 0}, linear))
    assert text.startswith("Accuracy: on 190 to 200 clean texts of meta. **Logistic regression was asked about 3,080 of them")


def test_seconds_are_those_of_one_training(script: Script) -> None:
    frame = training({"priors": "cap", "seconds": 60.0}, {"priors": "cap", "seconds": 1940.0}, {"priors": "none", "seconds": None})
    (arm,) = script("results_arms").arms_of(arms(row("cap", 0.9)))
    assert script("results_arm_tables").seconds_of(frame) == {arm.key: "1,000"}


def test_a_bar_has_students_interval_and_one_training_has_none(script: Script) -> None:
    chart = script("results_arms_chart")
    many, one = script("results_arms").arms_of(arms(row("cap", 0.95, standard_error=0.02), row("ig", 0.7, n_seeds=1)))
    bar = chart.bar_of(many)
    # Half an interval of 3 trainings is 4.303 standard errors: 0.95 - 0.086, and the upper end is cut at 1.
    assert bar.low == pytest.approx(0.95 - stats.t.ppf(0.975, 2) * 0.02) == pytest.approx(0.8639, abs=1e-4)
    assert (bar.high, bar.n) == (1.0, 3)
    assert chart.bar_of(one)[1:] == (0.7, None, None, 1)
    text = chart.arms_chart("a < b", "n", [many, one, *script("results_arms").arms_of(arms(LINEAR))], {"v": "rank <4>"})
    assert "a &lt; b" in text and "rank &lt;4&gt;" in text and "<4>" not in text
    assert text.count("<circle") == 2 and text.count("stroke-opacity") == 1
    assert "logistic regression 0.770" in text
