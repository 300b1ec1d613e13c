"""What are a backbone's tensors with an adapter's in their place, as one classifier that is ready to be taken apart?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from models.backbone_record import AnyBackbone
from models.classifier import architecture_of, load, on_meta
from models.errors import ArtifactError
from models.folder import read_weights


class Assembled(NamedTuple):
    """A classifier in float32 on the CPU, its number of labels (0: no head), and the names of the tensors that are not the backbone's."""

    model: nn.Module
    n_labels: int
    own: frozenset[str]


def assembled(backbone: AnyBackbone, base: Mapping[str, torch.Tensor], changed: Path | str | None) -> Assembled:
    """The classifier of `base` (models.classifier.classifier_state) with the tensors in the safetensors file `changed` in their place.

    Without a head the model gets one of zeros, which nobody may ask. Raises ArtifactError `tensor_mismatch` for a name or shape that the
    classifier lacks, or a part of a head.
    """
    own = {} if changed is None else {name: tensor.float() for name, tensor in read_weights((Path(changed),)).items()}
    state, architecture = {**base, **own}, architecture_of(backbone)
    output = f"{architecture.output}.weight"
    n_labels = len(state[output]) if output in state else 0
    model = on_meta(backbone, n_labels or 1)
    expected = model.state_dict()
    if not n_labels:
        state |= {name: torch.zeros(expected[name].shape) for name in architecture.head_tensors if name not in state}
    _check(changed, state, expected)
    load(model, state)
    return Assembled(model.requires_grad_(False), n_labels, frozenset(own))


def _check(changed: Path | str | None, state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> None:
    wrong = [name for name in sorted(state) if name not in expected or state[name].shape != expected[name].shape]
    wrong += sorted(expected.keys() - state.keys())
    if wrong:
        raise ArtifactError(
            "tensor_mismatch",
            f"{changed}: tensors must have the names and shapes of the classifier; {len(wrong)} have not, the first is {wrong[0]}. "
            "Merge the adapter again on this backbone.",
        )
