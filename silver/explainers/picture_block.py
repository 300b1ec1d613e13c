"""How is a batch of pictures explained? By the attention of the forward that predicts; all else is open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.any_scoring import Logits
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from silver.explainers.block import Explained, PerUnit
from silver.methods import MethodSettings
from xai.attribution import attention


@dataclass(frozen=True)
class PictureBlock:
    """Pictures float32[n, 3, s, s] under one adapter."""

    scoring: Scoring
    adapter: ScoredAdapter
    inputs: NDArray[np.float32]
    example_ids: tuple[str, ...]
    methods: tuple[str, ...]
    settings: MethodSettings
    aimed: NDArray[np.int64] | None = None  # the class to explain of each; attention has none

    @cached_property
    def clean(self) -> tuple[Logits, PerUnit]:
        """Logits and the last layer's CLS attention to the patches; rows that are not finite are tried once more in float32."""
        logits, rows = self.scoring.scorer(self.adapter).explain(self.inputs)
        bad = ~(np.isfinite(logits).all(axis=1) & np.isfinite(rows).all(axis=(1, 2)))
        if bad.any():
            logits[bad], rows[bad] = self.scoring.scorer(self.adapter, "float32").explain(self.inputs[bad])
        return logits[:, list(self.adapter.label_order)], attention(rows, self.scoring.backbone.n_prefix)

    @property
    def logits(self) -> Logits:
        return self.clean[0]


def picture_attention(block: PictureBlock) -> Explained:
    """The last layer's CLS attention to each patch, as shares."""
    return Explained(block.clean[1])
