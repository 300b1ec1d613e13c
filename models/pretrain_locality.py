"""How does a vision transformer begin as local as a convolution, when too few pictures are there to learn that from?

Source: "Structured Initialization for Attention in Vision Transformers" (Zheng et al. 2024): attention begins as a shift to a
neighbour per head. Difference: their maps are fitted, ours follow in closed form from a Fourier basis kept in the last 16 channels, so
that the file is a plain DINOv2 and every weight stays free to move.
"""

from __future__ import annotations

import math
from typing import Any

import torch

N_WAVES = 4
N_CHANNELS = 4 * N_WAVES  # cosine and sine of each wave, for rows and for columns
SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
CONTENT_SHARE = 0.3  # of the usual scale: content speaks in the channels of a head that positions leave free, quietly at first
CORNERS = ((1, 1), (1, -1), (-1, -1), (-1, 1))


def neighbours(layer: int, heads: int) -> tuple[tuple[int, int], ...]:
    """The (rows, columns) step each head looks at in a layer: sides before corners in even layers, corners before sides in odd ones;
    from the ninth head on its own place."""
    near = SIDES + CORNERS if layer % 2 == 0 else CORNERS + SIDES
    return (near + ((0, 0),) * heads)[:heads]


@torch.no_grad()
def make_local(model: Any, sharpness: float) -> None:
    """Set positions, queries and keys of a fresh Dinov2ForImageClassification so that each head of a patch attends to one neighbour, and
    the class token to all patches alike. Sharpness 0 changes nothing. Raises ValueError when a head has fewer than 16 channels."""
    if sharpness == 0:
        return
    config = model.config
    head = config.hidden_size // config.num_attention_heads
    if head < N_CHANNELS:
        raise ValueError(f"a local start needs heads of at least {N_CHANNELS} channels, found {head}: use fewer heads or locality 0")
    side = config.image_size // config.patch_size
    waves = math.pi / side * torch.arange(1, N_WAVES + 1)
    embeddings, own = model.dinov2.embeddings, slice(-N_CHANNELS, None)
    embeddings.position_embeddings.zero_()
    embeddings.position_embeddings[0, 1:, own] = _positions(side, waves)
    embeddings.cls_token[..., own] = 0
    embeddings.patch_embeddings.projection.weight[own] = 0
    for number, layer in enumerate(model.dinov2.encoder.layer):
        attention = layer.attention
        for weight in (attention.q_proj.weight, attention.k_proj.weight):
            weight.mul_(CONTENT_SHARE)
            weight[:, own] = 0
        scale = math.sqrt(sharpness * math.sqrt(head))  # in query and in key; attention divides by sqrt(head)
        for place, (down, right) in enumerate(neighbours(number, config.num_attention_heads)):
            rows = slice(place * head, place * head + N_CHANNELS)
            turn = torch.block_diag(_turn(waves, down), _turn(waves, right))  # type: ignore[no-untyped-call]  # torch leaves it untyped
            for weight, map_ in ((attention.q_proj.weight, turn), (attention.k_proj.weight, torch.eye(N_CHANNELS))):
                weight[rows] = 0
                weight[rows, own] = scale * map_
        attention.o_proj.weight[own] = 0  # the layers leave the positions as they are, at the start
        layer.mlp.fc2.weight[own] = 0


def _positions(side: int, waves: torch.Tensor) -> torch.Tensor:
    """float32[side * side, 16]: cosines and sines of the row, then of the column, row by row."""
    angle = torch.arange(side)[:, None] * waves
    line = torch.cat([angle.cos(), angle.sin()], dim=1)
    return torch.cat([line.repeat_interleave(side, 0), line.repeat(side, 1)], dim=1)


def _turn(waves: torch.Tensor, step: int) -> torch.Tensor:
    """float32[8, 8]: takes the cosines and sines of a place to those of the place `step` further."""
    cos, sin = (waves * step).cos().diag(), (waves * step).sin().diag()
    return torch.cat([torch.cat([cos, -sin], dim=1), torch.cat([sin, cos], dim=1)])
