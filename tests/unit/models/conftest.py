"""Small random backbones on disk, in the real architectures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14}


def architecture(kind: str) -> tuple[Any, Any, Any]:
    """(configuration, bare model, classifier) classes of a model type."""
    if kind == "dinov2":
        from transformers.models.dinov2 import modeling_dinov2 as module

        return module.Dinov2Config, module.Dinov2Model, module.Dinov2ForImageClassification
    if kind == "dinov2_with_registers":
        from transformers.models.dinov2_with_registers import modeling_dinov2_with_registers as registers

        return (
            registers.Dinov2WithRegistersConfig,
            registers.Dinov2WithRegistersModel,
            registers.Dinov2WithRegistersForImageClassification,
        )
    from transformers.models.vit import modeling_vit as vit

    return vit.ViTConfig, vit.ViTModel, vit.ViTForImageClassification


def save(folder: Path, kind: str, labels: tuple[str, ...] = (), **settings: Any) -> Path:
    """Random weights, every tensor, so that none can be forgotten unseen; a classifier where `labels` are given, else bare."""
    config_class, bare, classifier = architecture(kind)
    more = {"intermediate_size": 64} if kind == "vit" else {}
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: row for row, label in enumerate(labels)}} if labels else {}
    model = (classifier if labels else bare)(config_class(**{**SHAPE, **more, **names, **settings}))
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.2, generator=generator)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """(kind, labels=(), **configuration) -> folder of that backbone, written once per session: do not change it."""
    folders: dict[str, Path] = {}

    def make(kind: str, labels: tuple[str, ...] = (), **settings: Any) -> Path:
        key = repr((kind, labels, sorted(settings.items())))
        if key not in folders:
            folders[key] = save(tmp_path_factory.mktemp(kind), kind, labels, **settings)
        return folders[key]

    return make


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., Path]:
    """The same in a folder of the test's own, to be damaged."""

    def make(kind: str = "dinov2", labels: tuple[str, ...] = (), **settings: Any) -> Path:
        return save(tmp_path / "backbone", kind, labels, **settings)

    return make
