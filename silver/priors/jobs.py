"""Which priors do these recipes need? Each distinct piece of work once, known before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from lake.identity import canonical_json, settings_id
from models.label_scorer.settings import Template
from models.text_recipe import Source, TextRecipe, twin_of
from models.text_selection import Selection, selected
from models.text_training_data import TextTrainingSet

# Sources that are read from one call of the scorer. Both of `plain` are always made together: what LIME says in its last bits must not
# depend on whether SHAP was asked for too.
SOURCES: Mapping[Template, tuple[Source, ...]] = {"labelled": ("cap",), "plain": ("lime", "shap")}


@dataclass(frozen=True)
class Chosen:
    """Which examples of adapter_train a recipe trains on and under which labels. Seeds of what is not drawn are 0."""

    train_share: float = 1.0
    shots: int | None = None
    shots_seed: int = 0
    label_noise: float = 0.0
    label_noise_seed: int = 0

    @staticmethod
    def of(recipe: TextRecipe) -> Chosen:
        """The recipe's choice; recipes that differ in nothing else share their priors."""
        shots_seed = 0 if recipe.shots is None else recipe.shots_seed
        return Chosen(
            recipe.train_share, recipe.shots, shots_seed, recipe.label_noise, recipe.label_noise_seed if recipe.label_noise else 0
        )

    def selection(self, train: TextTrainingSet, n_labels: int) -> Selection:
        """The examples under the labels that are trained, wrong ones too."""
        return selected(TextRecipe.model_validate({"name": "chosen", **asdict(self)}), train, n_labels)

    def settings(self, selection: Selection) -> dict[str, object]:
        """What of the choice defines a row of silver.priors. Which labels are wrong can change for an example when the data grow, so
        they count themselves; which examples there are does not, so growing data keep their rows."""
        if not selection.wrong_ids:
            return asdict(self)
        label_of = dict(zip(selection.examples.example_ids, selection.examples.label_ids.tolist(), strict=True))
        return asdict(self) | {"wrong_labels": settings_id([[own, label_of[own]] for own in selection.wrong_ids])}


@dataclass(frozen=True)
class PriorJob:
    """What a language model is asked: one template, with n masks per text, about the chosen examples."""

    chosen: Chosen
    n: int
    template: Template


@dataclass(frozen=True)
class IgJob:
    """The IG prior of one cross-entropy-only twin, which must be trained first. `key` is the twin's settings without its name."""

    key: str
    twin: TextRecipe = field(compare=False)

    @property
    def chosen(self) -> Chosen:
        return Chosen.of(self.twin)


Job = PriorJob | IgJob


def jobs_of(recipe: TextRecipe) -> dict[Job, tuple[Source, ...]]:
    """The jobs whose rows steer this recipe, each with the sources it reads there; none without sources (`ce`, the control `random`)."""
    wanted = () if recipe.priors is None else recipe.priors.sources
    found: dict[Job, tuple[Source, ...]] = {}
    for template, sources in SOURCES.items():
        if recipe.priors is not None and (own := tuple(source for source in sources if source in wanted)):
            found[PriorJob(Chosen.of(recipe), recipe.priors.n, template)] = own
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
