"""What do attribution priors cost: training the label scorer, asking it about masked texts, and the gradients of twins?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lake.identity import rng
from models.folder import weight_files
from models.label_scorer.artifact import LabelModel, resolve_label_model
from models.label_scorer.protocol import LabelScorer
from models.label_scorer.scorer import load_label_scorer
from models.label_scorer.settings import Template
from models.label_scorer.train import train_label_scorer
from models.scored_adapter import ScoredAdapter
from models.text_scoring import TextScoring
from models.text_training_data import TextTrainingSet
from pipelines.check.label_scorer import ASKED_BYTES, FEW_MASKS
from pipelines.plan.pace import Pace, pace_of
from silver.priors.extract import answered
from silver.priors.jobs import PriorJob
from silver.priors.scorers import named_model, readable
from silver.priors.settings import PriorSettings
from silver.priors.words import words_of

Asked = tuple[Template, int]  # template, masks of a text


@dataclass(frozen=True)
class PriorCosts:
    """Seconds of one worker with one thread. `training`: a text in one epoch of the label scorer's. `asked`: (template, masks) -> a text.
    `ig`: a text's gradients by a twin. None, and `asked` empty, for what was not timed; `untimed` says why."""

    training: float | None = None
    asked: Mapping[Asked, Pace] = field(default_factory=dict)
    ig: Pace | None = None
    untimed: str = ""

    def with_ig(self, ig: Pace) -> PriorCosts:
        return replace(self, ig=ig)


def prior_costs(
    settings: PriorSettings, labels: Sequence[str], jobs: Sequence[PriorJob], examples: TextTrainingSet, scratch: Path, seconds: float
) -> PriorCosts:
    """Trains the small scorer for a moment where the run trains one, and asks it, or the one by name, about the examples. A model whose
    weights take more than 2 GB is not loaded, and nothing is said of its time."""
    wanted = list(dict.fromkeys((job.template, job.n) for job in jobs))
    if not wanted:
        return PriorCosts()
    training: float | None = None
    if settings.training is not None:
        model, training = _trained(settings, labels, examples, scratch)
        if model is None:
            return PriorCosts(untimed="none of the tried texts fits priors.scorer.train.max_tokens")
    else:
        model = named_model(settings.scorer, labels, settings)
        size = sum(path.stat().st_size for path in weight_files(model.folder))
        if size > ASKED_BYTES:
            return PriorCosts(untimed=f"the label scorer's weights take {size / 1e9:.1f} GB, too many to be loaded for a measurement")
    share = seconds / len(wanted)
    return PriorCosts(training, {own: _asked(settings, model, tuple(labels), own, examples, share) for own in wanted})


def ig_costs(scoring: TextScoring, adapter: ScoredAdapter, steps: int, texts: Sequence[str], seconds: float) -> Pace:
    """The gradients of the IG prior of the first texts, by any adapter."""
    scorer = scoring.scorer(adapter, "float32")

    def work(n: int) -> float:
        started = time.perf_counter()
        scorer.integrated_gradients(scoring.prepare(texts[:n]), np.zeros(n, dtype=np.int64), steps)
        return time.perf_counter() - started

    return pace_of(work, len(texts), seconds)


def _trained(
    settings: PriorSettings, labels: Sequence[str], examples: TextTrainingSet, scratch: Path
) -> tuple[LabelModel | None, float | None]:
    """A scorer of the shape that the run trains, and seconds a text and epoch: the difference between two epochs and four.

    One epoch goes before: the first training of a process is slower than the next by more than an epoch. Where four took no longer
    than two, on a busy machine, the price is that of four with their start: too dear, but not free.
    """
    training = settings.training
    texts, true_labels = ([], []) if training is None else readable(training, examples, labels)
    if training is None or not texts:
        return None, None
    seconds, path = [], scratch
    for epochs in (1, 2, 4):
        before = time.perf_counter()
        short = training.model_copy(update={"epochs": epochs})
        path = train_label_scorer(short, texts, true_labels, labels, scratch, threads=settings.scorer.threads)
        seconds.append(time.perf_counter() - before)
    two, four = seconds[1:]
    return resolve_label_model(str(path)), ((four - two) / 2 if four > two else four / 4) / len(texts)


def _asked(
    settings: PriorSettings, model: LabelModel, labels: tuple[str, ...], own: Asked, examples: TextTrainingSet, seconds: float
) -> Pace:
    """Seconds a text. Where one text with few masks says that one with all takes too long, it is made up from the few."""
    template, n_masks = own
    scorer: LabelScorer = load_label_scorer(model, labels, settings.scoring, template)

    def ask(n: int, masks: int) -> float:
        started = time.perf_counter()
        for text, example_id, label_id in zip(examples.texts[:n], examples.example_ids, examples.label_ids.tolist(), strict=False):
            answered(scorer, words_of(text), labels[label_id], rng(settings.seed, example_id, "masks"), template, settings, masks)
        return time.perf_counter() - started

    few = ask(1, FEW_MASKS) * n_masks / FEW_MASKS
    return pace_of(lambda n: ask(n, n_masks), len(examples), seconds) if few < seconds else Pace(few, 1)
