"""How is a DINOv2 with registers fed and read? Registers stand between CLS and patches, in no head (Darcet et al., 2309.16588)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from models.families import dinov2
from models.families.family import Family, mean_token, picture_side

DEFAULT_REGISTERS = 4


def classes() -> tuple[Any, Any]:
    """Configuration and classifier class."""
    from transformers.models.dinov2_with_registers.configuration_dinov2_with_registers import Dinov2WithRegistersConfig
    from transformers.models.dinov2_with_registers.modeling_dinov2_with_registers import Dinov2WithRegistersForImageClassification

    return Dinov2WithRegistersConfig, Dinov2WithRegistersForImageClassification


def patch_tokens(model: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Patch embedding alone: [b,3,s,s] -> [b,N,d]."""
    tokens: torch.Tensor = model.dinov2_with_registers.embeddings.patch_embeddings(pixels)
    return tokens


def sequence(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Tokens [b,N,d] -> CLS and registers before them, positions added [b,1+registers+N,d]. Registers have no position."""
    embeddings = model.dinov2_with_registers.embeddings
    hidden = torch.cat((embeddings.cls_token.expand(len(tokens), -1, -1), tokens), dim=1)
    side = picture_side(tokens.shape[1], model.config.patch_size)
    hidden = hidden + embeddings.interpolate_pos_encoding(hidden, side, side)
    return torch.cat((hidden[:, :1], embeddings.register_tokens.expand(len(tokens), -1, -1), hidden[:, 1:]), dim=1)


def layers(model: Any) -> nn.ModuleList:
    """The layers, first to last."""
    found: nn.ModuleList = model.dinov2_with_registers.encoder.layer
    return found


def norm(model: Any) -> nn.Module:
    """The layer norm behind the last layer."""
    module: nn.Module = model.dinov2_with_registers.layernorm
    return module


def head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states [b,1+registers+N',d] -> logits [b,labels]."""
    patches = hidden[:, 1 + model.config.num_register_tokens :]
    logits: torch.Tensor = model.classifier(torch.cat((hidden[:, 0], mean_token(patches)), dim=1))
    return logits


FAMILY = Family(
    name="dinov2_with_registers",
    prefix="dinov2_with_registers",
    classes=classes,
    n_prefix=lambda config: 1 + int(config.get("num_register_tokens", DEFAULT_REGISTERS)),
    renames=dinov2.RENAMES,
    ignored=(),
    head_modules=("classifier",),
    patch_tokens=patch_tokens,
    sequence=sequence,
    layers=layers,
    block=dinov2.block,
    norm=norm,
    head=head,
)
