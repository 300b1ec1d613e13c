"""The twin of the lean encoder: transformers' own layers, one after the other, over the tokens that are kept."""

from __future__ import annotations

import torch
from torch import nn

from models.families.family import Family, kept_tokens


def encoded(family: Family, model: nn.Module, tokens: torch.Tensor, keep: torch.Tensor | None) -> torch.Tensor:
    """Patch tokens [b,N,d], those with keep = False left out -> hidden states behind the last norm [b,n_prefix+N',d]."""
    hidden = family.sequence(model, tokens)
    prefix = hidden.shape[1] - tokens.shape[1]
    hidden = torch.cat((hidden[:, :prefix], kept_tokens(hidden[:, prefix:], keep)), dim=1)
    for layer in family.layers(model):
        hidden = layer(hidden)
    return family.norm(model)(hidden)
