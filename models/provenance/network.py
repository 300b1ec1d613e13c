"""A trunk with a class head and an index head: one branch for both, or two that share the first stages."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from models.provenance.index_head import IndexHead
from models.provenance.slots import Slots
from models.provenance.trunk import Trunk

Variant = Literal["plain", "single_branch", "two_branch", "class_conditional"]


class ProvenanceNetwork(nn.Module):
    """`plain` has no index head; `single_branch` shares every stage; `two_branch` (class-independent) and `class_conditional` share the
    first `shared` stages, and each branch has layers of its own behind them."""

    def __init__(self, variant: Variant, trunk: Trunk, slots: Slots, shared: int) -> None:
        super().__init__()
        if slots.conditional != (variant == "class_conditional"):
            raise ValueError(f"slots must be class-conditional for class_conditional heads alone, found {slots.conditional} for {variant}")
        layers = trunk.stages()
        if variant not in ("plain", "single_branch") and not 0 <= shared <= len(layers):
            raise ValueError(f"of {len(layers)} stages 0 to {len(layers)} can be shared, found {shared}")
        cut = len(layers) if variant in ("plain", "single_branch") else shared
        self.variant, self.slots = variant, slots
        self.common = nn.Sequential(*layers[:cut])
        self.class_branch = nn.Sequential(*layers[cut:])
        self.class_head = nn.Linear(trunk.width, slots.n_classes)
        self.index_branch = nn.Sequential(*trunk.stages()[cut:])
        self.index_head = None if variant == "plain" else IndexHead(trunk.width, slots)

    def branches(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features that the class head takes, and those that the index head takes (without the class): [b, width] each."""
        common = self.common(inputs)
        told = self.class_branch(common)
        return told, (told if len(self.index_branch) == 0 else self.index_branch(common))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Class logits [b, classes]."""
        logits: torch.Tensor = self.class_head(self.class_branch(self.common(inputs)))
        return logits

    @property
    def parameters_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())
