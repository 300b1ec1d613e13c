"""Where does the run's backbone come from: a name, a folder, or a small one that is pre-trained here?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bronze.build import Examples, examples_of
from lake.door import Lake
from lake.errors import ConfigError, MissingInputError
from lake.identity import settings_id
from lake.progress import Progress
from pipelines.config import Config
from silver.adapters.build import training_data
from silver.adapters.offers import Zoo

if TYPE_CHECKING:
    from models.backbone import Backbone
    from models.images import Preprocessing
    from models.scoring import Scoring

TRAINING = ("adapter_train", "adapter_val")
UNLABELLED = -1  # how pre-training spells a picture whose label it may not see


def obtain_backbone(lake: Lake, config: Config, examples: Examples, artifacts: Path) -> Backbone:
    """The configured backbone, resolved by name or folder; without a name, the small one of `backbone.pretrain`. MissingInputError where
    a name is neither here nor in reach."""
    from models.backbone import resolve_backbone

    if config.backbone.name is not None:
        return named_backbone(config.backbone.name, config.backbone.revision)
    return resolve_backbone(str(_pretrained(lake, config, examples, artifacts)))


def named_backbone(name: str, revision: str | None) -> Backbone:
    """The backbone under a name or in a folder. Raises MissingInputError where it is neither here nor in reach, else ArtifactError."""
    from models.backbone import resolve_backbone
    from models.errors import ArtifactError

    try:
        return resolve_backbone(name, revision)
    except ArtifactError as error:
        if error.code != "not_a_file":
            raise
        raise MissingInputError(
            f"backbone.name: {name!r} is no folder here and cannot be downloaded now. Download it once where there is a network "
            f"(its config.json, preprocessor_config.json and model.safetensors) and set backbone.name to that folder, or give "
            f"backbone.pretrain instead"
        ) from error


def pretrained_note(config: Config, examples: Examples, artifacts: Path) -> Path:
    """The file that names the folder of the small backbone, once there is one for these settings and data."""
    own = config.backbone
    key = settings_id([examples.inputs(*TRAINING), examples.labels, own.pretrain, own.pretrain_labels])
    return artifacts / "backbones" / f"{key}.txt"


def _pretrained(lake: Lake, config: Config, examples: Examples, artifacts: Path) -> Path:
    """Folder of the small backbone, found again by settings and data, trained on the classes it may see when absent."""
    from models.atomic import write_text
    from models.pretraining import preprocessing_for, pretrain
    from models.training_data import TrainingSet

    settings = config.backbone.pretrain
    if settings is None:
        raise ConfigError("backbone: give name or pretrain")
    note = pretrained_note(config, examples, artifacts)
    if note.exists():
        return note.parent / note.read_text(encoding="utf-8")
    scoring = _pictures_only(preprocessing_for(settings), config)
    inputs = examples_of(lake, examples, TRAINING, config.execution.chunk_rows)
    zoo = Zoo(examples.dataset, examples.labels, scoring, config.adapters, artifacts)
    data, _ = training_data(lake, inputs, zoo, settings.resize_to)
    train = TrainingSet.load(data / "adapter_train")
    positions = _seen(config.backbone.pretrain_labels or examples.labels, examples.labels)
    targets = np.array([positions.get(int(label), UNLABELLED) for label in train.label_ids], dtype=np.int64)
    # distillation also learns from the pictures of the other classes, without their labels
    chosen = np.flatnonzero(targets != UNLABELLED) if settings.distillation is None else np.arange(len(targets))
    with Progress(f"pre-training the backbone on {len(chosen)} pictures", settings.total_epochs) as progress:
        threads = config.backbone.threads
        made = pretrain(settings, train.images[chosen], targets[chosen], note.parent, threads=threads, on_epoch=progress.step)
    write_text(note, made.name)
    return made


def _seen(wanted: tuple[str, ...], labels: tuple[str, ...]) -> dict[int, int]:
    """Position of a label in the dataset -> position among the labels that pre-training sees."""
    if unknown := sorted(set(wanted) - set(labels)):
        raise ConfigError(f"backbone.pretrain_labels: {', '.join(unknown)} are no labels of the data ({', '.join(labels)})")
    return {labels.index(label): position for position, label in enumerate(wanted)}


def _pictures_only(preprocessing: Preprocessing, config: Config) -> Scoring:
    """A scoring record for the time before there is a backbone: it prepares pictures and scores nothing."""
    from models.backbone import Backbone
    from models.scoring import Scoring

    size = preprocessing.size
    nobody = Backbone("none", Path(), None, "", "dinov2", size, size, 1, 1, 1, 1)
    return Scoring(nobody, preprocessing, config.decode.limits(), "float32", 1)
