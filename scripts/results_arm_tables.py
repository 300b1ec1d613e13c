"""How far did each arm get, and by how much over no prior and over the same numbers on other words?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_arms import KEY, Arm, arms_of, metrics_of, unscored, usual
from results_numbers import three
from results_read import Findings
from results_steering import Steering

from gold.steering.recipes import LOGISTIC
from models.text_recipe import TextRecipe

OF_TRAINING = tuple("scorer_name" if name == "scorer" else name for name in KEY)  # KEY as gold.cap_hybrid_training has it
# What a recipe says that another column of the tables says already, or that is drawn.
SAID = frozenset({"name", "kind", "priors", "seed", "shots", "shots_seed", "label_noise", "label_noise_seed", "train_share", "modality"})


CHOSEN = (
    "An arm that was trained with several values of beta, masks, fusion, language model or recipe has the row here that was trained most "
    "often (of equals the one whose values most arms share); the others stand below."
)


def arms_section(findings: Findings, steering: Steering) -> str:
    """The levels of all arms, and their paired differences to `none` and to shuffled priors."""
    arms = arms_of(steering.arms)
    shown, metrics = usual(arms), metrics_of(arms)
    recipes = recipe_texts(steering.training, steering.recipes)
    kept, seconds = {arm.key for arm in shown}, seconds_of(steering.training)
    others = [arm for arm in arms if arm.key not in kept]
    parts = [
        " ".join(filter(None, (_head(findings, steering), CHOSEN if others else "", unscored(steering.arms)))),
        _levels(shown, metrics, recipes, seconds),
        *([f"The same arms with other values, {len(others)} rows:", _levels(others, metrics, recipes, seconds)] if others else []),
        _at_random(steering.training),
        _paired(steering),
        *(text for other in ("none", "shuffled") for text in _differences(shown, metrics, recipes, other)),
    ]
    return "\n\n".join(parts)


def _head(findings: Findings, steering: Steering) -> str:
    return (
        f"{texts_behind(steering.training)} Attacked and explained: {findings.n_shifted:,} texts. Mean ± standard error over trainings "
        "(seeds, shots); the chance of the test texts is not in it, and one training has no error. Robustness: accuracy under keyword "
        "attacks, mean over attacks and severities. "
        "Comprehensiveness (higher is better) and sufficiency (lower is better): words ranked by occlusion, never a training signal, mean "
        f"over 1, 5, 10, 20, 50 % of the words. Settings `{steering.settings_id}`."
    )


def texts_behind(training: pd.DataFrame) -> str:
    """On how many clean texts of meta accuracies rest, and in words where logistic regression was asked about others than the arms."""
    known = training[training["n"].fillna(0) > 0]
    linear = known["priors"] == LOGISTIC
    arms, regression = (sorted({int(n) for n in known[mine]["n"]}) for mine in (~linear, linear))
    said = f"Accuracy: on {_counts(arms)} clean texts of meta."
    if arms and regression and arms != regression:
        said += (
            f" **Logistic regression was asked about {_counts(regression)} of them: differences to it are between different sets of test "
            "texts, whose chance is in no error here.**"
        )
    return said


def _counts(numbers: Sequence[int]) -> str:
    return " to ".join(f"{n:,}" for n in dict.fromkeys([*numbers[:1], *numbers[-1:]])) or "no"


def _paired(steering: Steering) -> str:
    level, least = steering.settings.confidence_level, steering.settings.steering.min_pairs
    return (
        "Paired differences, mean ± standard error over pairs of trainings that share all but the prior (seed, shots and the rest of the "
        f"recipe). `better` or `worse`: Student's t interval at {100 * level:g} % leaves out 0; below {least} pairs there is no verdict."
    )


def _levels(arms: Sequence[Arm], metrics: Mapping[str, str], recipes: Mapping[str, str], seconds: Mapping[tuple[Any, ...], str]) -> str:
    more = ["accuracy over logistic regression", "seconds each"]
    titles = ["setting", "arm", "prior", *(["recipe"] if recipes else []), "trainings", *metrics.values(), *more]
    rows = [
        [
            *_named(arm, recipes),
            f"{int(arm.value('n_seeds') or 0)}",
            *(arm.level(metric) for metric in metrics),
            arm.over("logistic", "accuracy"),
            seconds.get(arm.key, "–"),
        ]
        for arm in arms
    ]
    return grid(titles, rows).rstrip()


def seconds_of(training: pd.DataFrame) -> dict[tuple[Any, ...], str]:
    """Arm -> mean seconds of one training, without making its prior."""
    means = training.dropna(subset=["seconds"]).groupby(list(OF_TRAINING))["seconds"].mean()
    return {tuple(key): f"{value:,.0f}" for key, value in zip(means.index, means, strict=True)}


def _named(arm: Arm, recipes: Mapping[str, str]) -> list[str]:
    return [arm.setting, arm.title, arm.prior_settings, *([recipes.get(str(arm.about["variant"]), "")] if recipes else [])]


def _differences(arms: Sequence[Arm], metrics: Mapping[str, str], recipes: Mapping[str, str], other: str) -> list[str]:
    """The title and the table; of `shuffled` also which control was taken."""
    compared = [arm for arm in arms if any(arm.value(f"n_pairs_{other}", metric) for metric in metrics)]
    what = {"none": "arm `none`", "shuffled": "the same prior's numbers on other words of the text"}[other]
    if not compared:
        return [f"Over {what}: no arm has a pair, nothing can be said."]
    titles = ["setting", "arm", "prior", *(["recipe"] if recipes else []), "pairs", *metrics.values()]
    rows = [
        [*_named(arm, recipes), _pairs(arm, metrics, other), *(_difference(arm, other, metric) for metric in metrics)] for arm in compared
    ]
    return [f"Over {what}{_controls(compared) if other == 'shuffled' else ''}:", grid(titles, rows).rstrip()]


def _pairs(arm: Arm, metrics: Mapping[str, str], other: str) -> str:
    """`3`, or `2 to 3` where some metrics have fewer."""
    counts = [arm.pairs(other, metric) for metric in metrics]
    return f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{counts[0]}"


def _difference(arm: Arm, other: str, metric: str) -> str:
    if not arm.pairs(other, metric):
        return "–"
    return f"{arm.by(other, metric)}: {arm.verdict(other, metric) or 'no verdict'}"


def _controls(arms: Sequence[Arm]) -> str:
    """Which arms were held against another arm's shuffled prior, for want of their own."""
    foreign: dict[str, set[str]] = {}
    for arm in arms:
        control = str(arm.by_metric["accuracy"]["shuffled_control"])
        if control != f"shuffled:{arm.priors}":
            foreign.setdefault(control, set()).add(arm.priors)
    said = [f"{', '.join(sorted(names))} against {control}" for control, names in sorted(foreign.items())]
    return f" ({'; '.join(said)}, for want of their own)" if said else ""


