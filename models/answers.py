"""What is done alike with the answers of a classifier, whether it was asked about pictures or about texts?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.any_scoring import Logits

Asked = Callable[..., NDArray[np.float32]]  # p of what some arrays of one length name together


def shares_of(logits: Logits, label_order: Sequence[int], device: str) -> Logits:
    """Softmax of logits in the dataset's label order, taken on `device` and in the adapter's own order, for the sum of the exponentials
    goes by it: the bits that a value function gives with every unit shown."""
    order = list(label_order)
    own = np.empty_like(logits)
    own[:, order] = logits
    p: NDArray[np.float32] = torch.from_numpy(own).to(device).softmax(dim=1).cpu().numpy()
    return p[:, order]


def tried_twice(first: Asked, again: Callable[[], Asked]) -> Asked:
    """`first`, and of pairs (of pokes triples) whose p is not finite what the value that `again` makes says; it is made when such a pair is
    met."""

    def flat(*asked: NDArray[Any]) -> NDArray[np.float32]:
        p = first(*asked)
        bad = np.flatnonzero(~np.isfinite(p))
        if len(bad):
            p[bad] = again()(*(part[bad] for part in asked))
        return p

    return flat
