"""Where does a small backbone in the real DINOv2 architecture come from, when none can be downloaded?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int64, UInt8
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import nn

from models.atomic import PENDING, write_folder
from models.augmentation import Augmentation, augment, draw_changes, normalised
from models.distil import distil
from models.distil_settings import Distillation
from models.errors import ArtifactError
from models.hashing import canonical_json, hash_of, seed_of
from models.images import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from models.pretrain_locality import make_local
from models.pretrain_stage import NO_LABEL, Stage
from models.private_state import private_state

BICUBIC = 3  # Pillow's code, as preprocessor_config.json spells it
HASH_CHARACTERS = 12
TEACHER_PATCHES = (4, 8, 16, 32)


class PretrainSettings(BaseModel):
    """A small DINOv2 and how it is trained: supervised cross-entropy on the classes given, AdamW, one-cycle learning rate (warm-up over
    30 % of the steps, then cosine to 0). Supervision stands in for DINOv2's self-distillation, which needs far more pictures; the
    architecture and the files are the real ones.

    With `distillation` it learns from a convolutional teacher instead, which real photographs need (docs/decisions/0008); the variations
    are then those of `distillation.variation`, and `augmentation` is not used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: Literal["image"] = Field(default="image", exclude=True, description="what it reads; said by the dataset's reader")
    name: str = Field(default="dinov2-small-scale", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    width: int = Field(default=64, ge=1)
    depth: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)
    image_size: int = Field(default=56, ge=1)
    resize_to: int = Field(default=64, ge=1, description="shorter side before the centre crop; 64 / 56 is DINOv2's 256 / 224")
    patch_size: int = Field(default=14, ge=1)
    mlp_ratio: int = Field(default=4, ge=1)
    initializer_range: float = Field(default=0.125, gt=0, lt=1, description="1 / sqrt(width); 0.02 suits 768, and starves a width of 64")
    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=16, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    augmentation: Augmentation = Augmentation()
    seed: int = Field(default=0, ge=0, lt=2**63)
    distillation: Distillation | None = Field(default=None, description="learn from a convolutional teacher; null: plain cross-entropy")

    @model_serializer(mode="wrap")
    def _without_what_is_not_used(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings without distillation read, and hash, as they did before there was any."""
        plain: dict[str, Any] = handler(self)
        if self.distillation is None:
            plain.pop("distillation", None)
        return plain

    @model_validator(mode="after")
    def _sizes_divide(self) -> PretrainSettings:
        if self.width % self.heads or self.image_size % self.patch_size:
            raise ValueError(
                f"width must be a multiple of heads and image_size of patch_size, found {self.width} / {self.heads} and "
                f"{self.image_size} / {self.patch_size}"
            )
        if self.resize_to < self.image_size:
            raise ValueError(f"resize_to must be at least image_size, found {self.resize_to} < {self.image_size}")
        if self.distillation is not None and self.patch_size not in TEACHER_PATCHES:
            allowed = ", ".join(map(str, TEACHER_PATCHES))
            raise ValueError(f"distillation needs a patch_size the teacher's strides reach ({allowed}), found {self.patch_size}")
        return self

    @property
    def total_epochs(self) -> int:
        """Epochs of all stages together, the teacher's included."""
        return self.epochs + (self.distillation.teacher.epochs if self.distillation is not None else 0)


def pretrain(
    settings: PretrainSettings,
    images: UInt8[np.ndarray, "n s s 3"],
    label_ids: Int64[np.ndarray, " n"],
    folder: Path,
    threads: int = 2,
    on_epoch: Callable[[], None] = lambda: None,
) -> Path:
    """Train the backbone and write it below `folder` in Hugging Face layout (config.json, model.safetensors without the head,
    preprocessor_config.json); returns its path, `<name>-<hash of settings and data>`. A folder of that name is used as it is.

    Pictures come at `resize_to`, so that the augmentation's crop cuts a window of them and zooms nothing. With `distillation` a label
    of -1 is a picture seen without its label. `on_epoch` is called after each of `settings.total_epochs`, at once for those that an
    earlier, killed run of distillation has done: it is resumed from its checkpoint below `folder` and gives the same weights.
    Deterministic on one machine and thread count; written whole or not at all. Raises ArtifactError `nonfinite` when the loss diverges,
    ValueError when images and labels do not match.
    """
    if len(images) != len(label_ids) or not len(images):
        raise ValueError(f"each picture must have a label, found {len(images)} pictures and {len(label_ids)} labels")
    if (lowest := int(label_ids.min())) < (0 if settings.distillation is None else NO_LABEL) or int(label_ids.max()) < 0:
        raise ValueError(f"label ids must be 0 or more (with distillation some may be {NO_LABEL}, not all), found {lowest}")
    digest = _settings_hash(settings, images, label_ids)
    path = folder / f"{settings.name}-{digest[:HASH_CHARACTERS]}"
    if path.is_dir():
        return path
    checkpoints = folder / f"{PENDING}{path.name}"
    with private_state(seed_of("pretrain", settings.seed, "torch"), threads):
        model = new_model(settings, n_labels=int(label_ids.max()) + 1)
        pictures, targets = torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(label_ids)
        if settings.distillation is None:
            _fit(model, settings, pictures, targets, on_epoch)
        else:
            make_local(model, settings.distillation.locality)
            distil(model, settings.distillation, _student(settings, model), settings.patch_size, pictures, targets, checkpoints, on_epoch)
    write_folder(path, lambda pending: _save(model, settings, pending))
    shutil.rmtree(checkpoints, ignore_errors=True)
    return path


def _student(settings: PretrainSettings, model: nn.Module) -> Stage:
    own = settings.distillation or Distillation()
    return Stage(
        name="student",
        module=model,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        inner_learning_rate=own.inner_learning_rate,
        weight_decay=settings.weight_decay,
        warm_share=own.warm_share,
        clip_norm=own.clip_norm,
        precision=torch.bfloat16 if own.precision == "bfloat16" else torch.float32,
        variation=own.variation,
        preprocessing=preprocessing_for(settings),
        seed=settings.seed,
    )


def _settings_hash(settings: PretrainSettings, images: np.ndarray, label_ids: np.ndarray) -> str:
    text = canonical_json(settings.model_dump(mode="json"))
    data = np.ascontiguousarray(images)
    return hash_of([text.encode(), str(data.shape).encode(), data.tobytes(), label_ids.astype("<i8").tobytes()])


def new_model(settings: PretrainSettings, n_labels: int) -> Any:
    from transformers.models.dinov2.configuration_dinov2 import Dinov2Config
    from transformers.models.dinov2.modeling_dinov2 import Dinov2ForImageClassification

    config: Any = Dinov2Config(
        hidden_size=settings.width,
        num_hidden_layers=settings.depth,
        num_attention_heads=settings.heads,
        mlp_ratio=settings.mlp_ratio,
        image_size=settings.image_size,
        patch_size=settings.patch_size,
        initializer_range=settings.initializer_range,
    )
    config.num_labels = n_labels
    return Dinov2ForImageClassification(config)


def _fit(model: nn.Module, settings: PretrainSettings, images: torch.Tensor, labels: torch.Tensor, on_epoch: Callable[[], None]) -> None:
    preprocessing = preprocessing_for(settings)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    steps = settings.epochs * -(-len(labels) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps)
    model.train()
    for epoch in range(settings.epochs):
        generator = torch.Generator().manual_seed(seed_of("pretrain", settings.seed, epoch))
        changes = draw_changes(len(labels), settings.augmentation, generator)
        for batch in torch.split(torch.randperm(len(labels), generator=generator), settings.batch_size):
            pixels = normalised(augment(images[batch], changes[batch], settings.image_size), preprocessing)
            loss = F.cross_entropy(model(pixel_values=pixels).logits, labels[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            schedule.step()
        if not torch.isfinite(loss):
            found = f"found {loss.item()} in epoch {epoch + 1}"
            raise ArtifactError("nonfinite", f"pretraining {settings.name}: the loss must stay finite, {found}: lower learning_rate")
        on_epoch()
    model.eval()


def preprocessing_for(settings: PretrainSettings) -> Preprocessing:
    """Shorter side to `resize_to`, centre crop, ImageNet's mean and standard deviation, as DINOv2 has them."""
    return Preprocessing(size=settings.image_size, resize_to=settings.resize_to)


def _save(model: Any, settings: PretrainSettings, folder: Path) -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar for one small file on a stream not ours
    model.dinov2.save_pretrained(folder)
    logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers has no types here
    side = settings.image_size
    processor = {
        "image_processor_type": "BitImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": settings.resize_to},
        "resample": BICUBIC,
        "do_center_crop": True,
        "crop_size": {"height": side, "width": side},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(IMAGENET_MEAN),
        "image_std": list(IMAGENET_STD),
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n", encoding="utf-8")
