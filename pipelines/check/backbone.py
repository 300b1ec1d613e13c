"""Which backbone would the run have, without a lake and without Spark?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.backbone import Backbone, resolve_backbone
from models.backbone_record import TextBackbone
from models.pretraining import PretrainSettings, preprocessing_for, pretrain
from models.text_backbone import resolve_text_backbone
from models.text_pretraining import TextPretrainSettings, pretrain_text
from pipelines.config import Config

STAND_IN_PICTURES = 16


def pretrained_folder(config: Config, artifacts: Path | None) -> Path | None:
    """The newest backbone of this `backbone.pretrain.name` in an artifacts folder, or None: the run decides by settings and data."""
    settings = config.backbone.pretrain
    folder = artifacts / "backbones" if artifacts is not None else None
    if settings is None or folder is None or not folder.is_dir():
        return None
    found = [path for path in folder.iterdir() if path.name.startswith(f"{settings.name}-") and (path / "config.json").is_file()]
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)


def stand_in(settings: PretrainSettings, folder: Path) -> Backbone:
    """A backbone of the shape that `backbone.pretrain` asks for, trained one epoch on noise: it costs what the real one will.

    Without distillation, which changes weights and no shape."""
    short = settings.model_copy(update={"epochs": 1, "distillation": None, "batch_size": min(settings.batch_size, STAND_IN_PICTURES)})
    noise, labels = _noise(preprocessing_for(settings).resize_to)
    return resolve_backbone(str(pretrain(short, noise, labels, folder, threads=1)))


def text_stand_in(settings: TextPretrainSettings, texts: Sequence[str], folder: Path) -> TextBackbone:
    """The same for texts, with the vocabulary of the tried ones: trained one epoch on them."""
    short = settings.model_copy(update={"epochs": 1})
    return resolve_text_backbone(str(pretrain_text(short, texts, folder)))


def _noise(side: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    generator = np.random.Generator(np.random.PCG64(0))
    noise = generator.integers(0, 256, (STAND_IN_PICTURES, side, side, 3), dtype=np.uint8)
    return noise, np.arange(STAND_IN_PICTURES, dtype=np.int64) % 2
