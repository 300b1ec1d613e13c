"""What stands in a model folder, and is it safe to read? JSON configuration and safetensors, nothing else is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from models.errors import ArtifactError
from models.hashing import canonical_json
from models.strict_json import read_object

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
# Written by the library that saved the folder; they say nothing about the function computed.
NOT_IDENTITY = frozenset({"transformers_version", "_name_or_path", "architectures", "dtype", "torch_dtype"})


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object in `path`. Raises ArtifactError `bad_config` where it is missing, too big, too deep, ambiguous or no object."""
    if not path.is_file():
        raise ArtifactError("bad_config", f"{path.name} must stand in {path.parent}; found none. Use a folder in Hugging Face layout.")
    return read_object(path)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The *.safetensors of `folder`, sorted. Raises ArtifactError `pickle` if only pickled weights stand there, else `bad_safetensors`."""
    files = tuple(sorted(folder.glob("*.safetensors")))
    if files:
        return files
    if pickled := sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED):
        found = f"found {pickled[0]}, left unopened. Convert it to safetensors first."
        raise ArtifactError("pickle", f"{folder} must hold *.safetensors, {found}")
    raise ArtifactError("bad_safetensors", f"{folder} must hold *.safetensors, found none. Save the model with safe serialization.")


def read_weights(files: tuple[Path, ...]) -> dict[str, torch.Tensor]:
    """All tensors of `files` by name, as stored. Raises ArtifactError `bad_safetensors` on a damaged file or a name that stands twice."""
    tensors: dict[str, torch.Tensor] = {}
    for path in files:
        try:
            with safe_open(path, framework="pt") as opened:
                found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a mapping
        except (SafetensorError, OSError) as error:
            raise ArtifactError("bad_safetensors", f"{path} must be a whole safetensors file: {error}. Copy it again.") from error
        if twice := sorted(tensors.keys() & found.keys()):
            raise ArtifactError("bad_safetensors", f"{path}: tensor {twice[0]} stands in another file too. Keep one set of weights.")
        tensors |= found
    return tensors


def content_sha256(config: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], beside: Mapping[str, Any] | None = None) -> str:
    """Hex sha256 of what a model computes: configuration without bookkeeping keys, then every tensor by name, type, shape, bytes.

    `beside`: what else decides its numbers (a text model's tokenizer), as plain data. Sharding, file metadata, key order and the version
    of the saving library leave it unchanged; one changed weight does not.
    """
    kept = {key: value for key, value in config.items() if key not in NOT_IDENTITY}
    digest = hashlib.sha256(canonical_json(kept).encode())
    if beside is not None:
        digest.update(b"\0beside\0" + canonical_json(beside).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
