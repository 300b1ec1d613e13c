"""What do provenance networks of a dataset learn from, and which heads does it have?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bronze.build import Examples, split_frame
from gold.provenance.build import PictureInputs, ProvenanceInputs
from gold.provenance.heads import HeadInputs
from gold.provenance.pictures import META, TRAIN
from lake.door import Lake
from lake.identity import rng, settings_id
from lake.ledger import Ledger
from ood.corruptions import corrupt
from ood.settings import CorruptionSettings
from pipelines.config import Config
from silver.exemplars.plan import ExemplarPlan
from silver.specs import EXEMPLARS, HEADS


def provenance_inputs(
    lake: Lake, ledger: Ledger, examples: Examples, config: Config, artifacts: Path, exemplars: ExemplarPlan | None
) -> ProvenanceInputs:
    """Pictures where the configuration names arms, heads where it names heads."""
    pictures = _pictures(lake, examples, config, artifacts) if config.provenance.arms else None
    return ProvenanceInputs(config.dataset, pictures, None if exemplars is None else _heads(ledger, exemplars, examples))


def _heads(ledger: Ledger, plan: ExemplarPlan, examples: Examples) -> HeadInputs:
    recipes = {
        head.head_id: head.settings.training.model_dump(include={"alpha", "lambda_class", "lambda_index", "teacher_forcing"})
        | {"seed": head.settings.seed}
        for head in plan.usable
        if head.settings is not None
    }
    ids = {head.head_id: settings_id(plan.exemplar_settings(head)) for head in plan.heads}
    there = ledger.state(HEADS, EXEMPLARS)  # what is there, not only what was asked for
    sha256 = settings_id([ids, plan.settings.k, there, examples.inputs(TRAIN, META)])
    return HeadInputs(plan.dataset, plan.examples_id, plan.embeddings_id, ids, recipes, plan.settings.k, sha256)


def _pictures(lake: Lake, examples: Examples, config: Config, artifacts: Path) -> PictureInputs:
    """The pictures of both splits, and how those of meta are corrupted: at 28 x 28 pixels, noise keyed by the example as in ood."""
    asked = "robustness" in config.provenance.applications
    cells = CorruptionSettings(names=config.provenance.corruptions).cells() if asked else ()
    seed = config.corruptions.seed

    def changed(picture: NDArray[np.uint8], example_id: str, name: str, severity: int) -> NDArray[np.uint8]:
        return corrupt(picture, name, severity, rng(seed, example_id, name, severity))

    return PictureInputs(
        frame=lambda: split_frame(lake, examples.dataset, examples.settings_id, TRAIN, META),
        sha256=examples.inputs(TRAIN, META),
        n_classes=len(examples.labels),
        limits=config.decode.limits(),
        cells=tuple(cell for cell in cells if cell[1] > 0),
        corrupt=changed,
        shift_settings={"seed": seed},
        artifacts=artifacts,
    )
