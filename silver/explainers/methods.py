"""How does each method explain a batch, whether of pictures or of texts?"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.any_scoring import Inputs
from silver.explainers.block import Block, Explained
from silver.explainers.kinds import KINDS, PerUnit
from xai.attribution import attention_rollout, cap, ig, kernel_shap, lime, occlusion
from xai.estimate import Estimate


def by_attention(block: Block) -> Explained:
    """The last layer's CLS attention to each unit, as shares. Raises ValueError for a block that was not told to ask for it."""
    shares = block.clean[1]
    if shares is None:
        raise ValueError(f"a block must name every method it is asked for, found attention behind {', '.join(block.methods)}")
    return Explained(shares)


def by_attention_rollout(block: Block) -> Explained:
    """The CLS token's attention to each unit through all layers, as shares."""

    def rolled(scorer: Any, inputs: Inputs) -> tuple[PerUnit]:
        included = KINDS[block.scoring.column].units(block.scoring, inputs)
        shares = np.zeros(included.shape, dtype=np.float32)
        for own in scorer.attention_maps(inputs):
            shares[own.places] = attention_rollout(own.maps, own.unit_of, included[own.places])
        return (shares,)

    return Explained(*block.asked(rolled))


def by_ig(block: Block) -> Explained:
    """Integrated gradients of the target's logit over pixels or word embeddings, always in float32."""
    own = block.settings
    found = block.scoring.integrated_gradients(block.adapter, block.inputs, block.targets, own.ig_steps, own.baseline)
    return _as_rows(ig(found, block.included))


def by_occlusion(block: Block) -> Explained:
    """What p(target) loses when one unit alone is hidden."""
    return _as_rows(occlusion(block.value, block.included))


def by_lime(block: Block) -> Explained:
    """LIME's slopes of p(target) over the block's masks."""
    return _as_rows(lime(block.value, block.masks, block.included, block.settings.lime))


def by_kernel_shap(block: Block) -> Explained:
    """Shapley values of p(target): exact for few units, else over the block's masks."""
    return _as_rows(kernel_shap(block.value, block.masks, block.included, block.settings.shapley))


def by_cap(block: Block) -> Explained:
    """CAP's scores of p(target) over the block's masks."""
    return _as_rows(cap(block.value, block.masks, block.included, block.settings.cap))


def _as_rows(estimate: Estimate) -> Explained:
    return Explained(estimate.values.astype(np.float32, copy=False), estimate.error.astype(np.float32, copy=False))
