"""A multilayer perceptron over all features of all units."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class Mlp(nn.Module):
    """[b, units, width] -> scores [b, outputs], through hidden layers with SiLU, which is smooth: pokes of five per cent are seen."""

    def __init__(self, units: int, width: int, outputs: int, hidden: tuple[int, ...] = (64, 64)) -> None:
        super().__init__()
        sizes = (units * width, *hidden)
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))

    def forward(self, inputs: torch.Tensor, included: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layers(inputs.flatten(1))
        return found
