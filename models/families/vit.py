"""How is a plain ViT fed and read? CLS before the patches; the head reads CLS alone (Dosovitskiy et al., 2010.11929)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from models.families.family import Family, kept_tokens, picture_side

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


def encode(model: Any, tokens: torch.Tensor, keep: torch.Tensor | None) -> torch.Tensor:
    """Tokens [b,N,d] -> hidden states after the last layer norm [b,1+N',d]; positions interpolated at another size than configured."""
    base, embeddings = model.vit, model.vit.embeddings
    hidden = torch.cat((embeddings.cls_token.expand(len(tokens), -1, -1), tokens), dim=1)
    side = picture_side(tokens.shape[1], model.config.patch_size)
    hidden = embeddings.dropout(hidden + embeddings.interpolate_pos_encoding(hidden, side, side))
    hidden = torch.cat((hidden[:, :1], kept_tokens(hidden[:, 1:], keep)), dim=1)
    for layer in base.layers:
        hidden = layer(hidden)
    encoded: torch.Tensor = base.layernorm(hidden)
    return encoded


def head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states [b,1+N',d] -> logits [b,labels]."""
    logits: torch.Tensor = model.classifier(hidden[:, 0])
    return logits


def last_attention(model: Any) -> nn.Module:
    """The attention module of the last layer."""
    module: nn.Module = model.vit.layers[-1].attention
    return module


FAMILY = Family(
    name="vit",
    prefix="vit",
    classes=classes,
    n_prefix=lambda config: 1,
    last_attention=last_attention,
    renames=RENAMES,
    ignored=("pooler.",),
    patch_tokens=patch_tokens,
    encode=encode,
    head=head,
)
