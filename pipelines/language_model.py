"""Is the language model that priors are asked of in reach? Told before anything is computed."""

from __future__ import annotations

from collections.abc import Collection

from models.text_recipe import TextRecipe
from pipelines.config import Config

READ_BY = frozenset({"silver", "ood", "gold"})  # layers that need the adapters, and with them their priors' generations


def require_language_model(config: Config, layers: Collection[str]) -> None:
    """Finds the model of `priors.scorer.name` where one of these layers asks it: a run would else pre-train and train for hours before it
    comes to it. Raises MissingInputError where it is neither here nor can be downloaded."""
    from silver.priors.jobs import prior_jobs

    texts = [recipe for recipe in config.adapters.recipes if isinstance(recipe, TextRecipe)]
    if config.priors.scorer.name is None or not READ_BY & set(layers) or not prior_jobs(texts):
        return
    from silver.priors.scorers import require_in_reach

    require_in_reach(config.priors.scorer)
