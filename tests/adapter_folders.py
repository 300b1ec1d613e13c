"""Adapters on disk for the tests, made by peft's own saving, with random tensors so that none can be forgotten unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from models.backbone import Backbone, new_classifier, resolve_backbone

LABELS = ("ant", "bee", "cow")
OLD_NAMES = (("attention.q_proj", "attention.attention.query"), ("attention.v_proj", "attention.attention.value"))


def small_backbone(folder: Path, width: int = 32) -> Backbone:
    """A DINOv2 of two layers with random weights, as the bare model's own saving writes it."""
    from transformers.models.dinov2.modeling_dinov2 import Dinov2Config, Dinov2Model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = Dinov2Model(
            Dinov2Config(hidden_size=width, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14, initializer_range=0.2)
        )
    model.save_pretrained(folder)
    return resolve_backbone(str(folder))


def peft_model(backbone: Backbone, labels: tuple[str, ...] = LABELS, fresh: bool = False, **settings: Any) -> Any:
    """A classifier wrapped by peft; every trained tensor moved off its initial value unless `fresh`."""
    from peft import LoraConfig, get_peft_model

    defaults: dict[str, Any] = {
        "r": 4,
        "lora_alpha": 8,
        "use_dora": True,
        "use_rslora": True,
        "bias": "lora_only",
        "lora_dropout": 0.1,
        "target_modules": ["q_proj", "v_proj", "fc1", "fc2"],
        "modules_to_save": ["classifier"],
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = get_peft_model(new_classifier(backbone, labels), LoraConfig(**{**defaults, **settings}))
        with torch.no_grad():
            for parameter in [] if fresh else [p for p in model.parameters() if p.requires_grad]:
                parameter.mul_(1 + 0.2 * torch.rand_like(parameter)).add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def save_peft(model: Any, folder: Path, labels: tuple[str, ...] | None = LABELS) -> Path:
    """The folder as peft saves it, with the labels in a config.json beside it when given."""
    model.save_pretrained(folder)
    if labels is not None:
        (folder / "config.json").write_text(json.dumps({"id2label": {str(i): label for i, label in enumerate(labels)}}))
    return folder


def edit_config(folder: Path, **changes: Any) -> None:
    """Overwrite keys of adapter_config.json."""
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    """Rewrite adapter_model.safetensors."""
    path = folder / "adapter_model.safetensors"
    changed = {name: tensor.clone().contiguous() for name, tensor in change(load_file(path)).items()}
    path.unlink()
    save_file(changed, path)


def pixels(backbone: Backbone, n: int = 5) -> torch.Tensor:
    """Fixed noise pictures float32[n, 3, s, s]."""
    return torch.randn(n, 3, backbone.image_size, backbone.image_size, generator=torch.Generator().manual_seed(11))
