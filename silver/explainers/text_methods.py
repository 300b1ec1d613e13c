"""How does each method explain a batch of texts?"""

from __future__ import annotations

import numpy as np

from silver.explainers.block import Explained
from silver.explainers.text_block import TextBlock
from xai.attribution import cap, ig, kernel_shap, lime, occlusion
from xai.estimate import Estimate


def text_attention(block: TextBlock) -> Explained:
    """The last layer's CLS attention, summed into words, as shares. Raises ValueError for a block that was not told to ask for it."""
    shares = block.clean[1]
    if shares is None:
        raise ValueError(f"a block must name every method it is asked for, found attention behind {', '.join(block.methods)}")
    return Explained(shares)


def text_ig(block: TextBlock) -> Explained:
    """Integrated gradients of the target's logit over the word embeddings, always in float32."""
    return _as_rows(
        ig(block.scoring.integrated_gradients(block.adapter, block.inputs, block.targets, block.settings.ig_steps), block.included)
    )


def text_occlusion(block: TextBlock) -> Explained:
    """What p(target) loses when one word alone is hidden."""
    return _as_rows(occlusion(block.value, block.included))


def text_lime(block: TextBlock) -> Explained:
    """LIME's slopes of p(target) over the block's masks."""
    return _as_rows(lime(block.value, block.masks, block.included, block.settings.lime))


def text_kernel_shap(block: TextBlock) -> Explained:
    """Shapley values of p(target): exact for short texts, else over the block's masks."""
    return _as_rows(kernel_shap(block.value, block.masks, block.included, block.settings.shapley))


def text_cap(block: TextBlock) -> Explained:
    """CAP's scores of p(target) over the block's masks."""
    return _as_rows(cap(block.value, block.masks, block.included, block.settings.cap))


def _as_rows(estimate: Estimate) -> Explained:
    return Explained(estimate.values.astype(np.float32, copy=False), estimate.error.astype(np.float32, copy=False))
