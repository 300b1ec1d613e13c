"""How well does each arm's doubt tell texts of no class apart? Rendered where the lake holds gold.out_of_scope, whatever its scores are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from docs_markdown import grid
from results_arm_sentences import on_logistic
from results_arm_tables import recipe_texts
from results_arms import FAMILIES, arms_of, family_of, metrics_of, prior_settings, setting_order, usual
from results_numbers import NOTHING, with_error
from results_steering import OUTSIDE, Steering

from gold.steering.pairs import mean_of

FIGURES = {"auroc": "AUROC (0.5 knows nothing)", "fpr95": "share let in where 95 % of meta are (lower is better)"}
METRIC = "auroc_outside"  # of gold.cap_hybrid_arms: AUROC of the confidence


def outside_section(steering: Steering) -> str:
    """Markdown: AUROC of each score by arm, mean ± standard error over trainings, and whether logistic regression is beaten."""
    frame = steering.outside
    if frame is None or frame.empty:
        return "Texts of no class: the lake judges none."
    variants = dict(zip(steering.training["adapter_id"], steering.training["variant"], strict=True))
    known = frame.assign(
        priors=frame["priors"].astype(object).where(frame["priors"].notna(), "no recipe"),
        tuning=frame["tuning"].astype(object).where(frame["tuning"].notna(), NOTHING),
        variant=["" if name == "none" else variants.get(name, "") for name in frame["adapter_id"]],
    )
    recipes = recipe_texts(steering.training, steering.recipes)
    n_out = int(frame["n_out"].max())
    head = (
        f"{n_out:,} texts of no class, which no adapter learned, against clean texts of meta (`{OUTSIDE}`). Mean ± standard error over "
        "trainings; the chance of the texts is not in it. Each tuning and each recipe has a row of its own."
    )
    parts = [head, *(f"{title}:\n\n{_table(known, figure, recipes)}" for figure, title in FIGURES.items() if figure in known.columns)]
    arms = usual(arms_of(steering.arms))
    if METRIC in metrics_of(arms):
        parts.append(f"Against logistic regression on the same training texts, AUROC of the confidence:\n\n{on_logistic(arms, METRIC)}")
    return "\n\n".join(parts)


def _table(frame: pd.DataFrame, figure: str, recipes: Mapping[str, str]) -> str:
    """Rows: arms, one per tuning and recipe; columns: scores. `recipes`: variant -> what tells it apart from others, where there are
    several."""
    scores = sorted(frame["score"].unique())
    rows: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for one in sorted(frame.to_dict("records"), key=_order):
        key = (str(one["setting"]), str(one["priors"]), prior_settings(one), str(one["tuning"]), str(one["variant"]))
        cells = rows.setdefault(key, {})
        cells.setdefault(str(one["score"]), []).extend([] if pd.isna(one[figure]) else [float(one[figure])])
    lines = []
    for (*name, tuning, variant), cells in rows.items():
        means = [mean_of(cells.get(score, [])) for score in scores]
        told = [NOTHING if tuning == "none" else tuning, *([recipes.get(variant, "")] if recipes else [])]
        figures = (with_error(found.mean, found.standard_error) for found in means)
        lines.append([*name, *told, f"{max(found.n for found in means)}", *figures])
    return grid(["setting", "arm", "prior", "tuning", *(["recipe"] if recipes else []), "trainings", *scores], lines).rstrip()


def _order(one: Mapping[Any, Any]) -> tuple[Any, ...]:
    family = family_of(str(one["priors"]))
    return (
        setting_order(str(one["setting"])),
        FAMILIES.index(family),
        str(one["priors"]),
        prior_settings(one),
        one["tuning"],
        one["variant"],
    )
