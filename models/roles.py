"""Which module of this very model is the query, the value, the first layer of the MLP? Names change; roles do not."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from models.errors import ArtifactError

_LAYER = re.compile(r"(?:^|\.)layers?\.(\d+)\.(.+)$")

# Between the backbone's hidden states and the logits: the classifier, and the pooler before it where there is one.
_HEAD = ("pooler", "classifier")

# Role -> ways it is spelled inside one layer, newest first; a spelling of two names is a gated MLP.
# transformers 5.18 renamed query/key/value to q_proj/k_proj/v_proj: with a name that matches nothing, peft adapts less without a word.
SPELLINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "query": (("attention.q_proj",), ("attention.attention.query",), ("attention.self.query",)),
    "key": (("attention.k_proj",), ("attention.attention.key",), ("attention.self.key",)),
    "value": (("attention.v_proj",), ("attention.attention.value",), ("attention.self.value",)),
    "attention_out": (("attention.o_proj",), ("attention.output.dense",)),
    "mlp_in": (("mlp.fc1",), ("intermediate.dense",), ("mlp.gate_proj", "mlp.up_proj"), ("mlp.weights_in",)),
    "mlp_out": (("mlp.fc2",), ("output.dense",), ("mlp.down_proj",), ("mlp.weights_out",)),
}


def module_roles(model: nn.Module) -> dict[str, tuple[str, ...]]:
    """Role -> full module names on `model`, in layer order: query, key, value, attention_out, mlp_in, mlp_out, head.

    Every name is an `nn.Linear` found on the model itself. A gated MLP (SwiGLU) has two mlp_in names per layer. A head may be several
    modules, in the order they are passed; the last one's rows are the labels.
    Raises ArtifactError `tensor_mismatch` when a role is not found once in every layer, or there is no linear `classifier`.
    """
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    layers: dict[int, dict[str, str]] = {}
    for name in linear:
        if match := _LAYER.search(name):
            layers.setdefault(int(match[1]), {})[match[2]] = name
    config: Any = model.config
    expected = int(config.num_hidden_layers)
    if sorted(layers) != list(range(expected)):
        raise ArtifactError("tensor_mismatch", f"{type(model).__name__}: expected layers 0 to {expected - 1}, found {sorted(layers)}.")
    roles = {role: _names_of(role, layers) for role in SPELLINGS}
    head = tuple(name for part in _HEAD for name in linear if part in name.split("."))
    if not head or "classifier" not in head[-1].split("."):
        found = ", ".join(head) or "none"
        raise ArtifactError("tensor_mismatch", f"{type(model).__name__}: expected a linear module `classifier`, found {found}.")
    return roles | {"head": head}


def head_containers(head: tuple[str, ...]) -> list[str]:
    """What peft's `modules_to_save` must name to train a head whole: `classifier`, and `pooler` where it has one."""
    return sorted({part for name in head for part in name.split(".") if part in _HEAD})


def _names_of(role: str, layers: dict[int, dict[str, str]]) -> tuple[str, ...]:
    for spelling in SPELLINGS[role]:
        if all(tail in found for found in layers.values() for tail in spelling):
            return tuple(layers[index][tail] for index in sorted(layers) for tail in spelling)
    found = ", ".join(sorted(layers[min(layers)])) if layers else "no layer"
    raise ArtifactError("tensor_mismatch", f"role {role} must stand once in every layer under one of {SPELLINGS[role]}; found {found}.")
