"""What do all scorers of one backbone hold together? Its tensors, and every product that no adapter changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any

import torch
from torch import nn

from models.backbone_record import AnyBackbone
from models.classifier import classifier_state
from models.dtype import torch_dtype
from models.encoder import Encoder
from models.layer import Layer, Make
from models.linear import Linear, linear
from models.post_norm import PostNormLayer

_BASES_KEPT = 2  # the usual precision, and float32 for the retry of rows that were not finite


@dataclass(frozen=True)
class Base:
    """A backbone's tensors in float32, as they are mapped from its file, and what was made of them alone, for all scorers to share."""

    state: Mapping[str, torch.Tensor]
    dtype: torch.dtype
    device: str
    rows: int  # of a batch of tokens
    products: dict[str, Linear] = field(default_factory=dict)
    copies: dict[str, torch.Tensor] = field(default_factory=dict)

    def owns(self, tensors: Iterable[torch.Tensor | None]) -> bool:
        """True when all of them are the backbone's own, untouched by an adapter."""
        return all(tensor.data_ptr() in self._addresses for tensor in tensors if tensor is not None)

    def copied(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor in float32 on this device in memory of its own, one copy of it where it is the backbone's own.

        A product's bits depend on where a tensor begins in memory, and in a mapped file that is the length of its header.
        """
        if not self.owns((tensor,)):
            return tensor.to(self.device, copy=True)
        if name not in self.copies:
            self.copies[name] = tensor.to(self.device, copy=True)
        return self.copies[name]

    def settled_rest(self, model: nn.Module) -> dict[str, torch.Tensor]:
        """What the encoder left in `model` (embeddings, norms, head), in float32 on this device; returned by name."""
        rest = {name: self.copied(name, tensor) for name, tensor in model.state_dict().items()}
        model.load_state_dict(rest, strict=True, assign=True)
        return rest

    @cached_property
    def _addresses(self) -> frozenset[int]:
        return frozenset(tensor.data_ptr() for tensor in self.state.values())


@lru_cache(maxsize=_BASES_KEPT)
def base_of(backbone: AnyBackbone, dtype: str, device: str, rows: int) -> Base:
    """`rows`: tokens of a usual batch. A backbone's record is equal to another only with the same content hash."""
    return Base(classifier_state(backbone), torch_dtype(dtype), device, rows)


def encoder_of(found: nn.ModuleList, lean: Callable[[nn.Module, Make], Layer | PostNormLayer], base: Base) -> tuple[Encoder, int]:
    """The lean layers, by `lean`, of a classifier's layers in float32, and the number of heads; they are taken out of it, so that
    their memory goes."""
    own: list[Linear] = []

    def make(name: str, weight: torch.Tensor, bias: torch.Tensor | None, sources: tuple[torch.Tensor | None, ...]) -> Linear:
        if base.owns(sources):
            if name not in base.products:
                base.products[name] = linear(weight, bias, base.dtype, base.device, base.rows)
            return base.products[name]
        own.append(linear(weight, bias, base.dtype, base.device, base.rows))
        return own[-1]

    with torch.inference_mode():
        layers = tuple(lean(layer, partial(_within, make, index)) for index, layer in enumerate(found))
    del found[:]
    return Encoder(layers, sum(product.nbytes for product in own)), layers[0].heads


def _within(make: Make, index: int, name: str, *given: Any) -> Linear:
    return make(f"{index}.{name}", *given)
