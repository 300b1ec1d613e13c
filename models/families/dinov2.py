"""How is a DINOv2 fed and read? CLS before the patches; the head reads CLS joined with the mean patch (Oquab et al., 2304.07193)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from models.families.family import Block, Family, mean_token, picture_side

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


def sequence(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Tokens [b,N,d] -> CLS before them, positions added [b,1+N,d]."""
    embeddings = model.dinov2.embeddings
    hidden = torch.cat((embeddings.cls_token.expand(len(tokens), -1, -1), tokens), dim=1)
    side = picture_side(tokens.shape[1], model.config.patch_size)
    whole: torch.Tensor = hidden + embeddings.interpolate_pos_encoding(hidden, side, side)
    return whole


def layers(model: Any) -> nn.ModuleList:
    """The layers, first to last."""
    found: nn.ModuleList = model.dinov2.encoder.layer
    return found


def block(layer: Any) -> Block:
    """The parts of one layer, of DINOv2 with registers too."""
    return Block(
        norm1=layer.norm1,
        attention=layer.attention,
        scale1=layer.layer_scale1.lambda1,
        norm2=layer.norm2,
        mlp=layer.mlp,
        scale2=layer.layer_scale2.lambda1,
        exact_gelu=layer.attention.config.hidden_act == "gelu",
    )


def norm(model: Any) -> nn.Module:
    """The layer norm behind the last layer."""
    module: nn.Module = model.dinov2.layernorm
    return module


def head(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states [b,1+N',d] -> logits [b,labels]."""
    logits: torch.Tensor = model.classifier(torch.cat((hidden[:, 0], mean_token(hidden[:, 1:])), dim=1))
    return logits


FAMILY = Family(
    name="dinov2",
    prefix="dinov2",
    classes=classes,
    n_prefix=lambda config: 1,
    renames=RENAMES,
    ignored=(),
    head_modules=("classifier",),
    patch_tokens=patch_tokens,
    sequence=sequence,
    layers=layers,
    block=block,
    norm=norm,
    head=head,
)