def _at_random(training: pd.DataFrame) -> str:
    known = training.dropna(subset=["comprehensiveness_random", "sufficiency_random"])
    means = known[["comprehensiveness", "comprehensiveness_random", "sufficiency", "sufficiency_random"]].mean()
    return (
        f"Words ranked at random instead of by occlusion, mean over the {len(known)} trainings that have both: comprehensiveness "
        f"{three(means['comprehensiveness_random'])} instead of {three(means['comprehensiveness'])}, sufficiency "
        f"{three(means['sufficiency_random'])} instead of {three(means['sufficiency'])}."
    )


def recipe_texts(training: pd.DataFrame, recipes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """variant -> `rank 8, epochs 5`: what tells the variants of this lake apart; empty where there is one."""
    adapters = training[training["adapter_id"].isin(recipes)]
    plain = {str(row["variant"]): _plain(recipes[row["adapter_id"]]) for row in adapters.to_dict("records")}
    keys = sorted({key for own in plain.values() for key in own})
    differing = [key for key in keys if len({json.dumps(own.get(key)) for own in plain.values()}) > 1]
    if not differing:
        return {}
    return {variant: ", ".join(f"{key} {own.get(key)}" for key in differing) for variant, own in plain.items()}


def _plain(recipe: Mapping[str, Any]) -> dict[str, Any]:
    deciding = TextRecipe.model_validate(recipe).deciding()
    usual_alpha = deciding.get("alpha") == 2 * deciding.get("rank", 0)
    return {key: value for key, value in deciding.items() if key not in SAID and not (key == "alpha" and usual_alpha)}
