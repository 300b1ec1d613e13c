"""A model that is its own formula: what is trained elsewhere is known exactly here."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class Formula(nn.Module):
    """A regression y = f(features[b, units x width])."""

    def __init__(self, formula: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.formula = formula

    def forward(self, inputs: torch.Tensor, included: torch.Tensor) -> torch.Tensor:
        return self.formula(inputs.flatten(1)).unsqueeze(1)
