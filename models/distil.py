"""How does a small DINOv2 learn from a convolutional teacher that was trained on the same pictures?

Source: "Knowledge distillation: a good teacher is patient and consistent" (Beyer et al. 2022): teacher and student see the same varied
picture. Difference: besides the class probabilities the student matches the teacher's last map place by place (FitNets, Romero et al.
2015), which gives one target per patch, and gives pictures without a label something to teach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from models.distil_settings import Distillation, Variation
from models.distil_teacher import new_teacher
from models.images import Preprocessing
from models.pretrain_checkpoint import Checkpoint
from models.pretrain_stage import NO_LABEL, Stage, run_stage
from models.pretrain_variation import N_DRAWS, vary

STILL = Variation(
    rotation_degrees=0, window_from=1, window_to=1, stretch=0, flip_share=0, jitter=0, erased_side=0, erased_share=0, mixed_share=0
)
N_CALIBRATION = 512  # pictures whose teacher maps give each channel's mean and spread


def distil(
    model: Any,
    settings: Distillation,
    student: Stage,
    patch_size: int,
    images: torch.Tensor,
    labels: torch.Tensor,
    checkpoints: Path,
    on_epoch: Callable[[], None],
) -> None:
    """Train a teacher on the labelled pictures, then `model` (Dinov2ForImageClassification, in place) on all of them.

    `student` names the stage's settings (its module is `model`); labels int64[n], -1 for a picture seen without its label;
    `checkpoints`: the folder in which a killed run finds its stages again.
    """
    model.set_attn_implementation("eager")  # bfloat16, one thread: 2.9 ms a picture and step, the fused kernel's backward 6.1 ms
    n_labels = int(labels.max()) + 1
    teacher, channels = new_teacher(settings.teacher, n_labels, patch_size, model.config.image_size // patch_size)
    known = labels != NO_LABEL

    def teacher_loss(pixels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(teacher(pixels)[0].float(), targets, label_smoothing=settings.label_smoothing)

    stage = _teacher_stage(teacher, settings, student)
    run_stage(stage, images[known], labels[known], teacher_loss, _checkpoint(checkpoints, stage, settings), on_epoch)
    teacher.requires_grad_(False).settle()
    mean, spread = _channel_scale(teacher, images, student.preprocessing, student.precision)
    mapping = nn.Linear(model.config.hidden_size, channels)
    both = nn.ModuleDict({"model": model, "mapping": mapping})
    answer = _answers(teacher, remember=settings.views > 0)

    def student_loss(pixels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        tokens = model.dinov2(pixels).last_hidden_state
        logits = model.classifier(torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], dim=1)).float()
        teacher_logits, teacher_map = answer(pixels)
        places = (teacher_map.float().flatten(2).transpose(1, 2) - mean) / spread
        features = F.smooth_l1_loss(mapping(tokens[:, 1:]).float(), places)
        hard = _hard_loss(logits, targets, settings.label_smoothing)
        soft = _soft_loss(logits, teacher_logits.float(), settings.temperature)
        return settings.hard_weight * hard + settings.soft_weight * soft + settings.feature_weight * features

    whole = Stage(**{**vars(student), "module": both, "views": settings.views})
    run_stage(whole, images, labels, student_loss, _checkpoint(checkpoints, whole, settings), on_epoch)


def _answers(teacher: nn.Module, remember: bool) -> Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """The teacher's logits and map for a batch, asked once for each where `remember`: batches are known by their bytes."""
    known: dict[bytes, tuple[torch.Tensor, torch.Tensor]] = {}

    @torch.no_grad()
    def answer(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if not remember:
            found: tuple[torch.Tensor, torch.Tensor] = teacher(pixels)
            return found
        key = hashlib.blake2b(pixels.numpy().data, digest_size=16).digest()
        if key not in known:
            known[key] = teacher(pixels)
        return known[key]

    return answer


def _teacher_stage(teacher: nn.Module, settings: Distillation, student: Stage) -> Stage:
    own = settings.teacher
    unmixed = student.variation.model_copy(update={"mixed_share": 0.0})  # a mixed picture has no label, and labels are all it learns from
    changed = {"name": "teacher", "module": teacher, "epochs": own.epochs, "batch_size": own.batch_size, "variation": unmixed}
    return Stage(**{**vars(student), **changed, "learning_rate": own.learning_rate, "weight_decay": own.weight_decay})


def _checkpoint(folder: Path, stage: Stage, settings: Distillation) -> Checkpoint:
    return Checkpoint(folder / f"{stage.name}.safetensors", settings.checkpoint_seconds)


def _hard_loss(logits: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Mean cross-entropy over all pictures of the batch, those without a label counting 0, so that no batch divides by nothing."""
    total = F.cross_entropy(logits, targets, ignore_index=NO_LABEL, label_smoothing=smoothing, reduction="sum")
    return total / len(targets)


def _soft_loss(logits: torch.Tensor, teacher_logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Kullback-Leibler divergence in nats from the teacher's softened probabilities, times temperature squared (Hinton et al. 2015)."""
    theirs = F.softmax(teacher_logits / temperature, dim=1)
    return F.kl_div(F.log_softmax(logits / temperature, dim=1), theirs, reduction="batchmean") * temperature**2


@torch.no_grad()
def _channel_scale(
    teacher: nn.Module, images: torch.Tensor, preprocessing: Preprocessing, precision: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each channel of the teacher's map over the first pictures, unvaried: float32[channels] each."""
    first = images[:N_CALIBRATION]
    pixels = vary(first, torch.full((len(first), N_DRAWS), 0.5), STILL, preprocessing)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        maps = teacher(pixels)[1].float().transpose(0, 1).flatten(1)
    return maps.mean(dim=1), maps.std(dim=1) + 1e-5
