"""How is one matrix applied to all tokens as fast as this machine can? Packed once for oneDNN where it is to be had, else plain torch.

torch's own float32 product goes to MKL, which is slow on processors of other makers: on two cores of an AMD EPYC (Zen 5) oneDNN's packed
product did 220 GFLOP/s a core where MKL did 97. In bfloat16 both are oneDNN; packing saves the reordering of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch.nn import functional

Rows = Float[torch.Tensor, "rows width"]
_REQUIRED = ("mkldnn::_reorder_linear_weight", "mkldnn::_linear_pointwise", "mkldnn::_linear_pointwise.binary", "mkldnn::_nbytes")


class Linear(Protocol):
    """x W^T + b for rows of tokens, in the precision of its weight; rows of another are cast. `nbytes`: memory of weight and bias."""

    @property
    def nbytes(self) -> int: ...

    def __call__(self, x: Rows) -> Rows:
        """[rows, in] -> [rows, out]."""

    def gelu(self, x: Rows) -> Rows:
        """The exact (erf) GELU of the product."""

    def onto(self, residual: Rows, x: Rows) -> Rows:
        """`residual` [rows, out] + the product, in the residual's precision. The caller must not use `residual` again: it may have become
        the answer."""


@dataclass(frozen=True)
class PlainLinear:
    """torch's own product: every device and type."""

    weight: torch.Tensor  # [out, in]
    bias: torch.Tensor | None  # [out]

    @property
    def nbytes(self) -> int:
        return self.weight.nbytes + (0 if self.bias is None else self.bias.nbytes)

    def __call__(self, x: Rows) -> Rows:
        return functional.linear(x.to(self.weight.dtype), self.weight, self.bias)

    def gelu(self, x: Rows) -> Rows:
        return functional.gelu(self(x))

    def onto(self, residual: Rows, x: Rows) -> Rows:
        return residual.add_(self(x))


@dataclass(frozen=True)
class PackedLinear:
    """oneDNN's product over weights laid out for it, with GELU or the residual worked into its last step."""

    weight: torch.Tensor  # opaque layout, made by `_reorder_linear_weight`
    bias: torch.Tensor | None

    @property
    def nbytes(self) -> int:
        return int(torch.ops.mkldnn._nbytes(self.weight)) + (0 if self.bias is None else self.bias.nbytes)

    def __call__(self, x: Rows) -> Rows:
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x.to(self.weight.dtype), self.weight, self.bias, "none", [], None)
        return product

    def gelu(self, x: Rows) -> Rows:
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x.to(self.weight.dtype), self.weight, self.bias, "gelu", [], "none")
        return product

    def onto(self, residual: Rows, x: Rows) -> Rows:
        if residual.dtype != self.weight.dtype:
            return residual.add_(self(x))
        total: torch.Tensor = torch.ops.mkldnn._linear_pointwise.binary(x.to(residual.dtype), residual, self.weight, self.bias, "add")
        return total


def linear(weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype, device: str, rows: int) -> Linear:
    """A float32 weight [out, in] and bias [out], cast to `dtype` and made ready on `device` for batches of about `rows` rows."""
    cast = weight.to(device, dtype).contiguous()
    own_bias = None if bias is None else bias.to(device, dtype).contiguous()
    if not can_pack(dtype, device):
        return PlainLinear(cast, own_bias)
    return PackedLinear(torch.ops.mkldnn._reorder_linear_weight(cast, rows), own_bias)


def can_pack(dtype: torch.dtype, device: str) -> bool:
    """Whether this build of torch on this processor packs weights of this type. Asked of the library, not guessed from versions."""
    if device != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return False
    if not all(torch._C._dispatch_has_kernel(name) for name in _REQUIRED):
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    # float16 stays with torch: no processor we could measure multiplies it in hardware.
    return dtype == torch.float32
