"""What do provenance networks of the dataset's pictures learn from?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bronze.build import Examples, split_frame
from gold.provenance.build import ProvenanceInputs
from gold.provenance.pictures import META, TRAIN
from lake.door import Lake
from lake.identity import rng
from ood.corruptions import corrupt
from ood.settings import CorruptionSettings
from pipelines.config import Config


def provenance_inputs(lake: Lake, examples: Examples, config: Config, artifacts: Path) -> ProvenanceInputs:
    """The pictures of both splits, and how those of meta are corrupted: at 28 x 28 pixels, noise keyed by the example as in ood."""
    asked = "robustness" in config.provenance.applications
    cells = CorruptionSettings(names=config.provenance.corruptions).cells() if asked else ()
    seed = config.corruptions.seed

    def changed(picture: NDArray[np.uint8], example_id: str, name: str, severity: int) -> NDArray[np.uint8]:
        return corrupt(picture, name, severity, rng(seed, example_id, name, severity))

    return ProvenanceInputs(
        dataset=config.dataset,
        frame=lambda: split_frame(lake, examples.dataset, examples.settings_id, TRAIN, META),
        sha256=examples.inputs(TRAIN, META),
        n_classes=len(examples.labels),
        limits=config.decode.limits(),
        cells=tuple(cell for cell in cells if cell[1] > 0),
        corrupt=changed,
        shift_settings={"seed": seed},
        artifacts=artifacts,
    )
