"""A small convolutional net whose last map has one place per patch."""

from __future__ import annotations

import math

import torch
from torch import nn


class ConvNet(nn.Module):
    """Grey pictures as patches [b, units, width], both squares -> scores [b, outputs]. Strides make the last map's places the patches."""

    def __init__(self, units: int, width: int, outputs: int, channels: int = 16) -> None:
        super().__init__()
        self.patches, self.side = math.isqrt(units), math.isqrt(width)
        if self.patches**2 != units or self.side**2 != width or self.side & (self.side - 1):
            raise ValueError(f"patches and their sides must be squares, sides powers of two, found {units} patches of {width} pixels")
        layers: list[nn.Module] = [nn.Conv2d(1, channels, 3, padding=1), nn.SiLU()]
        for _ in range(int(math.log2(self.side))):
            layers += [nn.Conv2d(channels, channels, 3, stride=2, padding=1), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, channels, 3, padding=1), nn.SiLU())
        self.head = nn.Linear(channels, outputs)

    def last_map(self, inputs: torch.Tensor) -> torch.Tensor:
        """[b, channels, rows, columns] of the last convolution."""
        n, side, edge = len(inputs), self.side, self.patches
        pixels = inputs.view(n, edge, edge, side, side).permute(0, 1, 3, 2, 4).reshape(n, 1, edge * side, edge * side)
        found: torch.Tensor = self.layers(pixels)
        return found

    def of_map(self, last: torch.Tensor) -> torch.Tensor:
        """Scores from the last map, by its mean over places."""
        found: torch.Tensor = self.head(last.mean(dim=(2, 3)))
        return found

    def forward(self, inputs: torch.Tensor, included: torch.Tensor) -> torch.Tensor:
        return self.of_map(self.last_map(inputs))
