"""What does training leave behind, for either modality: a folder with its manifest, whole or not at all?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from models.atomic import write_folder
from models.backbone_record import AnyBackbone, modality_of
from models.manifest import BackboneRecord, Manifest, file_hashes, write_manifest
from models.training_data import Examples, check_labels
from models.training_progress import Epoch
from models.training_recipe import TrainingRecipe, recipe_sha256


@dataclass(frozen=True)
class Trained:
    """What training left: the adapter's folder, its metrics (those of the kept epoch), and how the epochs went."""

    folder: Path
    metrics: dict[str, float]
    epochs: tuple[Epoch, ...]
    recipe_sha256: str
    weights_sha256: str


@dataclass(frozen=True)
class Origin:
    """What an adapter is trained from, as its manifest tells it. `data`: fingerprint of the training data."""

    recipe: TrainingRecipe
    backbone: AnyBackbone
    labels: tuple[str, ...]
    preprocessing: Mapping[str, Any]
    data: str

    @property
    def sha256(self) -> str:
        """By which the adapter is found again."""
        return recipe_sha256(self.recipe, self.backbone.sha256, self.data)


def check_training(recipe: TrainingRecipe, labels: Sequence[str], splits: Mapping[str, Examples], folder: Path) -> None:
    """Raise ArtifactError `label_unknown`, ValueError for an empty split, FileExistsError when the folder is there."""
    for split, examples in splits.items():
        check_labels(labels, examples)
        if not len(examples):
            raise ValueError(f"recipe {recipe.name}: the {split} set must hold examples, found none")
    if folder.exists():
        raise FileExistsError(f"{folder} exists already: an adapter is never overwritten; remove the folder to train it anew")


def write_trained(
    origin: Origin, metrics: dict[str, float], epochs: Sequence[Epoch], folder: Path, save: Callable[[Path], None]
) -> Trained:
    """Let `save` write the adapter's two files, and put the manifest beside them."""

    def fill(pending: Path) -> None:
        save(pending)
        write_manifest(_manifest(origin, metrics, pending), pending)

    write_folder(folder, fill)
    return Trained(folder, metrics, tuple(epochs), origin.sha256, file_hashes(folder)["adapter_model.safetensors"])


def sizes(model: nn.Module) -> dict[str, float]:
    """trainable_parameters, and trainable_share of the classifier with the added LoRA tensors, in (0, 1]."""
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    # peft keeps the untrained head beside the trained one; it is no part of the classifier
    spare = sum(parameter.numel() for name, parameter in model.named_parameters() if ".original_module." in name)
    return {
        "trainable_parameters": trainable,
        "trainable_share": trainable / (sum(parameter.numel() for parameter in model.parameters()) - spare),
    }


def _manifest(origin: Origin, metrics: dict[str, float], pending: Path) -> Manifest:
    backbone = origin.backbone
    return Manifest(
        files=file_hashes(pending),
        backbone=BackboneRecord(name=backbone.name, revision=backbone.revision, sha256=backbone.sha256),
        modality=modality_of(backbone),
        labels=origin.labels,
        preprocessing=dict(origin.preprocessing),
        recipe=origin.recipe.model_dump(mode="json"),
        recipe_sha256=origin.sha256,
        training_data=origin.data,
        metrics=metrics,
    )
