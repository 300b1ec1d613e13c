"""What stands beside the weights of a head and beside the vectors it learned from, and is the folder whole and the expected one?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import ArtifactError
from models.hashing import canonical_json, file_sha256, hash_of
from models.safetensors_file import read_header, read_tensors
from models.strict_json import read_object

MANIFEST = "manifest.json"
MAX_BYTES = 1 << 29  # a million ids with labels are 40 MB
CHECKSUM = "checksum"
HEAD, TRAINING = "this head", "this folder of training examples"


class TrainingManifest(BaseModel):
    """The training examples in the order of their ids. `weights_sha256`: of the file beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    example_ids: tuple[str, ...] = Field(min_length=1)
    label_ids: tuple[int, ...]
    fingerprint: str
    weights_sha256: str | None


class HeadManifest(TrainingManifest):
    """A head: what it is, the training examples behind its slots, the ordered class labels, how it does on its training inputs."""

    head_id: str
    name: str
    variant: str
    labels: tuple[str, ...]
    dim: int
    hidden: int | None
    seed: int | None
    epochs: int | None
    n_slots: int
    parameters: int
    seconds: float
    class_accuracy: float
    top1_index: float
    top5_index: float


M = TypeVar("M", bound=TrainingManifest)


def sealed(path: Path) -> str:
    """Hash of a file's bytes, as the manifest vouches for it."""
    return file_sha256(path)


def write_manifest(manifest: TrainingManifest, folder: Path) -> None:
    """The last file written into the folder, with a checksum of its own content."""
    plain = manifest.model_dump(mode="json")
    (folder / MANIFEST).write_text(json.dumps(plain | {CHECKSUM: _checksum(plain)}, sort_keys=True) + "\n", encoding="utf-8")


def read_manifest(folder: Path, kind: type[M]) -> M:
    """Raises ArtifactError: `not_a_file` without one, `bad_config` for one that is no manifest of this format or was edited."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtifactError("not_a_file", f"{path} must be there: remove the folder and run again")
    plain = read_object(path, MAX_BYTES)
    if plain.pop(CHECKSUM, None) != _checksum(plain):
        raise ArtifactError("bad_config", f"{path} is not as it was written: remove the folder and run again")
    try:
        return kind.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArtifactError("bad_config", f"{path}: {where} is not usable ({first['msg']}): remove the folder and run again") from error


def checked(folder: Path, kind: type[M], weights: str, expected: str, what: str) -> tuple[M, dict[str, torch.Tensor]]:
    """Manifest and tensors of a folder. Raises ArtifactError when a file is damaged, and `training_mismatch` when its training examples
    are others than the `expected` ones: a position then means another example."""
    manifest = read_manifest(folder, kind)
    if manifest.fingerprint != expected:
        raise ArtifactError(
            "training_mismatch",
            f"{what} must know the training examples {expected}, found {manifest.fingerprint} in {folder}: its positions mean other "
            "examples; remove the folder and run again",
        )
    if manifest.weights_sha256 is None:
        return manifest, {}
    path = folder / weights
    if not path.is_file():
        raise ArtifactError("not_a_file", f"{path} must be there: remove the folder and run again")
    read_header(path)
    if sealed(path) != manifest.weights_sha256:
        raise ArtifactError("bad_safetensors", f"{path} is not what its manifest vouches for: remove the folder {folder} and run again")
    return manifest, read_tensors(path)


def _checksum(plain: dict[str, Any]) -> str:
    return hash_of([canonical_json(plain).encode()])
