"""How far is what a model looks at from what a prior says it should look at? The part of the loss that CAP-Hybrid adds.

METHODS 5 and 9, after CAP (2512.14719): ||a_p - a_s||^2 with a_s the model's self-attribution, by integrated gradients of the true class's
logit, in eval mode. Both have L2 norm 1 and no negative number, so that it lies in [0, 2]: 2 - 2 cos(a_p, a_s).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from numpy.typing import NDArray
from torch import nn

from models.text_families.text_family import TextFamily
from models.text_gradients import TokenBatch, self_attribution
from models.text_training_data import Prior
from models.texts import Texts


def attribution_loss(
    model: nn.Module,
    family: TextFamily,
    batch: TokenBatch,
    targets: Int64[torch.Tensor, " batch"],
    included: Bool[torch.Tensor, "batch words"],
    priors: Float[torch.Tensor, "batch words"],
    steps: int = 8,
) -> Float[torch.Tensor, ""]:
    """||a_p - a_s||^2 summed over the batch, differentiable by the model's parameters (second order, on the plain attention kernel).

    The model is left in the mode it had. Under DoRA peft takes a row's length as constant in every gradient (2402.09353, 4.3), so also in
    this one; a_s itself is exact.
    """
    own = self_attribution(model, family, batch, targets, included, steps, create_graph=True)
    return (priors - own).square().sum()


def prior_matrix(
    texts: Texts, priors: tuple[Prior | None, ...]
) -> tuple[Float32[NDArray[np.float32], "texts words"], Bool[NDArray[np.bool_], " texts"]]:
    """(priors padded with 0, which texts have one). Of a text that is cut at the model's limit the prior of the words inside counts, of
    norm 1 again; uniform when nothing of it is left."""
    matrix = np.zeros(texts.included.shape, dtype=np.float32)
    has_prior = np.array([prior is not None for prior in priors], dtype=bool)
    for row, prior in enumerate(priors):
        if prior is not None:
            n_words = int(texts.included[row].sum())
            inside = prior[:n_words].astype(np.float64)
            norm = np.sqrt(np.square(inside).sum())
            matrix[row, :n_words] = inside / norm if norm > 0 else 1 / np.sqrt(n_words)
    return matrix, has_prior
