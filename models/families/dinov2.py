"""How is a DINOv2 fed and read? CLS before the patches; the head reads CLS joined with the mean patch (Oquab et al., 2304.07193)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from models.families.family import Family, kept_tokens, mean_token, picture_side

# transformers 5.18 renamed these in the model but still writes the old names to disk.
RENAMES = (
    ("attention.attention.query.", "attention.q_proj."),
    ("attention.attention.key.", "attention.k_proj."),
    ("attention.attention.value.", "attention.v_proj."),
    ("attention.output.dense.", "attention.o_proj."),
    ("mlp.weights_out.", "mlp.down_proj."),
)


def classes() -> tuple[Any, Any]:
    """Configuration and classifier class."""
    from transformers.models.dinov2.configuration_dinov2 import Dinov2Config
    from transformers.models.dinov2.modeling_dinov2 import Dinov2ForImageClassification

    return Dinov2Config, Dinov2ForImageClassification


def patch_tokens(model: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Patch embedding alone: [b,3,s,s] -> [b,N,d]."""
    tokens: torch.Tensor = model.dinov2.embeddings.patch_embeddings(pixels)
    return tokens


def encode(model: Any, tokens: torch.Tensor, keep: torch.Tensor | None) -> torch.Tensor:
    """Tokens [b,N,d] -> hidden states after the last layer norm [b,1+N',d]."""
    base, embeddings = model.dinov2, model.dinov2.embeddings
    hidden = torch.cat((embeddings.cls_token.expand(len(tokens), -1, -1), tokens), dim=1)
    side = picture_side(tokens.shape[1], model.config.patch_size)
    hidden = embeddings.dropout(hidden + embeddings.interpolate_pos_encoding(hidden, side, side))
    hidden = torch.cat((hidden[:, :1], kept_tokens(hidden[:, 1:], keep)), dim=1)
    encoded: torch.Tensor = base.layernorm(base.encoder(hidden).last_hidden_state)
    return encoded


def head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states [b,1+N',d] -> logits [b,labels]."""
    logits: torch.Tensor = model.classifier(torch.cat((hidden[:, 0], mean_token(hidden[:, 1:])), dim=1))
    return logits


def last_attention(model: Any) -> nn.Module:
    """The attention module of the last layer."""
    module: nn.Module = model.dinov2.encoder.layer[-1].attention
    return module


FAMILY = Family(
    name="dinov2",
    prefix="dinov2",
    classes=classes,
    n_prefix=lambda config: 1,
    last_attention=last_attention,
    renames=RENAMES,
    ignored=(),
    patch_tokens=patch_tokens,
    encode=encode,
    head=head,
)
