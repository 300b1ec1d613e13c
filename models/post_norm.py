"""What does one layer of a BERT compute in inference? Attention and MLP, each added to its input and normed behind the sum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from models.layer import Attended, Hidden, Make, Mlp, Read, Rows, attend
from models.linear import Linear
from models.text_families.text_family import PostNormBlock


@dataclass(frozen=True)
class Norm:
    """A layer norm with its gain and shift: they cannot be folded into the product behind it, since the next sum needs them too."""

    weight: torch.Tensor
    bias: torch.Tensor
    eps: float

    def __call__(self, rows: Rows) -> Rows:
        return functional.layer_norm(rows, rows.shape[-1:], self.weight, self.bias, self.eps)


@dataclass(frozen=True)
class PostNormLayer:
    """norm1(x + attention(x)), then norm2(y + MLP(y)). q, k and v are one product."""

    qkv: Linear
    out: Linear
    norm1: Norm
    mlp: Mlp
    norm2: Norm
    heads: int
    scale: float

    def __call__(self, hidden: Hidden, read: Read | None = None, attended: Attended | None = None) -> tuple[Hidden, torch.Tensor | None]:
        """Hidden states after this layer (the input's memory may be used), and what `read` tells of its attention."""
        batch, tokens, width = hidden.shape
        rows = hidden.reshape(batch * tokens, width)
        mixed, told = attend(self.qkv(rows).view(batch, tokens, 3, self.heads, -1), self.scale, read, attended)
        rows = self.norm1(self.out.onto(rows, mixed))
        rows = self.norm2(self.mlp.onto(rows, rows))
        return rows.view(batch, tokens, width), told


def lean_post_norm(block: PostNormBlock, make: Make, device: str) -> PostNormLayer:
    """The layer of `block`, whose tensors are float32: joining happens before any cast."""
    parts = (block.query, block.key, block.value)
    weight, bias = torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
    mlp = Mlp(
        inner=_product("inner", block.inner, make),
        outer=_product("outer", block.outer, make),
        gate=None,
        activation=block.activation,
        fused_gelu=block.exact_gelu,
    )
    return PostNormLayer(
        qkv=make("qkv", weight, bias, tuple(tensor for part in parts for tensor in (part.weight, part.bias))),
        out=_product("out", block.out, make),
        norm1=_norm(block.norm1, device),
        mlp=mlp,
        norm2=_norm(block.norm2, device),
        heads=block.heads,
        scale=block.scale,
    )


def _product(name: str, module: nn.Linear, make: Make) -> Linear:
    return make(name, module.weight, module.bias, (module.weight, module.bias))


def _norm(module: nn.LayerNorm, device: str) -> Norm:
    return Norm(module.weight.to(device), module.bias.to(device), module.eps)
