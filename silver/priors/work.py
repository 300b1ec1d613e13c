"""What are the priors of one dataset made from, and what defines each generation of them?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from lake.identity import settings_id
from models.label_scorer.artifact import LabelModel
from models.label_scorer.scorer import ENGINE
from models.label_scorer.settings import Template
from models.text_recipe import Choice
from models.text_scoring import TEXT_LIBRARIES, TextScoring
from models.text_selection import Selection, selected
from models.text_training_data import TextTrainingSet
from models.training_data import check_labels
from silver.priors.jobs import IgJob, PriorJob
from silver.priors.scorers import Scorer, named_model, scorer_of, trained_model
from silver.priors.settings import PriorSettings


@dataclass(frozen=True)
class PriorWork:
    """`examples_id`: settings_id of the dataset's bronze.examples; `train`, `val`: its splits adapter_train and adapter_val, whole;
    `artifacts`: a folder that driver and workers reach under one path, below which scorers are trained."""

    dataset: str
    labels: tuple[str, ...]
    examples_id: str
    train: TextTrainingSet
    val: TextTrainingSet
    settings: PriorSettings
    artifacts: Path

    def selection(self, chosen: Choice) -> Selection:
        """The chosen examples. ArtifactError `label_unknown` where one has a label outside the label space."""
        check_labels(self.labels, self.train)
        return selected(chosen, self.train, len(self.labels))


@dataclass
class Scorers:
    """The scorer of each choice of examples: a model by name is found and hashed once per run, others are trained where lacking."""

    work: PriorWork
    named: LabelModel | None = None
    trained: dict[Choice, Scorer] = field(default_factory=dict)

    def of(self, chosen: Choice, selection: Selection) -> Scorer:
        settings, labels = self.work.settings, self.work.labels
        if settings.scorer.name is not None:
            self.named = self.named or named_model(settings.scorer, labels, settings)
            return scorer_of(self.named, selection.examples, labels)
        if chosen not in self.trained:
            folder = self.work.artifacts / "label-scorers" / self.work.dataset
            model = trained_model(settings, selection.examples, labels, folder)
            self.trained[chosen] = scorer_of(model, selection.examples, labels)
        return self.trained[chosen]


@dataclass(frozen=True)
class Generation:
    """The rows of one job: their settings_id and scorer, and whether the scorer knew more than the target (None: unknown)."""

    settings_id: str
    scorer: str
    leaky: bool | None


def prior_settings(work: PriorWork, job: PriorJob, selection: Selection, scorer: Scorer) -> dict[str, object]:
    """All that defines a row of cap, or of lime and shap. Fits of the other template do not count: a change of LIME's keeps CAP's rows."""
    own = work.settings
    fits: dict[Template, dict[str, object]] = {"labelled": {"cap": own.cap}, "plain": {"lime": own.lime, "shap": own.shapley}}
    return _base(work, job.chosen, selection, scorer.scorer_id) | {
        "template": job.template,
        "labels": work.labels,
        "scoring": own.scoring,
        "engine": ENGINE,
        "masking": own.masking(job.n),
        "seed": own.seed,
        "fits": fits[job.template],
        "leaky_prior": scorer.leaky,
    }


def ig_settings(work: PriorWork, job: IgJob, selection: Selection, scoring: TextScoring, scorer: str) -> dict[str, object]:
    """All that defines a row of ig. The twin's id knows its labels, backbone and weights."""
    base = _base(work, job.chosen, selection, scorer)
    return base | {"scoring": scoring.settings() | {"dtype": "float32"}, "ig_steps": work.settings.ig_steps}


def choice_settings(choice: Choice, selection: Selection) -> dict[str, object]:
    """What of the choice defines a row of silver.priors. Which labels are wrong can change for an example when the data grow, so they
    count themselves; which examples there are does not, so growing data keep their rows."""
    if not selection.wrong_ids:
        return asdict(choice)
    label_of = dict(zip(selection.examples.example_ids, selection.examples.label_ids.tolist(), strict=True))
    return asdict(choice) | {"wrong_labels": settings_id([[own, label_of[own]] for own in selection.wrong_ids])}


def _base(work: PriorWork, chosen: Choice, selection: Selection, scorer: str) -> dict[str, object]:
    libraries = {name: version(name) for name in TEXT_LIBRARIES}
    return {"examples": work.examples_id, "chosen": choice_settings(chosen, selection), "scorer": scorer, "libraries": libraries}
