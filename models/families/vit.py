"""How is a plain ViT fed and read? CLS before the patches; the head reads CLS alone (Dosovitskiy et al., 2010.11929)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from models.families.family import Block, Family, picture_side

# On disk a ViT still has the names of before transformers 5; `output.dense` last, for `attention.output.dense` ends in it.
RENAMES = (
    ("encoder.layer.", "layers."),
    ("attention.attention.query.", "attention.q_proj."),
    ("attention.attention.key.", "attention.k_proj."),
    ("attention.attention.value.", "attention.v_proj."),
    ("attention.output.dense.", "attention.o_proj."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
)


def classes() -> tuple[Any, Any]:
    """Configuration and classifier class."""
    from transformers.models.vit.configuration_vit import ViTConfig
    from transformers.models.vit.modeling_vit import ViTForImageClassification

    return ViTConfig, ViTForImageClassification


def patch_tokens(model: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Patch embedding alone: [b,3,s,s] -> [b,N,d]. The projection is called, not its module, which insists on the configured size."""
    tokens: torch.Tensor = model.vit.embeddings.patch_embeddings.projection(pixels)
    return tokens.flatten(2).transpose(1, 2)


def sequence(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Tokens [b,N,d] -> CLS before them, positions added [b,1+N,d]; positions interpolated at another size than configured."""
    embeddings = model.vit.embeddings
    hidden = torch.cat((embeddings.cls_token.expand(len(tokens), -1, -1), tokens), dim=1)
    side = picture_side(tokens.shape[1], model.config.patch_size)
    whole: torch.Tensor = hidden + embeddings.interpolate_pos_encoding(hidden, side, side)
    return whole


def layers(model: Any) -> nn.ModuleList:
    """The layers, first to last."""
    found: nn.ModuleList = model.vit.layers
    return found


def block(layer: Any) -> Block:
    """The parts of one layer; a ViT has no layer scale."""
    return Block(
        norm1=layer.layernorm_before,
        attention=layer.attention,
        scale1=None,
        norm2=layer.layernorm_after,
        mlp=layer.mlp,
        scale2=None,
        exact_gelu=layer.attention.config.hidden_act == "gelu",
    )


def norm(model: Any) -> nn.Module:
    """The layer norm behind the last layer."""
    module: nn.Module = model.vit.layernorm
    return module


def head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states [b,1+N',d] -> logits [b,labels]."""
    logits: torch.Tensor = model.classifier(hidden[:, 0])
    return logits


FAMILY = Family(
    name="vit",
    prefix="vit",
    classes=classes,
    n_prefix=lambda config: 1,
    renames=RENAMES,
    ignored=("pooler.",),
    head_modules=("classifier",),
    patch_tokens=patch_tokens,
    sequence=sequence,
    layers=layers,
    block=block,
    norm=norm,
    head=head,
)
