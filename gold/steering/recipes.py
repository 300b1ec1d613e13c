"""What does a recipe say about a training, in the words of gold's tables?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from gold.steering.inputs import PriorGeneration
from lake.identity import settings_id
from models.text_recipe import Choice, PriorRecipe, TextRecipe, twin_of

NOTHING = "none"  # where a key column has nothing to name: keys are never null
UNKNOWN = "unknown"  # a language model whose generation of silver.priors is not among those of this run
LOGISTIC = "logistic_regression"
ASKED = frozenset({"cap", "lime", "shap"})  # sources that a language model is asked for, with n masks; ig asks a twin
SEEDS = frozenset({"seed", "shots_seed", "label_noise_seed"})
OF_SETTING = frozenset({"shots", "train_share", "label_noise", "tuning"})


def setting_of(choice: Choice) -> str:
    """`full` or `5-shot`, with `+share50%` and `+noise5%` where there is any."""
    parts = ["full" if choice.shots is None else f"{choice.shots}-shot"]
    parts += [f"share{100 * choice.train_share:g}%"] if choice.train_share < 1 else []
    parts += [f"noise{100 * choice.label_noise:g}%"] if choice.label_noise else []
    return "+".join(parts)


def choice_columns(choice: Choice) -> dict[str, object]:
    """The three columns that name the choice in every table."""
    return {"setting": setting_of(choice), "shots_seed": choice.shots_seed, "label_noise_seed": choice.label_noise_seed}


def recipe_of(settings: object) -> TextRecipe | None:
    """The recipe of a `recipe_settings`; None for null, and for one that is none of ours (a manifest of another make)."""
    if not isinstance(settings, str):
        return None
    try:
        return TextRecipe.model_validate_json(settings)
    except ValidationError:
        return None


def pair_of(recipe: TextRecipe) -> str:
    """What trainings share that differ in nothing but their prior, and their twin with them."""
    return settings_id(twin_of(recipe).deciding())


def behind(recipe: TextRecipe, generations: Iterable[PriorGeneration]) -> list[PriorGeneration]:
    """The generations of silver.priors that steer this recipe: those about its texts, with its masks, of a source it reads; of ig its
    twin's."""
    if recipe.priors is None:
        return []
    choice, sources, n, pair = Choice.of(recipe), set(recipe.priors.sources), recipe.priors.n, pair_of(recipe)
    mine = (one for one in generations if one.choice == choice and sources & set(one.sources))
    return [one for one in mine if (one.pair_id == pair if one.sources == ("ig",) else one.n == n)]


def described(recipe: TextRecipe) -> dict[str, Any]:
    """The columns that one training has from its recipe alone.

    `pair_id`: hash of the recipe without its prior, so that trainings that differ in nothing else share it; the same as the twin's.
    `variant`: hash of what no other column says (rank, epochs, learning rate, …), so that trainings are averaged over seeds alone.
    """
    plain = twin_of(recipe).deciding()
    rest = {key: value for key, value in plain.items() if key not in SEEDS | OF_SETTING}
    return {
        **choice_columns(Choice.of(recipe)),
        **_prior(recipe.priors),
        "seed": recipe.seed,
        "tuning": recipe.tuning,
        "pair_id": pair_of(recipe),
        "variant": settings_id(rest),
    }


def asks_model(priors: PriorRecipe | None) -> bool:
    """True where a language model was asked for the prior."""
    return priors is not None and bool(ASKED & set(priors.sources))


def _prior(priors: PriorRecipe | None) -> dict[str, object]:
    """Arm, fusion, beta, masks and steps; `none` and 0 for what has no part in the prior."""
    if priors is None:
        return {"priors": NOTHING, "fusion": NOTHING, "beta": 0.0, "n_perturbations": 0, "ig_steps": 0}
    return {
        "priors": priors.arm,
        "fusion": priors.fusion if priors.sources else NOTHING,
        "beta": priors.beta,
        "n_perturbations": priors.n if asks_model(priors) else 0,
        "ig_steps": priors.ig_steps,
    }


def sources_of(arm: str) -> tuple[str, ...]:
    """The sources that an arm's name holds: none for `none`, `random` and `logistic_regression`."""
    names = arm.removeprefix("shuffled:")
    return () if names in (NOTHING, "random", LOGISTIC) else tuple(names.split("+"))


def is_shuffled(arm: str) -> bool:
    """True for the control that moves a prior's numbers to other words."""
    return arm.startswith("shuffled:")
