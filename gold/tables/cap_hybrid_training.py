"""What did each steered training buy: accuracy, faithfulness, robustness? And what does a user get without any adapter?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from gold.aggregates import summed
from gold.frames import Frames
from gold.steering.frames import EXPLAINERS, REFUSED, SCORES, TextFrames
from gold.steering.inputs import PriorGeneration
from gold.steering.recipes import ASKED, LOGISTIC, NOTHING, UNKNOWN, asks_model, behind, choice_columns, described, recipe_of
from gold.steering.selections import Trained, choices_of
from gold.table import TAIL, GoldTable, as_table, count, share, signed
from lake.spec import DATASET, Column, Table
from models.text_recipe import Choice, TextRecipe

SUFFIXES = {"occlusion": "", "ig": "_ig", "random": "_random"}
_MEANINGS = {
    "comprehensiveness": "mean of p(x) - p(x without the top words), over 1, 5, 10, 20, 50 % of the words; higher is more faithful",
    "sufficiency": "mean of p(x) - p(only the top words), over 1, 5, 10, 20, 50 % of the words; lower is more faithful",
    "comprehensiveness_20": "comprehensiveness at 20 % of the words",
    "sufficiency_20": "sufficiency at 20 % of the words",
}
_BY = {
    "occlusion": "words ranked by occlusion, never a training signal",
    "ig": "by integrated gradients, the signal",
    "random": "at random",
}

# What makes a row unique beyond the names in CONTRACTS: recipes may differ in more than these.
_MORE_KEY = ("tuning", "shots_seed", "label_noise_seed", "adapter_id")

SPEC = Table(
    layer="gold",
    name="cap_hybrid_training",
    comment=(
        "one row per training of a text adapter from a recipe, and per choice of training texts one of logistic regression on the frozen "
        "embeddings; empty for pictures"
    ),
    key=("dataset", "setting", "priors", "fusion", "beta", "n_perturbations", "scorer", "seed", *_MORE_KEY),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("setting", "string", "texts trained on: full, 5-shot, 10-shot, …; +share50% a share of them, +noise5% wrong labels"),
        Column("priors", "string", "the arm: none, cap, cap+ig, …, shuffled:cap+ig, random; logistic_regression: no adapter at all"),
        Column("fusion", "string", "how sources become one prior: mean or max; none where there is no source"),
        Column("beta", "double", "weight of the attribution loss; 0 without a prior", low=0.0),
        Column("n_perturbations", "bigint", "masks behind the prior; 0 where no language model is asked", unit="masks", low=0),
        Column(
            "scorer", "string", "hash of the language model behind the prior; none where none is asked, unknown where its priors are gone"
        ),
        Column("seed", "bigint", "seed of the training; 0 for logistic regression, which draws nothing"),
        Column("tuning", "string", "lora or full; none for logistic regression", allowed=("lora", "full", NOTHING)),
        Column("shots_seed", "bigint", "seed that chose the shots; 0 where all texts are used", low=0),
        Column("label_noise_seed", "bigint", "seed that chose the wrong labels; 0 where there are none", low=0),
        Column("adapter_id", "string", "the adapter, as in silver.adapters; none for logistic regression"),
        Column("name", "string", "the recipe's name"),
        Column("scorer_name", "string", "the language model as configured; trained where one is trained here per choice of texts"),
        Column("ig_steps", "bigint", "midpoints of the integrated gradients in the loss; 0 without a prior", low=0),
        Column("pair_id", "string", "hash of the recipe without its prior: trainings that share it are pairs"),
        Column(
            "variant", "string", "hash of what no other column says of the recipe, such as rank and epochs; none for logistic regression"
        ),
        share("accuracy", "share of all clean meta texts (n of them) answered correctly"),
        share(
            "adversarial_accuracy",
            "accuracy under keyword attacks: mean over attacks and severities, of the examined meta texts; an edit of a real text may "
            "change its label",
        ),
        *(
            signed(f"{score}{SUFFIXES[method]}", f"{_MEANINGS[score]}; {_BY[method]}", unit="probability")
            for method in EXPLAINERS
            for score in SCORES
        ),
        Column("seconds", "double", "training time; null for logistic regression", unit="seconds", low=0.0, volatile=True),
        Column("leaky_prior", "boolean", "the scorer saw more labels than the training; null without a prior, and where nobody knows"),
        count("n_train", "texts trained on"),
        *TAIL,
        Column(
            "n_without_prior",
            "bigint",
            "of the texts trained on, those without a prior, which train by cross-entropy alone; null where nothing steers, and where its "
            "priors are gone",
            unit="rows",
            added=True,
        ),
        Column("why_without_prior", "string", "codes in audit.rejected of silver.priors, each with its number of texts", added=True),
        Column(
            "auroc_outside",
            "double",
            "chance that confidence is higher on a meta text than on one of no class (gold.out_of_scope); null where the dataset has none",
            unit="share",
            added=True,
        ),
    ),
)
_REMOVAL = tuple(f"{score}{SUFFIXES[method]}" for method in EXPLAINERS for score in SCORES)
FIGURES = ("accuracy", "adversarial_accuracy", "auroc_outside", *_REMOVAL)


def build(frames: Frames) -> pd.DataFrame:
    """One row per registered adapter with a recipe for texts, and one per distinct choice of texts among them; none without texts."""
    return as_table(SPEC, frames.dataset, [] if frames.text is None else list(_records(frames, frames.text)))


def _records(frames: Frames, text: TextFrames) -> Iterator[dict[str, Any]]:
    recipes = {row["adapter_id"]: (row, recipe_of(row["recipe_settings"])) for row in text.trainings.to_dict("records")}
    figures = _figures(frames, text)
    for adapter_id, (row, recipe) in recipes.items():
        if recipe is not None:
            own = {name: figures.get(name, {}).get(adapter_id) for name in (*FIGURES, "n")}
            about = described(recipe) | _scorer(recipe, text.generations) | _without_prior(recipe, text)
            reason = "; ".join(_reasons(row, own, about, len(frames.separations) > 0)) or None
            minutes = row["minutes"]
            yield {
                **about,
                **own,
                "adapter_id": adapter_id,
                "name": row["name"],
                "seconds": None if pd.isna(minutes) else 60.0 * minutes,
                "n_train": frames.linear[Choice.of(recipe)].n_train,
                "n": own["n"] or 0,
                "reason": reason,
            }
    for choice in choices_of(text.trainings):
        yield _logistic(choice, frames.linear[choice])


def _figures(frames: Frames, text: TextFrames) -> dict[str, dict[Hashable, Any]]:
    """figure -> adapter id -> value."""
    clean = text.answered.set_index("adapter_id")
    attacked = summed(frames.cells[frames.cells["corruption"].isin(text.attacks)], ["adapter_id", "corruption", "severity"])
    confident = frames.separations[frames.separations["score"] == "confidence"]
    found = {
        "accuracy": (clean["n_correct"] / clean["n"]).to_dict(),
        "n": clean["n"].to_dict(),
        "adversarial_accuracy": attacked.groupby("adapter_id")["accuracy"].mean().to_dict(),
        "auroc_outside": confident.set_index("adapter_id")["auroc"].to_dict(),
    }
    for method, suffix in SUFFIXES.items():
        mine = text.explained[text.explained["method"] == method].set_index("adapter_id")
        found |= {f"{score}{suffix}": mine[score].to_dict() for score in SCORES}
    return found


def _scorer(recipe: TextRecipe, generations: tuple[PriorGeneration, ...]) -> dict[str, Any]:
    """Which language model stands behind the recipe's prior, and does it know too much?"""
    if recipe.priors is None or not asks_model(recipe.priors):
        leaky = False if recipe.priors is not None and recipe.priors.sources else None  # a twin saw the same texts
        return {"scorer": NOTHING, "scorer_name": NOTHING, "leaky_prior": leaky}
    mine = [one for one in behind(recipe, generations) if ASKED & set(one.sources)]
    if len({one.scorer for one in mine}) != 1:
        return {"scorer": UNKNOWN, "scorer_name": UNKNOWN, "leaky_prior": None}
    flags = {one.leaky for one in mine}
    leaky = True if True in flags else None if None in flags else False
    return {"scorer": mine[0].scorer, "scorer_name": mine[0].scorer_name, "leaky_prior": leaky}


