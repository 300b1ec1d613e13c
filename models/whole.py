"""What is the classifier itself in float32, with all its layers, where the lean encoder cannot stand for it: in gradients?"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from models.assembly import assembled
from models.backbone_record import AnyBackbone
from models.classifier import load
from models.shared_base import Base


def whole(backbone: AnyBackbone, base: Base, changed: Path | str | None) -> tuple[nn.Module, int]:
    """The classifier of `backbone` with the tensors of the file `changed`, in float32 on the base's device, none of them trained; and the
    memory of its tensors that no other scorer shares."""
    model, _, own = assembled(backbone, base.state, changed)
    state = {name: base.copied(name, tensor) for name, tensor in model.state_dict().items()}
    load(model, state)
    return model.requires_grad_(False).to(base.device), sum(state[name].nbytes for name in own)
