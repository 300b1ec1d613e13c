"""How much hangs on beta, on the number of masks, on fusion by mean or max, and on wrong labels?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_arms import GRID, KEY, Arm, arms_of, setting_order, usual, without_noise
from results_numbers import difference
from results_steering import Steering

from gold.settings import GoldSettings
from gold.steering.pairs import mean_of, verdict_of

GRIDS = ("accuracy", "comprehensiveness")
FUSED = ("accuracy", "adversarial_accuracy", "comprehensiveness", "sufficiency")
LOWER_IS_BETTER = frozenset({"sufficiency"})


def sensitivity_section(steering: Steering) -> str:
    """Markdown: a beta x masks grid per arm that has several, mean against max, and wrong labels; empty where the lake holds none."""
    arms = arms_of(steering.arms)
    parts = [*grids(arms), *fusions(steering.training, steering.settings), *noise(arms)]
    if not parts:
        return "The lake holds one value of beta, of masks and of fusion per arm, and no wrong labels: nothing to compare."
    return "\n\n".join(parts)


def grids(arms: Sequence[Arm]) -> list[str]:
    """For every arm with several beta or numbers of masks: figures by beta (rows) and masks (columns), and arm `none` beside them."""
    parts = []
    for about, mine in _alike(arms, ("beta", "n_perturbations")):
        betas, masks = (sorted({arm.about[name] for arm in mine}) for name in ("beta", "n_perturbations"))
        if len(betas) * len(masks) == 1:
            continue
        by_cell = {(arm.about["beta"], arm.about["n_perturbations"]): arm for arm in mine}
        fusion = f", fusion {about['fusion']}" if "+" in str(about["priors"]) else ""
        for metric in GRIDS:
            rows = [[f"beta {beta:g}", *(_level(by_cell.get((beta, n)), metric) for n in masks)] for beta in betas]
            table = grid(["", *(f"n {n}" for n in masks)], rows).rstrip()
            parts.append(
                f"{about['setting']}, {about['priors']}{fusion}: {metric} by beta and masks{_beside(arms, mine[0], metric)}:\n\n{table}"
            )
    return parts


def _alike(arms: Sequence[Arm], but: tuple[str, ...]) -> list[tuple[dict[str, Any], list[Arm]]]:
    """Arms with a prior that share all of KEY but these."""
    found: dict[tuple[Any, ...], list[Arm]] = {}
    names = [name for name in KEY if name not in but]
    for arm in arms:
        if arm.has_prior:
            found.setdefault(tuple(arm.about[name] for name in names), []).append(arm)
    return [(dict(zip(names, key, strict=True)), mine) for key, mine in found.items()]


def _level(arm: Arm | None, metric: str) -> str:
    return "" if arm is None else arm.level(metric)


def _beside(arms: Sequence[Arm], one: Arm, metric: str) -> str:
    """The level of `none` in the same setting and recipe, where there is one."""
    plain = [
        arm for arm in arms if arm.priors == "none" and all(arm.about[name] == one.about[name] for name in ("setting", "tuning", "variant"))
    ]
    return f" (`none`: {plain[0].level(metric)})" if plain else ""


def fusions(training: pd.DataFrame, settings: GoldSettings) -> list[str]:
    """Max minus mean of trainings that share all but the way of fusion, paired; nothing where only one way was trained."""
    shared = ["setting", "priors", "beta", "n_perturbations", "scorer_name", "tuning", "ig_steps", "variant"]
    rows = []
    for key, part in training.groupby(shared, sort=True):
        ways = {way: own.set_index("pair_id") for way, own in part.groupby("fusion")}
        if {"mean", "max"} <= set(ways):
            cells = [_max_over_mean(ways["max"], ways["mean"], metric, settings) for metric in FUSED]
            rows.append([str(key[0]), str(key[1]), f"{key[2]:g}", f"{key[3]}", *cells])
    if not rows:
        return []
    rows.sort(key=lambda row: (setting_order(row[0]), row[1:4]))
    titles = ["setting", "arm", "beta", "masks", "accuracy", "robustness", "comprehensiveness", "sufficiency"]
    return [f"Fusion: `max` minus `mean`, over pairs of trainings that share all else:\n\n{grid(titles, rows).rstrip()}"]


def _max_over_mean(most: pd.DataFrame, mean: pd.DataFrame, metric: str, settings: GoldSettings) -> str:
    differences = (most[metric] - mean[metric]).dropna().astype("float64").tolist()
    found = mean_of(differences)
    higher = metric not in LOWER_IS_BETTER
    said = verdict_of(differences, higher, settings.confidence_level, settings.steering.min_pairs)
    return difference(found.mean, found.standard_error, found.n, said)


def noise(arms: Sequence[Arm]) -> list[str]:
    """Accuracy of every arm by the share of wrong labels; nothing where all labels were true."""
    noisy = {without_noise(arm.setting) for arm in arms if arm.setting != without_noise(arm.setting)}
    parts = []
    for base in sorted(noisy, key=setting_order):
        mine = [arm for arm in usual(arms) if without_noise(arm.setting) == base]
        settings = sorted({arm.setting for arm in mine}, key=setting_order)
        rows: dict[tuple[str, ...], dict[str, Arm]] = {}
        for arm in mine:
            name = (arm.priors, arm.prior_settings, *(str(arm.about[key]) for key in KEY if key not in ("setting", *GRID)))
            rows.setdefault(name, {})[arm.setting] = arm
        shown = [[*name[:2], *(_level(found.get(setting), "accuracy") for setting in settings)] for name, found in rows.items()]
        parts.append(
            f"Wrong labels among the training texts of {base} (validation and meta stay true), accuracy:\n\n"
            + grid(["arm", "prior", *settings], shown).rstrip()
        )
    return parts
