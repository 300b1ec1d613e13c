"""Are the page's tables about priors, sensitivity, texts of no class and the paper made from the rows by hand-checked arithmetic?"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from gold.settings import GoldSettings
from tests.unit.scripts.arm_rows import arms, row, training

Script = Callable[[str], Any]


def pair(source: str, scorer: str, labels: str, shared: float | None, telling: float | None, confusions: int = 2) -> dict[str, Any]:
    """A row of gold.prior_homogeneity; `labels`: two letters."""
    about = {"setting": "full", "shots_seed": 0, "label_noise_seed": 0, "n_perturbations": 0, "n": 10, "confusions": confusions}
    figures = {"shared_mass": shared, "discriminating_mass": telling}
    return about | {"source": source, "scorer": scorer, "label_a": labels[0], "label_b": labels[1]} | figures


PAIRS = pd.DataFrame(
    [
        pair("self:none", "a", "xy", 0.5, 0.2), pair("self:none", "a", "yz", 0.7, 0.4, confusions=9),
        pair("self:none", "b", "xy", 0.3, 0.5), pair("self:none", "b", "yz", None, None, confusions=9),
        pair("self:cap", "c", "xy", 0.2, 0.3),
    ]
)  # fmt: skip


def test_homogeneity_is_a_mean_over_pairs_and_then_over_models(script: Script) -> None:
    # self:none shared: model a (0.5 + 0.7) / 2 = 0.6, model b 0.3 (its other pair has no text): mean 0.45, se |0.6 - 0.3| / 2 = 0.15;
    # discriminating: a 0.3, b 0.5: mean 0.4, se 0.1. A lake made before has no pairs of trainings: 0.3 - 0.4, without an error
    assert script("results_priors").homogeneity_rows(PAIRS) == [
        ["full", "0", "`self:cap`", "–", "–", "0.200", "0.300", "-0.100", "1", "1", "10"],
        ["full", "0", "`self:none`", "–", "–", "0.450 ± 0.150", "0.400 ± 0.100", "–", "2", "2", "40"],
    ]


def trained(
    source: str, pair_id: str, telling: float | None, labels: str = "xy", beta: float = 1.0, fusion: str = "mean"
) -> dict[str, Any]:
    """A row of an adapter that is named after what it was trained with."""
    about = {"beta": beta, "fusion": fusion, "pair_id": pair_id}
    return pair(source, f"{source}{beta}{fusion}{pair_id}", labels, 0.5, telling) | about


PLAIN = [trained("self:none", name, telling, beta=0.0, fusion="none") for name, telling in (("p", 0.2), ("q", 0.4), ("r", 0.9))]
PLAIN += [trained("self:none", "p", 0.6, "yz", beta=0.0, fusion="none")]
TRAINED = pd.DataFrame(
    [
        *PLAIN,
        trained("self:cap", "p", 0.3), trained("self:cap", "p", 0.8, "yz"), trained("self:cap", "q", 0.45),
        trained("self:cap", "q", 0.99, "yz"),  # self:none got no text of these two classes right
        trained("self:cap", "p", 0.5, beta=2.0), trained("self:cap", "q", 0.8, beta=2.0),
        trained("self:cap+ig", "p", 0.1, fusion="max"), trained("self:cap+ig", "q", 0.2), trained("self:ig", "z", 0.5),
    ]
)  # fmt: skip


def test_betas_and_fusions_are_held_against_none_in_pairs_each_by_itself(script: Script) -> None:
    page = script("results_priors")
    over = {tuple(row[2:5]): row[7] for row in page.homogeneity_rows(TRAINED)}
    assert over == {
        ("`self:none`", "0", "–"): "–",
        # p: (0.3 - 0.2 + 0.8 - 0.6) / 2 = 0.15; q: 0.45 - 0.4 = 0.05 of the one pair of classes both have: 0.1, se 0.1 / 2; r is alone
        ("`self:cap`", "1", "mean"): "+0.100 ± 0.050 (2 pairs)",
        ("`self:cap`", "2", "mean"): "+0.350 ± 0.050 (2 pairs)",  # 0.3 and 0.4
        ("`self:cap+ig`", "1", "max"): "-0.100 (1 pair)",
        ("`self:cap+ig`", "1", "mean"): "-0.200 (1 pair)",
        ("`self:ig`", "1", "mean"): "–",  # its twin is not there
    }


def test_the_page_says_of_which_class_the_attributions_are_and_what_the_differences_are_of(script: Script) -> None:
    page, empty = script("results_priors"), pd.DataFrame()

    def said(homogeneity: pd.DataFrame) -> str:
        return str(
            page.priors_section(SimpleNamespace(asked=empty, correlations=empty, homogeneity=homogeneity, precision=empty, top_words=empty))
        )

    assert "for the text's own class, on the texts of meta that it gets right" in said(TRAINED)
    assert "pairs of trainings that share all but the prior" in said(TRAINED)
    assert "for the class it predicts, right or wrong" in said(PAIRS) and "a difference of means, not of pairs" in said(PAIRS)
    assert "no trained model was explained" in said(PAIRS.assign(source="cap"))


def test_top_words_are_of_the_classes_mistaken_most_and_safe_in_markdown(script: Script) -> None:
    assert script("results_priors").shown_labels(PAIRS, ["w", "x", "y", "z"]) == ["y", "z", "x"]  # y and z 9 times, then x
    assert script("results_priors").shown_labels(PAIRS[:0], ["w", "x", "y", "z"]) == ["w", "x", "y"]
    about = {
        "setting": "full",
        "n_perturbations": 100,
        "shots_seed": 0,
        "label_noise_seed": 0,
        "scorer": "s",
        "source": "cap",
        "label": "y",
    }
    words = pd.DataFrame(
        [about | {"rank": 2, "word": "<b>", "score": 0.1, "n": 7}, about | {"rank": 1, "word": "a`|", "score": 0.4, "n": 7}]
    )
    empty = pd.DataFrame()
    steering = SimpleNamespace(asked=empty, correlations=empty, homogeneity=PAIRS, precision=empty, top_words=words)
    assert r"| `y` | cap | `a'\|` 0.40, `<b>` 0.10 | 7 |" in script("results_priors").priors_section(steering)


def test_precision_stands_beside_random_words_and_shots_are_averaged(script: Script) -> None:
    rows = [
        {"setting": "5-shot", "n_perturbations": 40, "source": "cap", "precision_at_k": p, "chance": c, "n": 50, "shots_seed": seed}
        for seed, (p, c) in enumerate([(0.6, 0.3), (0.4, 0.4)])
    ]
    empty = pd.DataFrame()
    steering = SimpleNamespace(asked=empty, correlations=empty, homogeneity=empty, precision=pd.DataFrame(rows), top_words=empty)
    assert "| 5-shot | 40 | cap | 0.500 | 0.350 | +0.150 | 100 |" in script("results_priors").priors_section(steering)


def test_beta_and_masks_make_a_grid_with_gaps(script: Script) -> None:
    given = [row("cap", 0.9, beta=0.5, n_perturbations=50), row("cap", 0.8, beta=2.0, n_perturbations=200, standard_error=0.01)]
    found = script("results_sensitivity").grids(script("results_arms").arms_of(arms(*given, row("none", 0.7), row("ig", 0.9))))
    assert len(found) == 2  # accuracy and comprehensiveness of cap; ig has one value of each
    assert found[0].startswith("full, cap: accuracy by beta and masks (`none`: 0.700):")
    assert "| beta 0.5 | 0.900 |  |\n| beta 2 |  | 0.800 ± 0.010 |" in found[0]


def test_max_is_held_against_mean_in_pairs(script: Script) -> None:
    ways = [
        {"fusion": way, "pair_id": f"p{seed}", "accuracy": accuracy, "sufficiency": 0.3 - (way == "max") * (0.1 + 0.001 * seed)}
        for way, accuracies in {"mean": (0.90, 0.91, 0.92), "max": (0.91, 0.94, 0.94)}.items()
        for seed, accuracy in enumerate(accuracies)
    ]
    alone = [{"priors": "cap", "fusion": "mean", "pair_id": "p0", "accuracy": 0.5}]
    (text,) = script("results_sensitivity").fusions(training(*ways, *alone), GoldSettings())
    # 0.01, 0.03, 0.02: mean 0.02, sd 0.01, se 0.00577: 3.46 of them, within the 4.303 of two degrees of freedom.
    # Sufficiency falls by 0.1 and a little: lower is better.
    assert "| full | cap+ig | 1 | 100 | +0.020 ± 0.006 (3 pairs): no evidence | – | – | -0.101 ± 0.001 (3 pairs): better |" in text
    assert "| cap |" not in text
    assert script("results_sensitivity").fusions(training(*alone), GoldSettings()) == []


def test_wrong_labels_stand_beside_true_ones(script: Script) -> None:
    given = [
        row("none", 0.9),
        row("none", 0.8, setting="full+noise5%"),
        row("cap", 0.7, setting="full+noise5%"),
        row("cap", 0.6, setting="5-shot"),
    ]
    (text,) = script("results_sensitivity").noise(script("results_arms").arms_of(arms(*given)))
    assert "| arm | prior | full | full+noise5% |" in text
    assert "| none | – | 0.900 | 0.800 |\n| cap | beta 1, n 100 |  | 0.700 |" in text
    assert "0.600" not in text  # 5-shot has no wrong labels


def judged(adapter: str, score: str, auroc: float | None, **given: Any) -> dict[str, Any]:
    """A row of gold.out_of_scope."""
    about = {"setting": "full", "priors": "cap", "fusion": "mean", "beta": 1.0, "n_perturbations": 100, "n_out": 1200}
    about |= {"tuning": "lora"}
    return about | {"adapter_id": adapter, "score": score, "auroc": auroc} | given


def test_texts_of_no_class_are_told_apart_by_each_score_of_each_arm(script: Script) -> None:
    section = script("results_outside").outside_section
    foreign = {"setting": "none", "priors": None, "fusion": None, "beta": None, "n_perturbations": None, "tuning": None}
    linear = {"priors": "logistic_regression", "fusion": "none", "beta": 0.0, "n_perturbations": 0, "tuning": "none"}
    rows = [judged("a", "energy", 0.8), judged("b", "energy", 0.9), judged("a", "confidence", 0.7), judged("x", "energy", 0.5, **foreign)]
    rows.append(judged("none", "confidence", 0.65, **linear))
    judgements = [
        row("logistic_regression", 0.65, "auroc_outside"),
        row("cap", 0.7, "auroc_outside", logistic=(0.05, 0.01, 3, "better"), leaky_prior=False),
    ]
    trained = training({"adapter_id": "a"}, {"adapter_id": "b"})
    text = section(SimpleNamespace(outside=pd.DataFrame(rows), arms=arms(*judgements), training=trained, recipes={}))
    assert text.startswith("1,200 texts of no class")
    assert "| setting | arm | prior | tuning | trainings | confidence | energy |" in text and "let in" not in text
    # 0.8 and 0.9: mean 0.85, sd 0.0707, se 0.05
    assert "| full | cap | beta 1, n 100 | lora | 2 | 0.700 | 0.850 ± 0.050 |" in text
    assert "| full | logistic_regression | – | – | 1 | 0.650 | – |" in text and "| none | no recipe | – | – | 1 | – | 0.500 |" in text
    assert "- full, single priors: logistic regression (0.650) is beaten by `cap` (+0.050 ± 0.010, 3 pairs)." in text
    assert section(SimpleNamespace(outside=None)) == "Texts of no class: the lake judges none."


def test_texts_of_no_class_are_not_pooled_over_tunings_and_recipes(script: Script) -> None:
    about = {"a": ("v", "lora", 0.9), "b": ("w", "lora", 0.7), "c": ("f", "full", 0.5)}
    rows = [judged(name, "confidence", auroc, tuning=tuning) for name, (_, tuning, auroc) in about.items()]
    trained = training(*({"adapter_id": name, "variant": variant, "tuning": tuning} for name, (variant, tuning, _) in about.items()))
    recipes = {"a": {"name": "a", "rank": 4}, "b": {"name": "b", "rank": 8}, "c": {"name": "c", "tuning": "full"}}
    steering = SimpleNamespace(outside=pd.DataFrame(rows), arms=arms(row("none", 0.9)), training=trained, recipes=recipes)
    text = script("results_outside").outside_section(steering)
    shown = [line.split(" | ") for line in text.splitlines() if line.startswith("| full |")]
    # every recipe by itself: one training each, no error; 0.9, 0.7 and 0.5 are nobody's mean
    figures = [(line[3], line[5], line[6].rstrip(" |")) for line in shown]
    assert figures == [("full", "1", "0.500"), ("lora", "1", "0.900"), ("lora", "1", "0.700")]
    assert "rank 4" in shown[1][4] and "rank 8" in shown[2][4]


def test_the_papers_figures_stand_beside_none_and_the_arm_of_most_sources(script: Script) -> None:
    paper = script("results_paper")
    given = [
        row(name, mean, setting="5-shot", leaky_prior=False)
        for name, mean in (("cap", 0.9), ("cap+ig", 0.7), ("shuffled:cap+ig+lime", 0.8))
    ]
    found = script("results_arms").arms_of(arms(*given, row("none", 0.9163)))
    shown = {tuple(one[:3]): one[3:] for known in paper.KNOWN["banking77"] for one in paper.rows_of(known, found)}
    assert shown["full", "accuracy", "baseline"] == ["0.926", "none", "0.916", "-0.010"]  # 0.9163 - 0.9263
    assert shown["5-shot", "accuracy", "CAP Hybrid"] == ["0.791", "cap+ig (beta 1, n 100, mean)", "0.700", "-0.091"]
    assert shown["full", "accuracy", "CAP Hybrid"] == ["0.935", "not trained here", "–", "–"]


@pytest.mark.parametrize("texts", [True, False])
def test_stages_of_texts_are_named_where_there_are_any(script: Script, texts: bool) -> None:
    runs = script("results_runs")
    found = [runs.Commit(10.0, "r", "adapters"), *([runs.Commit(14.0, "r", "attribution priors")] if texts else [])]
    assert runs.stage_seconds(found, {"r": 7.0}).get("attribution priors") == (4.0 if texts else None)


def test_sources_most_of_whose_masks_were_clipped_are_named(script: Script) -> None:
    empty = pd.DataFrame()
    asked = pd.DataFrame(
        [
            {"source": "cap", "settings_id": "a", "scorer": "m", "whole_p": 0.0, "clipped_share": 1.0, "n": 30},
            {"source": "cap", "settings_id": "b", "scorer": "m", "whole_p": 0.8, "clipped_share": 0.2, "n": 10},
            {"source": "lime", "settings_id": "a", "scorer": "m", "whole_p": 0.9, "clipped_share": 0.5, "n": 30},
        ]
    )
    steering = SimpleNamespace(asked=asked, correlations=empty, homogeneity=empty, precision=empty, top_words=empty)
    text = script("results_priors").priors_section(steering)
    # cap: (30 * 1 + 10 * 0.2) / 40 = 0.8 of its masks, p (10 * 0.8) / 40 = 0.2
    assert "| cap | 0.200 | 0.800 | 40 | 2 |" in text and "Most masks of cap (80%) were clipped" in text
    steering.asked = asked[asked["source"] == "lime"]
    assert "were clipped:" not in script("results_priors").priors_section(steering)
