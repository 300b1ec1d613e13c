"""Which attribution methods can be computed here, and how is each computed for a batch of pictures or of texts?

All methods of one adapter and batch share a block: what one of them has asked the model, no other asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.any_scoring import AnyScoring, Inputs
from models.scored_adapter import ScoredAdapter
from silver.explainers.block import Block, Explained
from silver.explainers.methods import by_attention, by_attention_rollout, by_cap, by_ig, by_kernel_shap, by_lime, by_occlusion
from silver.methods import MethodSettings
from silver.settings import COMPUTED

__all__ = ["EXPLAINERS", "Block", "Explained", "block_of", "explained"]

# Method -> its function of a block. Adding one = one function and one line here; `COMPUTED` says what it can explain.
EXPLAINERS: Mapping[str, Callable[[Block], Explained]] = {
    "attention": by_attention,
    "attention_rollout": by_attention_rollout,
    "ig": by_ig,
    "occlusion": by_occlusion,
    "lime": by_lime,
    "kernel_shap": by_kernel_shap,
    "cap": by_cap,
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
    known = COMPUTED[scoring.column]
    if alien := [method for method in methods if method not in known]:
        raise ValueError(f"method must be one of {', '.join(known)} for {scoring.column} inputs, got {', '.join(alien)}")
    return Block(scoring, adapter, inputs, tuple(ids), tuple(methods), settings, aimed)


def explained(block: Block, method: str) -> Explained:
    """One method's attributions of a block's examples, for the class that `block.logits` predict."""
    return EXPLAINERS[method](block)
