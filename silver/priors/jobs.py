"""Which priors do these recipes need? Each distinct piece of work once, known before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lake.identity import canonical_json
from models.label_scorer.settings import Template
from models.text_recipe import Choice, Source, TextRecipe, twin_of

# Sources that are read from one call of the scorer. Both of `plain` are always made together: what LIME says in its last bits must not
# depend on whether SHAP was asked for too.
SOURCES: Mapping[Template, tuple[Source, ...]] = {"labelled": ("cap",), "plain": ("lime", "shap")}


@dataclass(frozen=True)
class PriorJob:
    """What a language model is asked: one template, with n masks per text, about the chosen examples."""

    chosen: Choice
    n: int
    template: Template


@dataclass(frozen=True)
class IgJob:
    """The IG prior of one cross-entropy-only twin, which must be trained first. `key` is the twin's settings without its name."""

    key: str
    twin: TextRecipe = field(compare=False)

    @property
    def chosen(self) -> Choice:
        return Choice.of(self.twin)


Job = PriorJob | IgJob


def jobs_of(recipe: TextRecipe) -> dict[Job, tuple[Source, ...]]:
    """The jobs whose rows steer this recipe, each with the sources it reads there; none without sources (`ce`, the control `random`)."""
    wanted = () if recipe.priors is None else recipe.priors.sources
    found: dict[Job, tuple[Source, ...]] = {}
    for template, sources in SOURCES.items():
        if recipe.priors is not None and (own := tuple(source for source in sources if source in wanted)):
            found[PriorJob(Choice.of(recipe), recipe.priors.n, template)] = own
    if "ig" in wanted:
        twin = twin_of(recipe)
        found[IgJob(_key(twin), twin)] = ("ig",)
    return found


def prior_jobs(recipes: Iterable[TextRecipe]) -> tuple[PriorJob, ...]:
    """What the language model must be asked for all of these, each job once, in the order of the recipes."""
    return tuple(dict.fromkeys(job for recipe in recipes for job in jobs_of(recipe) if isinstance(job, PriorJob)))


def ig_jobs(recipes: Iterable[TextRecipe]) -> tuple[IgJob, ...]:
    """The IG priors that all of these need, each twin once. Where one of the recipes is the twin itself (arm `none` of the same
    settings), that recipe is the job's twin, under its own name: it is trained anyway."""
    recipes = tuple(recipes)
    plain = {_key(recipe): recipe for recipe in reversed(recipes) if recipe.kind == "ce"}
    jobs = dict.fromkeys(job for recipe in recipes for job in jobs_of(recipe) if isinstance(job, IgJob))
    return tuple(IgJob(job.key, plain.get(job.key, job.twin)) for job in jobs)


def twins(recipes: Iterable[TextRecipe]) -> list[TextRecipe]:
    """The cross-entropy recipes that must be trained before the IG priors of these can be made; some may be among the recipes."""
    return [job.twin for job in ig_jobs(recipes)]


def _key(recipe: TextRecipe) -> str:
    return canonical_json(recipe.deciding())
