"""Which attribution methods can be computed here, and how is each computed for a batch of pictures or of texts?

All methods of one adapter and batch share a block: what one of them has asked the model, no other asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.any_scoring import AnyScoring, Inputs
from models.scored_adapter import ScoredAdapter
from silver.explainers.block import Block, Explained
from silver.explainers.picture_block import PictureBlock, picture_attention
from silver.explainers.text_block import TextBlock
from silver.explainers.text_methods import text_attention, text_cap, text_ig, text_kernel_shap, text_lime, text_occlusion
from silver.methods import MethodSettings

__all__ = ["EXPLAINERS", "Block", "Explained", "block_of", "explained"]

BLOCKS: dict[str, Callable[..., Block]] = {"image": PictureBlock, "text": TextBlock}

# (column of the inputs, method) -> its function of a block of that column. Adding one = one function and one line here.
EXPLAINERS: dict[tuple[str, str], Callable[[Any], Explained]] = {
    ("image", "attention"): picture_attention,
    ("text", "attention"): text_attention,
    ("text", "ig"): text_ig,
    ("text", "occlusion"): text_occlusion,
    ("text", "lime"): text_lime,
    ("text", "kernel_shap"): text_kernel_shap,
    ("text", "cap"): text_cap,
}


def block_of(
    scoring: AnyScoring,
    adapter: ScoredAdapter,
    inputs: Inputs,
    ids: Sequence[str],
    methods: Sequence[str],
    settings: MethodSettings,
    aimed: NDArray[np.int64] | None = None,
) -> Block:
    """What `methods` share about these examples (`ids` name them) under one adapter.

    `aimed`: the class to explain of each, in the dataset's label order; None: the predicted one. Raises ValueError for a method that this
    kind of input has not.
    """
    known = [method for column, method in EXPLAINERS if column == scoring.column]
    if alien := [method for method in methods if method not in known]:
        raise ValueError(f"method must be one of {', '.join(known)} for {scoring.column} inputs, got {', '.join(alien)}")
    return BLOCKS[scoring.column](scoring, adapter, inputs, tuple(ids), tuple(methods), settings, aimed)


def explained(block: Block, method: str) -> Explained:
    """One method's attributions of a block's examples, for the class that `block.logits` predict."""
    return EXPLAINERS[block.scoring.column, method](block)