def _without_prior(recipe: TextRecipe, text: TextFrames) -> dict[str, Any]:
    """How many of the recipe's texts have no prior since one of its sources could not be read of them, and why."""
    mine = behind(recipe, text.generations)
    known = {source for one in mine for source in one.sources}
    if recipe.priors is None or not known >= set(recipe.priors.sources):
        return {"n_without_prior": None, "why_without_prior": None}
    keys = {(one.settings_id, one.scorer, source) for one in mine for source in recipe.priors.sources}
    found = {row[3:] for row in text.refused[list(REFUSED)].itertuples(index=False, name=None) if row[:3] in keys}
    why = ", ".join(f"{code} {n}" for code, n in sorted(Counter(code for _, code in found).items()))
    return {"n_without_prior": len({example_id for example_id, _ in found}), "why_without_prior": why or None}


def _reasons(row: dict[Any, Any], own: dict[str, Any], about: dict[str, Any], has_outside: bool) -> Iterator[str]:
    if row["status"] != "ready":
        yield f"adapter is {row['status']}: {row['reason']}"
    if about["scorer"] == UNKNOWN:
        yield "silver.priors of this run hold none, or those of several scorers, for this recipe"
    lacking = {"accuracy": "no clean rows", "adversarial_accuracy": "no rows of keyword attacks"}
    lacking |= {"auroc_outside": "no answers to inputs of no class"} if has_outside else {}
    lacking |= {f"comprehensiveness{suffix}": f"no removal metrics of {method}" for method, suffix in SUFFIXES.items()}
    yield from (why for name, why in lacking.items() if pd.isna(own[name]))


def _logistic(choice: Choice, found: Trained) -> dict[str, Any]:
    why = "logistic regression reads embeddings: no words to explain, no attacked texts"
    return {
        **dict.fromkeys(name for name in SPEC.column_names if name not in ("dataset", "settings_id")),
        **choice_columns(choice),
        **dict.fromkeys(("fusion", "scorer", "scorer_name", "tuning", "variant", "adapter_id"), NOTHING),
        **dict.fromkeys(("beta", "n_perturbations", "seed", "ig_steps"), 0),
        "priors": LOGISTIC,
        "name": LOGISTIC,
        "accuracy": found.accuracy,
        "auroc_outside": found.separations["confidence"].auroc if found.separations else None,
        "n_train": found.n_train,
        "n": found.n,
        "reason": why if found.reason is None else f"{found.reason}; {why}",
    }


TABLE = GoldTable(SPEC, build)
