"""What does CLS look at in the last layer? One row of attention, computed beside the fast kernel that does not tell.

Asking transformers for attentions switches every layer to the slow eager path. Here one layer, for as long as the context lasts,
runs the same SDPA kernel and adds softmax(q_cls k^T * scale): N products per head instead of N^2.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_NAME = "sdpa_with_cls_row"
_ROWS = "recorded_cls_rows"


@contextmanager
def cls_rows(attention: nn.Module) -> Iterator[list[torch.Tensor]]:
    """While open, each forward through `attention` (the last layer's module) appends its CLS row: float32[b, heads, tokens].

    A row sums to 1 over all tokens, prefix included. Logits are those of plain SDPA. On exit, also after an exception, the
    module is as before. One thread per model. ValueError if the module is already being read.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if hasattr(attention, _ROWS):
        raise ValueError("the attention of this module is already being read; leave the outer context first")
    ALL_ATTENTION_FUNCTIONS.register(_NAME, _sdpa_with_cls_row)
    module: Any = attention
    original, rows = module.config, list[torch.Tensor]()
    # A copy of the configuration for this one module: the other layers and the mask keep theirs.
    module.config = copy.copy(original)
    module.config._attn_implementation = _NAME
    setattr(module, _ROWS, rows)
    try:
        yield rows
    finally:
        module.config = original
        delattr(module, _ROWS)


def _sdpa_with_cls_row(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **passed_on: Any,  # transformers' attention interface hands every function arguments of other models
) -> tuple[torch.Tensor, None]:
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    scores = (query[:, :, :1].float() @ key.float().transpose(2, 3)).squeeze(2) * scaling
    getattr(module, _ROWS).append(scores.softmax(dim=-1))
    output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **passed_on)
    return output, None
