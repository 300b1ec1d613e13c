"""What must be known of a family of text encoders to load, feed and read it? One record; one file per family fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import nn

from models.families.architecture import Architecture

Pooling = Literal["cls", "mean"]
Hidden = Float[torch.Tensor, "batch tokens width"]
Attended = Bool[torch.Tensor, "batch tokens"]
Places = Int64[torch.Tensor, "batch tokens"]


@dataclass(frozen=True)
class PostNormBlock:
    """The parts of one post-norm layer as transformers' modules. `exact_gelu`: the MLP uses erf-GELU, else `activation`."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    out: nn.Linear
    norm1: nn.LayerNorm
    inner: nn.Linear
    outer: nn.Linear
    norm2: nn.LayerNorm
    heads: int
    scale: float
    activation: Callable[[torch.Tensor], torch.Tensor]
    exact_gelu: bool


@dataclass(frozen=True)
class TextFamily(Architecture):
    """How one text architecture is loaded and taken apart: token ids -> embeddings -> layers -> logits.

    `pooling`: what the head reads, CLS (the library's own classifier) or the mean over the tokens that are attended, specials included
    (sentence encoders, which were trained so: Reimers and Gurevych, 1908.10084).
    `n_positions(config)`: tokens of the longest input, specials included, by the position table.
    `positions(attended, config)`: position id of every token, within the table at padding too.
    `embeddings(model)`: the module of word, position and type embeddings with their layer norm. `layers(model)`, and `block(layer)` the
    parts of one. `head(model, hidden, attended) -> [b,labels]`, from the last layer's hidden states.
    """

    model_type: str  # in config.json
    pooling: Pooling
    specials: Mapping[str, str]  # role (cls, sep, pad, mask) -> token, where tokenizer_config.json does not say another
    n_positions: Callable[[Any], int]
    positions: Callable[[Attended, Any], Places]
    embeddings: Callable[[nn.Module], nn.Module]
    layers: Callable[[nn.Module], nn.ModuleList]
    block: Callable[[nn.Module], PostNormBlock]
    head: Callable[[nn.Module, Hidden, Attended], torch.Tensor]


def mean_token(hidden: Hidden, attended: Attended) -> Float[torch.Tensor, "batch width"]:
    """Mean of the hidden states that are attended; every text has at least its specials."""
    shown = attended.unsqueeze(-1).to(hidden.dtype)
    return (hidden * shown).sum(dim=1) / shown.sum(dim=1)


def encoder_layers(model: Any) -> nn.ModuleList:
    """The layers of a classifier of the library that has a BERT or one of its descendants below it, first to last."""
    found: nn.ModuleList = model.base_model.encoder.layer
    return found


def encoder_embeddings(model: Any) -> nn.Module:
    """Its word, position and type embeddings with their layer norm."""
    module: nn.Module = model.base_model.embeddings
    return module


def mean_head(model: Any, hidden: Hidden, attended: Attended) -> torch.Tensor:
    """The mean token through the classifier."""
    logits: torch.Tensor = model.classifier(mean_token(hidden, attended))
    return logits


def bert_block(layer: Any) -> PostNormBlock:
    """The parts of one layer of BERT, which RoBERTa took over name by name."""
    attention = layer.attention.self
    return PostNormBlock(
        query=attention.query,
        key=attention.key,
        value=attention.value,
        out=layer.attention.output.dense,
        norm1=layer.attention.output.LayerNorm,
        inner=layer.intermediate.dense,
        outer=layer.output.dense,
        norm2=layer.output.LayerNorm,
        heads=int(attention.num_attention_heads),
        scale=float(attention.scaling),
        activation=layer.intermediate.intermediate_act_fn,
        exact_gelu=attention.config.hidden_act == "gelu",
    )
