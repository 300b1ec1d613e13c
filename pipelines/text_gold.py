"""What is gold told of a dataset of texts besides what it is told of pictures?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gold.steering.inputs import PriorGeneration, TextInputs
from gold.steering.recipes import pair_of
from ood.attacks import KEYWORD
from pipelines.config import Config
from silver.priors.jobs import SOURCES, IgJob, Job
from silver.priors.work import Generation
from silver.truth import truth_named


def text_inputs(config: Config, examples_id: str, embeddings_id: str, attributions_id: str, priors: Mapping[Job, Generation]) -> TextInputs:
    """The generations that the tables about priors and steered training read."""
    name = Path(config.priors.scorer.name or "trained")  # of a folder its last name: where it lies is no part of a result
    return TextInputs(
        examples_id,
        embeddings_id,
        attributions_id,
        tuple(_generation(job, found, name.name if name.is_absolute() else str(name)) for job, found in priors.items()),
        tuple(attack for attack in KEYWORD if attack in config.attacks.names),
        truth_named(config.explanations.truth),
        config.explanations.truth,
    )


def _generation(job: Job, found: Generation, scorer_name: str) -> PriorGeneration:
    if isinstance(job, IgJob):
        return PriorGeneration(found.settings_id, found.scorer, ("ig",), job.chosen, 0, found.leaky, scorer_name, pair_of(job.twin))
    return PriorGeneration(found.settings_id, found.scorer, SOURCES[job.template], job.chosen, job.n, found.leaky, scorer_name)
