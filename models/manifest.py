"""What does this project write beside an adapter it trained, and is an adapter of this recipe there already?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.adapter_files import CONFIG, MANIFEST, WEIGHTS
from models.atomic import PENDING
from models.errors import ArtifactError
from models.hashing import canonical_json, file_sha256
from models.strict_json import read_object

SHARES = ("accuracy", "f1", "precision", "recall", "trainable_share")


class BackboneRecord(BaseModel):
    """The backbone an adapter was trained on: its label, the pinned revision, the hash of its content."""

    model_config = ConfigDict(frozen=True)

    name: str
    revision: str | None
    sha256: str


class Manifest(BaseModel):
    """manifest.json. Fields this version does not know are ignored, so that later versions may add some."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    files: dict[str, str] = Field(description="sha256 of adapter_config.json and adapter_model.safetensors")
    backbone: BackboneRecord
    modality: Literal["image", "text"]
    labels: tuple[str, ...] = Field(min_length=1, description="label of each output, in order")
    preprocessing: dict[str, Any]
    recipe: dict[str, Any]
    recipe_sha256: str
    training_data: str = Field(description="fingerprint of the training data")
    metrics: dict[str, float]

    @field_validator("recipe")
    @classmethod
    def _recipe_is_plain(cls, value: dict[str, Any]) -> dict[str, Any]:
        kind, seed = value.get("kind"), value.get("seed")
        if not isinstance(kind, str | None) or isinstance(seed, bool) or not isinstance(seed, int | None):
            raise ValueError(f"kind must be a text and seed a whole number, found {kind!r} and {seed!r}")
        return value

    @field_validator("metrics")
    @classmethod
    def _metrics_are_possible(cls, value: dict[str, float]) -> dict[str, float]:
        for name, number in value.items():
            high = 1.0 if name in SHARES else math.inf
            if not (math.isfinite(number) and 0.0 <= number <= high):
                raise ValueError(f"{name} must be a finite number in [0, {high:g}], found {number!r}")
        return value


def file_hashes(folder: Path) -> dict[str, str]:
    """sha256 of the two files a manifest vouches for."""
    return {name: file_sha256(folder / name) for name in (CONFIG, WEIGHTS)}


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write manifest.json; the last file written into an adapter's folder."""
    (folder / MANIFEST).write_text(canonical_json(manifest.model_dump(mode="json")) + "\n", encoding="utf-8")


def read_manifest(path: Path) -> Manifest:
    """Raises ArtifactError `bad_config` when the file is no manifest of this format."""
    try:
        return Manifest.model_validate(read_object(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArtifactError("bad_config", f"manifest.json: {where} is not usable ({first['msg']}); remove it or train again") from error


def find_trained(root: Path, recipe_sha256: str) -> Path | None:
    """The adapter folder directly below `root` whose manifest carries this recipe hash, first by name; None when it must be trained.
    A folder whose manifest cannot be read does not count as trained; reading it as an adapter says why."""
    if not root.is_dir():
        return None
    for folder in sorted(root.iterdir()):
        path = folder / MANIFEST
        if folder.name.startswith(PENDING) or not path.is_file():
            continue
        try:
            manifest = read_manifest(path)
        except ArtifactError:
            continue
        if manifest.recipe_sha256 == recipe_sha256:
            return folder
    return None
