"""What is this adapter, and may it be used on this backbone with these labels?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.adapter_config import AdapterConfig, parse_adapter_config
from models.adapter_files import CONFIG, MANIFEST, MODEL_CONFIG, WEIGHTS, checked_file, checked_folder, config_path, weights_path
from models.adapter_labels import check_label_set, labels_of_model_config
from models.adapter_tensors import canonical_names, check_shapes, skeleton
from models.backbone_record import AnyBackbone, TextBackbone, modality_of
from models.errors import ArtifactError
from models.hashing import canonical_json, file_sha256, hash_of
from models.manifest import Manifest, read_manifest
from models.safetensors_file import read_header, read_tensors
from models.strict_json import read_object


@dataclass(frozen=True)
class Adapter:
    """One adapter that fits its backbone. `labels[i]` is the meaning of output i. `adapter_id` identifies the function it computes;
    `name` is a label. `rank` and `alpha` are None where no layer is adapted because every weight was trained and saved. `recipe`, `seed`,
    `recipe_sha256` and `metrics` come from our manifest and are None or empty without one.
    `trainable_share` = trained parameters / parameters of the classifier with the added LoRA tensors, in (0, 1]."""

    name: str
    folder: Path
    adapter_id: str
    labels: tuple[str, ...]
    rank: int | None
    alpha: float | None
    use_dora: bool
    use_rslora: bool
    seed: int | None
    recipe: dict[str, Any] | None
    recipe_sha256: str | None
    weights_sha256: str
    trainable_parameters: int
    trainable_share: float
    metrics: dict[str, float]
    notes: tuple[str, ...]


def read_adapter(
    folder: Path, root: Path, backbone: AnyBackbone, data_labels: Sequence[str], config_labels: Sequence[str] | None = None
) -> Adapter:
    """Read and check one adapter folder (Hugging Face PEFT layout) that must lie inside `root`.

    Labels come from manifest.json, else `id2label` of a config.json beside it, else `config_labels`; they must be a permutation of
    `data_labels`. Notes: `no_manifest`, `biases_missing`. Raises ArtifactError with a code of FAULTS: outside_root, not_a_file,
    bad_config, pickle, bad_safetensors, tensor_mismatch, label_missing, label_mismatch, nonfinite. No partial load.
    """
    inside = checked_folder(folder, root)
    config = parse_adapter_config(read_object(config_path(inside, root)), backbone.hidden_size)
    weights = weights_path(inside, root)
    weights_sha256 = file_sha256(weights)
    manifest = _manifest(inside, root, backbone, weights_sha256)
    labels = _labels(inside, root, manifest, config_labels)
    check_label_set(labels, data_labels)
    tensors, notes = _fitting_tensors(weights, config, backbone, len(labels))
    trainable = sum(tensor.numel() for tensor in tensors.values())
    adapted = any(".lora_A." in name for name in tensors)
    return Adapter(
        name=folder.name,
        folder=inside,
        adapter_id=_adapter_id(tensors, config, backbone, labels),
        labels=labels,
        rank=config.rank if adapted else None,
        alpha=config.alpha if adapted else None,
        use_dora=config.use_dora,
        use_rslora=config.use_rslora,
        seed=manifest.recipe.get("seed") if manifest else None,
        recipe=manifest.recipe if manifest else None,
        recipe_sha256=manifest.recipe_sha256 if manifest else None,
        weights_sha256=weights_sha256,
        trainable_parameters=trainable,
        trainable_share=trainable / _all_parameters(tensors, backbone, len(labels)),
        metrics=dict(manifest.metrics) if manifest else {},
        notes=notes if manifest else ("no_manifest", *notes),
    )


def load_tensors(adapter: Adapter, backbone: AnyBackbone) -> tuple[AdapterConfig, dict[str, torch.Tensor]]:
    """The config and the tensors (canonical name -> tensor as stored) of an adapter that was read before. Raises ArtifactError
    `bad_safetensors` when the file is no longer the one that was read, and whatever `read_adapter` raises for its content."""
    weights = adapter.folder / WEIGHTS
    if file_sha256(weights) != adapter.weights_sha256:
        raise ArtifactError("bad_safetensors", f"{adapter.name}/{WEIGHTS} must be the file that was read, found it changed: run again")
    config = parse_adapter_config(read_object(adapter.folder / CONFIG), backbone.hidden_size)
    tensors, _ = _fitting_tensors(weights, config, backbone, len(adapter.labels))
    return config, tensors


def _manifest(folder: Path, root: Path, backbone: AnyBackbone, weights_sha256: str) -> Manifest | None:
    path = checked_file(folder, MANIFEST, root)
    if path is None:
        _require_known_head(folder, backbone)
        return None
    manifest = read_manifest(path)
    if manifest.modality != (read := modality_of(backbone)):
        raise ArtifactError("bad_config", f"adapter {folder.name!r} must be for {read} inputs, found {manifest.modality} in {MANIFEST}")
    if manifest.backbone.sha256 != backbone.sha256:
        raise ArtifactError(
            "tensor_mismatch",
            f"adapter {folder.name!r} must be used on the backbone it was trained on, {manifest.backbone.name} "
            f"({manifest.backbone.sha256:.12}), found {backbone.name} ({backbone.sha256:.12})",
        )
    found = {CONFIG: file_sha256(config_path(folder, root)), WEIGHTS: weights_sha256}
    for name, code in ((CONFIG, "bad_config"), (WEIGHTS, "bad_safetensors")):
        if manifest.files.get(name) != found[name]:
            raise ArtifactError(code, f"{folder.name}/{name} must have the sha256 its manifest says, found another: copy the folder again")
    return manifest


def _require_known_head(folder: Path, backbone: AnyBackbone) -> None:
    """The library's own classifiers read CLS. A head trained there has the names and shapes of one over the mean token, and would be
    scored wrongly without a word."""
    if isinstance(backbone, TextBackbone) and backbone.pooling == "mean":
        raise ArtifactError(
            "tensor_mismatch",
            f"adapter {folder.name!r} must have a {MANIFEST}, found none: the head of {backbone.name} reads the mean token, that of other "
            "tools' classifiers reads CLS. Resolve the backbone with pooling='cls' for such adapters",
        )


def _labels(folder: Path, root: Path, manifest: Manifest | None, config_labels: Sequence[str] | None) -> tuple[str, ...]:
    if manifest is not None:
        return manifest.labels
    path = checked_file(folder, MODEL_CONFIG, root)
    beside = labels_of_model_config(read_object(path)) if path else None
    if beside is not None:
        return beside
    if config_labels is not None:
        return tuple(config_labels)
    raise ArtifactError(
        "label_missing",
        f"adapter {folder.name!r} must say its labels in {MANIFEST} or in id2label of a {MODEL_CONFIG} beside it, found neither: add one, "
        "or give the labels in the run's config",
    )


def _fitting_tensors(
    weights: Path, config: AdapterConfig, backbone: AnyBackbone, n_labels: int
) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    header = read_header(weights)
    names = canonical_names(header, backbone)
    notes = check_shapes(config, {canonical: header[name].shape for name, canonical in names.items()}, skeleton(backbone, n_labels))
    tensors = read_tensors(weights)
    return {canonical: tensors[name] for name, canonical in names.items()}, notes


def _adapter_id(tensors: Mapping[str, torch.Tensor], config: AdapterConfig, backbone: AnyBackbone, labels: Sequence[str]) -> str:
    def parts() -> Iterator[bytes]:
        yield canonical_json({"config": config.canonical(), "backbone": backbone.sha256, "labels": list(labels)}).encode()
        for name in sorted(tensors):
            tensor = tensors[name].contiguous()
            yield f"{name} {tensor.dtype} {list(tensor.shape)}".encode()
            yield hashlib.sha256(tensor.reshape(-1).view(torch.uint8).numpy().tobytes()).digest()

    return hash_of(parts())


def _all_parameters(tensors: Mapping[str, torch.Tensor], backbone: AnyBackbone, n_labels: int) -> int:
    parameters = skeleton(backbone, n_labels).parameters
    added = sum(tensor.numel() for name, tensor in tensors.items() if name not in parameters)
    own: int = sum(torch.Size(shape).numel() for shape in parameters.values())
    return own + added
