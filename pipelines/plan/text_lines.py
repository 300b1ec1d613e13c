"""How long would a plan for texts take, and how much would it write? Counts times measured costs, plus what every run pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bronze.specs import EMBEDDINGS, EXAMPLES, SHIFTED
from models.text_recipe import Choice, TextRecipe
from ood.specs import ATTACKED_TEXTS
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.check.tried_texts import text_shape
from pipelines.plan.calibrate_texts import TextCosts
from pipelines.plan.estimate import INGEST_SECONDS, STAGE_SECONDS, WORKER_SECONDS, Line, Machine, longest, stage_line
from pipelines.plan.prior_costs import PriorCosts
from pipelines.plan.text_counts import n_chosen
from pipelines.plan.text_forwards import PerText, training_forwards
from pipelines.plan.text_training_costs import TextTrainingCosts
from silver.priors.jobs import IgJob, PriorJob
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, OUTSIDE_PREDICTIONS, PREDICTIONS, PRIORS


@dataclass(frozen=True)
class TextSize:
    """How much there is to do.

    `n_train`, `n_val`, `n_meta`: examples of these splits. `n_adapters`: that are scored; `n_new_adapters`: to check and merge. `to_do`:
    table -> rows. `rows_per_text`: table -> rows of one text (and adapter). `forwards`: per text and adapter. `plain`, `twins`,
    `steered`: recipes to train, the twins of IG priors apart. `jobs`, `ig_jobs`: priors of `steered`; `asked`: masked texts of one text
    for each job. `scorer_epochs`: of the label scorer that is trained, 0 where none is. `pretrain_texts`: texts times epochs.
    """

    n_train: int
    n_val: int
    n_meta: int
    n_labels: int
    n_adapters: int
    n_new_adapters: int
    to_do: Mapping[str, int]
    rows_per_text: Mapping[str, int]
    forwards: PerText
    plain: tuple[TextRecipe, ...]
    twins: tuple[TextRecipe, ...]
    steered: tuple[TextRecipe, ...]
    jobs: tuple[PriorJob, ...]
    ig_jobs: tuple[IgJob, ...]
    asked: Mapping[PriorJob, float]
    ig_steps: int
    scorer_epochs: int
    pretrain_texts: int
    chunk_rows: int

    def chosen(self, choice: Choice | TextRecipe) -> int:
        """Training texts of a recipe, or of a choice of texts."""
        return n_chosen(choice, self.n_train, self.n_labels)


def text_lines(
    size: TextSize, costs: TextCosts, training: TextTrainingCosts, priors: PriorCosts, pretrain_pace: float, machine: Machine
) -> list[Line]:
    """A line per stage that has something to do, fixed parts included; in the order of the run."""
    lines = [
        _bronze(EXAMPLES.full_name, 0, INGEST_SECONDS - STAGE_SECONDS, size, costs, machine),
        _bronze(SHIFTED.full_name, 0, INGEST_SECONDS - STAGE_SECONDS, size, costs, machine),
        Line("backbone.pretrain", 0, 3 * size.pretrain_texts, pretrain_pace * size.pretrain_texts, 0.0),
        _bronze(EMBEDDINGS.full_name, 1, WORKER_SECONDS, size, costs, machine),
        _priors(size, priors, costs, machine),
        _training(size, training, costs, machine),
        _predicted(PREDICTIONS.full_name, size, costs, machine),
        _predicted(OUTSIDE_PREDICTIONS.full_name, size, costs, machine),
        _scored(ATTRIBUTIONS.full_name, size.forwards.attributions, size, costs, machine),
        _scored(EXPLANATION_METRICS.full_name, size.forwards.metrics, size, costs, machine),
        _scored(ATTACKED_TEXTS.full_name, 0, size, costs, machine),
        _shifted(size, costs, machine),
    ]
    return [line for line in lines if line.seconds or line.untimed]


def _bronze(stage: str, forwards: int, fixed: float, size: TextSize, costs: TextCosts, machine: Machine) -> Line:
    rows = size.to_do.get(stage, 0)
    like = EXAMPLES.full_name if stage == SHIFTED.full_name else stage  # read and judged alike
    seconds = rows * costs.stages[like].seconds * costs.crowding
    return stage_line(stage, rows, rows * forwards, seconds, machine, size.chunk_rows, fixed)


def _predicted(stage: str, size: TextSize, costs: TextCosts, machine: Machine) -> Line:
    """Answers to clean texts, of no class or of classes alike: an adapter is loaded for the first of them."""
    rows = size.to_do.get(stage, 0)
    first = stage == PREDICTIONS.full_name or not size.to_do.get(PREDICTIONS.full_name)
    loads = costs.load * size.n_adapters * machine.workers if first else 0.0
    seconds = rows * costs.stages[PREDICTIONS.full_name].seconds * costs.crowding + loads
    return stage_line(stage, rows, rows, seconds, machine, size.chunk_rows)


def _scored(stage: str, forwards: float, size: TextSize, costs: TextCosts, machine: Machine) -> Line:
    """`forwards`: of one text under one adapter."""
    rows = size.to_do.get(stage, 0)
    texts = rows / size.rows_per_text[stage]
    seconds = texts * costs.stages[stage].seconds * costs.crowding
    return stage_line(stage, rows, texts * forwards, seconds, machine, size.chunk_rows)


def _shifted(size: TextSize, costs: TextCosts, machine: Machine) -> Line:
    """Every row is a prediction; texts are edited once for all adapters."""
    rows = size.to_do.get(OOD_PREDICTIONS.full_name, 0)
    edits = size.n_meta * costs.stages[ATTACKED_TEXTS.full_name].seconds
    seconds = (rows * costs.stages[PREDICTIONS.full_name].seconds + edits) * costs.crowding
    return stage_line(OOD_PREDICTIONS.full_name, rows, rows, seconds, machine, size.chunk_rows)


def _priors(size: TextSize, priors: PriorCosts, costs: TextCosts, machine: Machine) -> Line:
    """The small scorer is trained by the driver, for each choice of texts anew; texts are asked about by all workers, the gradients of each
    twin are one task. The twins themselves are in silver.adapters."""
    forwards = sum(masked * size.chosen(job.chosen) for job, masked in size.asked.items())
    forwards += sum(size.ig_steps * size.chosen(job.chosen) for job in size.ig_jobs)
    line = stage_line(PRIORS.full_name, size.to_do.get(PRIORS.full_name, 0), forwards, 0.0, machine, size.chunk_rows)
    if not line.rows or priors.untimed:
        return replace(line, seconds=0.0, untimed=priors.untimed if line.rows else "")
    learnt = sum(size.chosen(chosen) for chosen in dict.fromkeys(job.chosen for job in size.jobs))
    trained = (priors.training or 0.0) * size.scorer_epochs * learnt
    asked = sum(priors.asked[job.template, job.n].seconds * size.chosen(job.chosen) for job in size.jobs) * costs.crowding
    ig = 0.0 if priors.ig is None else priors.ig.seconds * sum(size.chosen(job.chosen) for job in size.ig_jobs)
    generations = len(size.jobs) + len(size.ig_jobs)  # each has commits of its own
    return replace(line, seconds=line.seconds + STAGE_SECONDS * (generations - 1) + trained + asked / machine.workers + ig)


def _training(size: TextSize, training: TextTrainingCosts, costs: TextCosts, machine: Machine) -> Line:
    """What nothing steers first, then twins, then what is steered; recipes are tasks, so that a phase's last wave may leave workers idle.

    With more threads than one, tasks share the cores: as if only as many ran at once as have cores for their threads.
    """
    together = max(1, machine.workers // training.threads)
    phases = (size.plain, size.twins, size.steered)
    spent = sum(_phase(recipes, size, training, costs, together) for recipes in phases)
    forwards = sum(training_forwards(recipe, size.chosen(recipe), size.n_val) for recipes in phases for recipe in recipes)
    n_trained = sum(map(len, phases))
    bytes_ = size.n_new_adapters * training.merged_bytes + n_trained * training.adapter_bytes
    fixed = STAGE_SECONDS if size.n_new_adapters else 0.0
    return Line("silver.adapters", size.n_new_adapters, forwards, spent + size.n_new_adapters * training.judge / 2 + fixed, bytes_)


def _phase(recipes: Sequence[TextRecipe], size: TextSize, training: TextTrainingCosts, costs: TextCosts, together: int) -> float:
    validated = size.n_val * costs.stages[PREDICTIONS.full_name].seconds
    seconds = []
    for recipe in recipes:
        pace = training.paces[text_shape(recipe)]
        seconds.append(pace.start + recipe.epochs * (size.chosen(recipe) * pace.text + validated))
    crowd = costs.crowding if min(len(recipes), together) > 1 else 1.0
    return longest(seconds, together) * crowd if seconds else 0.0
