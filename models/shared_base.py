"""What do all scorers of one backbone hold together? Its tensors, and every product that no adapter changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any

import torch
from torch import nn

from models.backbone import Backbone, classifier_state
from models.dtype import torch_dtype
from models.encoder import Encoder
from models.families.family import Family
from models.layer import Make, lean
from models.linear import Linear, linear

_BASES_KEPT = 2  # the usual precision, and float32 for the retry of rows that were not finite


@dataclass(frozen=True)
class Base:
    """A backbone's tensors in float32, as they are mapped from its file, and what was made of them alone, for all scorers to share."""

    state: Mapping[str, torch.Tensor]
    dtype: torch.dtype
    device: str
    rows: int  # of a batch of tokens
    products: dict[str, Linear] = field(default_factory=dict)
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)

    def owns(self, tensors: Iterable[torch.Tensor | None]) -> bool:
        """True when all of them are the backbone's own, untouched by an adapter."""
        return all(tensor.data_ptr() in self._addresses for tensor in tensors if tensor is not None)

    def placed(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor in float32 on this device, one copy of it where it is the backbone's own."""
        if not self.owns((tensor,)):
            return tensor.to(self.device)
        if name not in self.tensors:
            self.tensors[name] = tensor.to(self.device)
        return self.tensors[name]

    @cached_property
    def _addresses(self) -> frozenset[int]:
        return frozenset(tensor.data_ptr() for tensor in self.state.values())


@lru_cache(maxsize=_BASES_KEPT)
def base_of(backbone: Backbone, dtype: str, device: str, batch_size: int) -> Base:
    """A Backbone is equal to another only with the same content hash."""
    return Base(classifier_state(backbone), torch_dtype(dtype), device, batch_size * (backbone.n_prefix + backbone.n_units))


def encoder_of(family: Family, model: nn.Module, base: Base) -> tuple[Encoder, int]:
    """The lean layers of a classifier in float32, and its number of heads; the layers are taken out of it, so their memory goes."""
    own: list[Linear] = []

    def make(name: str, weight: torch.Tensor, bias: torch.Tensor | None, sources: tuple[torch.Tensor | None, ...]) -> Linear:
        if base.owns(sources):
            if name not in base.products:
                base.products[name] = linear(weight, bias, base.dtype, base.device, base.rows)
            return base.products[name]
        own.append(linear(weight, bias, base.dtype, base.device, base.rows))
        return own[-1]

    found = family.layers(model)
    with torch.inference_mode():
        layers = tuple(lean(family.block(layer), partial(_within, make, index)) for index, layer in enumerate(found))
    del found[:]
    return Encoder(layers, sum(product.nbytes for product in own)), layers[0].heads


def _within(make: Make, index: int, name: str, *given: Any) -> Linear:
    return make(f"{index}.{name}", *given)
