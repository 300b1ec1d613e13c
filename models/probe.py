"""Does this adapter change anything at all?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file
from torch import nn

from models.adapters import Adapter
from models.backbone_record import AnyBackbone, Backbone
from models.classifier import classifier_state, load, new_classifier
from models.roles import module_roles

TOLERANCE = 1e-6
INPUTS = 4
TOKENS = 16
SEED = 20_260_101


@dataclass(frozen=True)
class Probe:
    """`inert`: no input can tell the adapter from the backbone. `head_only`: only the head is its own; noted, but ready."""

    status: Literal["ready", "inert"]
    notes: tuple[str, ...]


def probe(adapter: Adapter, backbone: AnyBackbone, merged: Path) -> Probe:
    """Compare the head's input with and without the adapter on four fixed inputs (noise pictures, random tokens), in float32 arithmetic.

    Unchanged means within 1e-6 everywhere. `merged` must be the adapter's float32 merged file (else ValueError): in 16 bits rounding alone
    moves the head's input, and an adapter's status must not depend on the dtype it is scored in.
    """
    changed = load_file(merged)
    if any(tensor.dtype != torch.float32 for tensor in changed.values()):
        raise ValueError(f"{merged.name} must hold float32 tensors: probe the file written with dtype='float32'")
    model = new_classifier(backbone, adapter.labels)
    head = module_roles(model)["head"]
    modules = tuple(f"{module}." for module in head)
    head_is_folders = _is_folders_head(model, head, changed, backbone)
    if any(not name.startswith(modules) for name in changed) and _input_moves(model, head, changed, backbone):
        return Probe("ready", ())
    return Probe("inert", ()) if head_is_folders else Probe("ready", ("head_only",))


def _input_moves(model: nn.Module, head: tuple[str, ...], changed: Mapping[str, torch.Tensor], backbone: AnyBackbone) -> bool:
    inputs = _inputs(model, backbone)
    before = _head_input(model, head[0], inputs)
    load(model, {**model.state_dict(), **changed})
    return bool((_head_input(model, head[0], inputs) - before).abs().max() > TOLERANCE)


def _inputs(model: Any, backbone: AnyBackbone) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(SEED)
    if isinstance(backbone, Backbone):
        return {"pixel_values": torch.randn((INPUTS, 3, backbone.image_size, backbone.image_size), generator=generator)}
    shape = (INPUTS, min(TOKENS, backbone.n_tokens))
    ids = torch.randint(model.config.vocab_size, shape, generator=generator)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _head_input(model: nn.Module, first: str, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    with _caught(model.get_submodule(first)) as caught, torch.no_grad():
        model(**inputs)
    return caught[0]


@contextmanager
def _caught(module: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Collects the module's inputs; the hook is gone afterwards, also after an exception."""
    inputs: list[torch.Tensor] = []
    hook = module.register_forward_pre_hook(lambda _, arguments: inputs.append(arguments[0].detach().clone()))
    try:
        yield inputs
    finally:
        hook.remove()


def _is_folders_head(model: nn.Module, head: tuple[str, ...], changed: Mapping[str, torch.Tensor], backbone: AnyBackbone) -> bool:
    # A head drawn anew by new_classifier is nobody's: only one that lies in the backbone's folder can make an adapter inert.
    if f"{head[-1]}.weight" not in classifier_state(backbone):
        return False
    own = {name: tensor for name, tensor in changed.items() if name.startswith(tuple(f"{module}." for module in head))}
    state = model.state_dict()
    return all(tensor.shape == state[name].shape and torch.equal(tensor, state[name]) for name, tensor in own.items())
