"""What must be known of a family of vision transformers to load, feed and read it? One record; one file per family fills it in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from models.families.architecture import Architecture


@dataclass(frozen=True)
class Block:
    """The parts of one pre-norm layer as transformers' modules: norm, attention (`q_proj`, `k_proj`, `v_proj`, `o_proj`), layer scale or
    None, norm, MLP (`fc1`, `fc2`, or `gate_proj`, `up_proj`, `down_proj`), layer scale or None. `exact_gelu`: the MLP uses erf-GELU."""

    norm1: nn.LayerNorm
    attention: nn.Module
    scale1: torch.Tensor | None
    norm2: nn.LayerNorm
    mlp: nn.Module
    scale2: torch.Tensor | None
    exact_gelu: bool


@dataclass(frozen=True)
class Family(Architecture):
    """How one architecture is loaded and taken apart: picture -> patch tokens -> sequence -> layers -> norm -> logits.

    `patch_tokens(model, pixels[b,3,s,s]) -> [b,N,d]`: patch embedding alone, before positions. Filling a removed patch here equals
    filling it in the picture, because the patch convolution's stride is its kernel.
    `sequence(model, tokens[b,N,d]) -> [b,n_prefix+N,d]`: prefix and positions added; whoever removes tokens does it behind this step.
    `layers(model)`: its layers, and `block(layer)` the parts of one. `norm(model)`: the layer norm behind the last.
    `head(model, hidden[b,n_prefix+N',d]) -> [b,labels]`, behind that norm. `name` is the `model_type` in config.json.
    """

    n_prefix: Callable[[Mapping[str, Any]], int]  # tokens before the patches, from config.json
    patch_tokens: Callable[[nn.Module, torch.Tensor], torch.Tensor]
    sequence: Callable[[nn.Module, torch.Tensor], torch.Tensor]
    layers: Callable[[nn.Module], nn.ModuleList]
    block: Callable[[nn.Module], Block]
    norm: Callable[[nn.Module], nn.Module]
    head: Callable[[nn.Module, torch.Tensor], torch.Tensor]


def kept_tokens(tokens: torch.Tensor, keep: torch.Tensor | None) -> torch.Tensor:
    """`tokens[b,N,d]` without those where `keep` is False, order unchanged: [b,N',d]. ValueError unless each row keeps as many."""
    if keep is None:
        return tokens
    counts = keep.sum(dim=1)
    if keep.shape != tokens.shape[:2] or bool((counts != counts[0]).any()):
        raise ValueError(f"keep must be bool{tuple(tokens.shape[:2])} with equal row sums, found {tuple(keep.shape)}. Group by count.")
    index = keep.nonzero(as_tuple=True)[1].view(len(tokens), -1)
    return tokens.gather(1, index.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))


def mean_token(tokens: torch.Tensor) -> torch.Tensor:
    """Mean over tokens [b,N,d] -> [b,d]; zero where no token is left, so that a fully dropped picture has finite logits."""
    if tokens.shape[1] == 0:
        return tokens.new_zeros(tokens.shape[0], tokens.shape[2])
    return tokens.mean(dim=1)


def picture_side(n_tokens: int, patch_size: int) -> int:
    """Side in pixels of the square picture that gives `n_tokens` patches. ValueError unless the count is a square number."""
    side = math.isqrt(n_tokens)
    if side * side != n_tokens:
        raise ValueError(f"the patches of a square picture are a square number, found {n_tokens}. Resize and crop the picture first.")
    return side * patch_size
