"""The layers under the heads, as stages that two branches may share up to some point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import nn

Size = Literal["small", "medium", "large", "x_large"]
SIZES: dict[Size, int] = dict(zip(get_args(Size), (8, 16, 32, 64), strict=True))  # channels of the first block; they double per block
SIDE = 28  # of the grey pictures that the conv net takes
Stages = Callable[[], list[nn.Module]]


@dataclass(frozen=True)
class Trunk:
    """`stages` makes fresh layers, each of which may be shared; the last gives features [b, width]."""

    stages: Stages
    width: int


def conv_trunk(size: Size, hidden: int = 512) -> Trunk:
    """Three blocks of convolution 3 x 3, batch norm, ReLU and 2 x 2 pooling, flattened to 64 c numbers (2,048 of size large, the paper's),
    then one fully connected layer; c channels in the first block. Pictures float[b, 28, 28]."""
    channels = SIZES[size]
    places = 4 * 4  # 28 -> 14 -> 7 -> 4, the last rounded up

    def stages() -> list[nn.Module]:
        flat = nn.Sequential(_block(2 * channels, 4 * channels), nn.Flatten())
        full = nn.Sequential(nn.Linear(4 * channels * places, hidden), nn.ReLU())
        return [_block(1, channels), _block(channels, 2 * channels), flat, full]

    return Trunk(stages, hidden)


def vector_trunk(dim: int, hidden: int = 512) -> Trunk:
    """One fully connected layer over frozen vectors [b, dim], behind a layer norm without parameters (their scale is the backbone's)."""

    def stages() -> list[nn.Module]:
        return [nn.Sequential(nn.LayerNorm(dim, elementwise_affine=False), nn.Linear(dim, hidden), nn.ReLU())]

    return Trunk(stages, hidden)


def _block(inputs: int, outputs: int) -> nn.Module:
    block = nn.Sequential(
        _Channels() if inputs == 1 else nn.Identity(),
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
    )
    block.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it for modules; 1.4 times as fast
    return block


class _Channels(nn.Module):
    """[b, h, w] -> [b, 1, h, w]."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.unsqueeze(1).contiguous(memory_format=torch.channels_last)
