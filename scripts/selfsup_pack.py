"""Which pictures does an arm without a teacher see, and which judge it? All of them in one file, to carry to a machine with a GPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.pretraining import PretrainSettings, preprocessing_for

HELD_SEED = 1  # decision 0014's 500 held-out pictures: the first tenth of this permutation of the folder's pictures


def pack(out: Path, config: Path, training: Path) -> None:
    """Write what an arm needs in one file: adapter_train in the order of its folder, adapter_val, the held-out positions, the settings.
    Raises ValueError when the pictures of the source are not those that `training`, a folder of a finished lake, trained on."""
    from models.decode import decode
    from models.images import to_model_resolution
    from models.training_data import TrainingSet
    from pipelines.config import load_config

    own = load_config(config)
    settings, limits = own.backbone.pretrain, own.decode.limits()
    if not isinstance(settings, PretrainSettings):
        raise ValueError(f"{config}: backbone.pretrain must be that of a backbone for pictures")
    files = sorted((Path(str(own.source.root)) / "train").glob("*/*"))  # by class, then by name
    preprocessing = preprocessing_for(settings)
    images = np.stack([to_model_resolution(decode(file.read_bytes(), limits).image, preprocessing) for file in files])
    names = sorted({file.parent.name for file in files})
    train, val = (TrainingSet.load(training / split) for split in ("adapter_train", "adapter_val"))
    if sorted(map(bytes, images)) != sorted(map(bytes, train.images)):
        raise ValueError(f"{training}: adapter_train must hold the {len(files)} pictures below {own.source.root}/train, found others")
    held = torch.randperm(len(files), generator=torch.Generator().manual_seed(HELD_SEED))[: len(files) // 10]
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out,
        images=np.diff(images, axis=2, prepend=np.uint8(0)),  # differences of neighbours, modulo 256: a fifth smaller
        labels=np.array([names.index(file.parent.name) for file in files]),
        val_images=np.diff(val.images, axis=2, prepend=np.uint8(0)),
        val_labels=val.label_ids,
        held=held.numpy(),
        settings=np.array(settings.model_dump_json()),
    )


@dataclass(frozen=True)
class Data:
    """Pictures float[n, 3, s, s] in [0, 1] with labels, and the sets that judge: `held` (not trained on) and `val`."""

    images: torch.Tensor
    labels: torch.Tensor
    judges: dict[str, tuple[torch.Tensor, torch.Tensor]]
    settings: PretrainSettings


def load(path: Path, keep_all: bool, device: str) -> Data:
    """The packed file on the device. With `keep_all` the held-out pictures are trained on as well, and only `val` judges."""
    with np.load(path) as file:
        images, val = (np.cumsum(file[key], axis=2, dtype=np.uint8) for key in ("images", "val_images"))
        labels, val_labels, held = file["labels"], file["val_labels"], file["held"]
        settings = PretrainSettings.model_validate_json(str(file["settings"]))
    rest = np.arange(len(labels)) if keep_all else np.setdiff1d(np.arange(len(labels)), held)

    def put(pictures: np.ndarray, targets: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).to(device).float() / 255
        return pixels, torch.from_numpy(targets.astype(np.int64)).to(device)

    judges = {"val": put(val, val_labels)} | ({} if keep_all else {"held": put(images[held], labels[held])})
    return Data(*put(images[rest], labels[rest]), judges, settings)
