"""How many training texts does a recipe see, and how many rows have the priors that steer it?"""

from __future__ import annotations

from models.text_recipe import Choice, TextRecipe
from silver.priors.jobs import SOURCES, IgJob, Job


def n_chosen(recipe: TextRecipe | Choice, n_train: int, n_labels: int) -> int:
    """Training texts that a recipe, or a choice of texts, sees: its share, and of each label no more than its shots."""
    kept = round(recipe.train_share * n_train)
    return kept if recipe.shots is None else min(kept, recipe.shots * n_labels)


def rows_of_job(job: Job, n_train: int, n_labels: int) -> int:
    """Rows of silver.priors that one piece of work makes: a row per chosen text and source."""
    return n_chosen(job.chosen, n_train, n_labels) * (1 if isinstance(job, IgJob) else len(SOURCES[job.template]))
