"""What do the gradients of pictures and of texts along a path need alike? Where it is asked, and a model left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import nn


def midpoints(steps: int, like: torch.Tensor) -> Float[torch.Tensor, " steps"]:
    """(k + 1/2) / steps: where the midpoint rule asks on the way from 0 to 1."""
    return (torch.arange(steps, device=like.device, dtype=like.dtype) + 0.5) / steps


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode for every module of `model`; afterwards each has the mode it had, also after an exception."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
