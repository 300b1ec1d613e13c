"""What does one layer of a vision transformer compute in inference, in as few and as large products as possible?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch.nn import functional

from models.families.family import Block
from models.linear import Linear

Hidden = Float[torch.Tensor, "batch tokens width"]
Rows = Float[torch.Tensor, "rows width"]
Attended = Bool[torch.Tensor, "batch tokens"]
# (queries, keys [b, heads, tokens, width], scale, tokens attended or None) -> what is told of a layer's attention
Read = Callable[[torch.Tensor, torch.Tensor, float, Attended | None], torch.Tensor]
# (name of the product within the layer, weight float32 [out, in], bias float32 [out] or None, tensors it is made of) -> product
Make = Callable[[str, torch.Tensor, torch.Tensor | None, tuple[torch.Tensor | None, ...]], Linear]


@dataclass(frozen=True)
class Mlp:
    """The two products of an MLP. `gate` is the first half of a gated one (SwiGLU), else None."""

    inner: Linear
    outer: Linear
    gate: Linear | None
    activation: Callable[[torch.Tensor], torch.Tensor]
    fused_gelu: bool

    def onto(self, residual: Rows, x: Rows) -> Rows:
        """residual + MLP(x)."""
        if self.gate is not None:
            return self.outer.onto(residual, self.activation(self.gate(x)) * self.inner(x))
        return self.outer.onto(residual, self.inner.gelu(x) if self.fused_gelu else self.activation(self.inner(x)))


@dataclass(frozen=True)
class Layer:
    """Attention and MLP, each behind a layer norm and added to its input. Norms' gains and layer scales are inside the products."""

    qkv: Linear
    out: Linear
    mlp: Mlp
    heads: int
    scale: float
    eps: tuple[float, float]

    def __call__(self, hidden: Hidden, read: Read | None = None, attended: Attended | None = None) -> tuple[Hidden, torch.Tensor | None]:
        """Hidden states after this layer (the input's memory may be used), and what `read` tells of its attention."""
        batch, tokens, width = hidden.shape
        rows = hidden.reshape(batch * tokens, width)
        mixed, told = attend(self.qkv(_norm(rows, self.eps[0])).view(batch, tokens, 3, self.heads, -1), self.scale, read, attended)
        rows = self.out.onto(rows, mixed)
        rows = self.mlp.onto(rows, _norm(rows, self.eps[1]))
        return rows.view(batch, tokens, width), told


def attend(
    qkv: Float[torch.Tensor, "batch tokens 3 heads head_width"], scale: float, read: Read | None, attended: Attended | None
) -> tuple[Rows, torch.Tensor | None]:
    """What every token gathers from those attended (None: all), as rows of all heads; and what `read` tells of it."""
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    told = None if read is None else read(query, key, scale, attended)
    mask = None if attended is None else attended[:, None, None, :]
    mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
    return mixed.transpose(1, 2).reshape(qkv.shape[0] * qkv.shape[1], -1), told


def cls_row(
    query: torch.Tensor, key: torch.Tensor, scale: float, attended: Attended | None = None
) -> Float[torch.Tensor, "batch heads tokens"]:
    """What CLS looks at: softmax(q_cls k^T * scale) in float32, from queries and keys [b, heads, tokens, width]; 0 where not attended.

    The fused attention kernel does not tell its weights, and asking transformers for them switches every layer to the slow eager way;
    one row costs N products per head instead of N^2. Sums to 1 over all tokens, prefix included.
    """
    scores = (query[:, :, :1].float() @ key.float().transpose(2, 3)).squeeze(2) * scale
    if attended is not None:
        scores = scores.masked_fill(~attended[:, None, :], -torch.inf)
    return scores.softmax(dim=-1)


def head_mean(
    query: torch.Tensor, key: torch.Tensor, scale: float, attended: Attended | None = None
) -> Float[torch.Tensor, "batch tokens tokens"]:
    """What every token looks at, mean over heads: softmax(q k^T * scale) in float32; 0 where not attended, rows of sum 1."""
    scores = query.float() @ key.float().transpose(2, 3) * scale
    if attended is not None:
        scores = scores.masked_fill(~attended[:, None, None, :], -torch.inf)
    return scores.softmax(dim=-1).mean(dim=1)


def lean(block: Block, make: Make) -> Layer:
    """The layer of `block`, whose tensors are float32: folding and joining happen before any cast.

    q, k and v become one product. A layer norm's gain and shift go into the product behind it: W (g x + s) + b = (W g) x + (W s + b).
    A layer scale goes into the product before it.
    """
    attention: Any = block.attention
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    qkv = _behind_norm(block.norm1, torch.cat([part.weight for part in parts]), _joined_bias(parts))
    sources = tuple(tensor for part in parts for tensor in (part.weight, part.bias))
    return Layer(
        qkv=make("qkv", *qkv, (*sources, block.norm1.weight, block.norm1.bias)),
        out=_scaled("out", attention.o_proj, block.scale1, make),
        mlp=_mlp(block, make),
        heads=int(attention.num_attention_heads),
        scale=float(attention.scaling),
        eps=(block.norm1.eps, block.norm2.eps),
    )


def _mlp(block: Block, make: Make) -> Mlp:
    mlp: Any = block.mlp
    if hasattr(mlp, "gate_proj"):
        gate, inner, outer, activation = mlp.gate_proj, mlp.up_proj, mlp.down_proj, mlp.act_fn
    else:
        gate, inner, outer, activation = None, mlp.fc1, mlp.fc2, mlp.activation_fn
    return Mlp(
        inner=_normed("inner", block, inner, make),
        outer=_scaled("outer", outer, block.scale2, make),
        gate=None if gate is None else _normed("gate", block, gate, make),
        activation=activation,
        fused_gelu=gate is None and block.exact_gelu,
    )


def _norm(rows: Rows, eps: float) -> Rows:
    return functional.layer_norm(rows, rows.shape[-1:], None, None, eps)


def _normed(name: str, block: Block, module: Any, make: Make) -> Linear:
    norm = block.norm2
    return make(name, *_behind_norm(norm, module.weight, module.bias), (module.weight, module.bias, norm.weight, norm.bias))


def _behind_norm(norm: Any, weight: torch.Tensor, bias: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    # copied: a product's bits depend on where a tensor begins in memory, and in a mapped file that is the length of its header
    shift = weight.clone() @ norm.bias
    return weight * norm.weight, shift if bias is None else shift + bias


def _joined_bias(parts: tuple[Any, ...]) -> torch.Tensor | None:
    return None if parts[0].bias is None else torch.cat([part.bias for part in parts])


def _scaled(name: str, module: Any, scale: torch.Tensor | None, make: Make) -> Linear:
    if scale is None:
        return make(name, module.weight, module.bias, (module.weight, module.bias))
    return make(name, module.weight * scale[:, None], module.bias * scale, (module.weight, module.bias, scale))
