"""Which random model answers differently for different pictures, so that comparing its explanations means something?

With transformers' own random weights (sd 0.02) every picture gets nearly the same probabilities, every patch nearly the same attention,
and two curves agree because nothing moves. Here each weight matrix keeps the size of what goes through it (sd 1 / sqrt(inputs)), queries
and keys of the last layer are made larger so that attention has an order, the patch embedding so that content outweighs position, and the
head is centred and scaled on the bench's own pictures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.adapters import read_adapter
from models.backbone import Backbone, new_classifier, resolve_backbone
from models.lora import adapter_state, save_adapter, with_lora
from models.merge import write_merged
from models.recipe import Recipe

if TYPE_CHECKING:
    from peft import PeftModel

SHARPER = 2.0  # factor on queries and keys of the last layer: logits of attention have about four times the spread
LOGIT_SD = 2.0  # of each class over the pictures
UPDATE_SD = 0.02  # of the entries of LoRA's B


@dataclass(frozen=True)
class Varied:
    """One adapter on one backbone in both forms: as peft computes it, unmerged, and as the file of merged tensors that we score."""

    backbone: Backbone
    unmerged: PeftModel
    merged: Path
    labels: tuple[str, ...]


def varied(folder: Path, size: dict[str, int], labels: tuple[str, ...], pixels: NDArray[np.float32]) -> Varied:
    """A DINOv2 of this size with a DoRA adapter (rank 16, rsLoRA, biases, head), written below `folder`, which must be new."""
    backbone = _backbone(folder / "backbone", size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = with_lora(new_classifier(backbone, labels), Recipe(name="bench", rank=16), backbone.name).eval()
        _move(model)
    _centre_head(model, pixels)
    adapter = folder / "adapter"
    adapter.mkdir(parents=True)
    save_adapter(model, adapter_state(model), adapter)
    (adapter / "config.json").write_text(json.dumps({"id2label": {str(row): label for row, label in enumerate(labels)}}))
    merged = write_merged(read_adapter(adapter, folder, backbone, labels), backbone, "float32", folder / "merged")
    return Varied(backbone, model.requires_grad_(False), merged, labels)


def _backbone(folder: Path, size: dict[str, int]) -> Backbone:
    from transformers.models.dinov2.configuration_dinov2 import Dinov2Config
    from transformers.models.dinov2.modeling_dinov2 import Dinov2Model

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model: Any = Dinov2Model(Dinov2Config(**size))  # type: ignore[arg-type]  # every key is a whole number
        for parameter in model.encoder.parameters():
            if parameter.ndim == 2:
                parameter.normal_(0.0, parameter.shape[1] ** -0.5)
        last = model.encoder.layer[-1].attention
        for projection in (last.q_proj, last.k_proj):
            projection.weight.mul_(SHARPER)
        model.embeddings.patch_embeddings.projection.weight.mul_(2.0)
        model.save_pretrained(folder)
    return resolve_backbone(str(folder))


@torch.no_grad()
def _move(model: nn.Module) -> None:
    """A fresh adapter changes nothing; one that was trained has B, magnitudes and biases of its own."""
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.normal_(0.0, UPDATE_SD)
        elif "lora_magnitude_vector" in name:
            parameter.mul_(1.0 + 0.05 * torch.randn(parameter.shape))
        elif name.endswith("base_layer.bias"):
            parameter.add_(0.02 * torch.randn(parameter.shape))


@torch.no_grad()
def _centre_head(model: PeftModel, pixels: NDArray[np.float32]) -> None:
    """Logits of mean 0 and sd LOGIT_SD over these pictures: one affine change of the head per class."""
    classifier: Any = model.base_model.model
    head = classifier.classifier.modules_to_save["default"]
    logits = torch.cat([model(pixel_values=torch.from_numpy(part)).logits for part in np.array_split(pixels, -(-len(pixels) // 8))])
    scale = LOGIT_SD / logits.std(dim=0).clamp_min(1e-6)
    head.bias.copy_((head.bias - logits.mean(dim=0)) * scale)
    head.weight.mul_(scale[:, None])
