"""Which backbone is this, exactly, and how does it become a classifier? Read from a folder, loaded strictly, identified by content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.errors import ArtifactError
from models.families import family_named
from models.families.family import Family
from models.folder import content_sha256, read_config, read_weights, weight_files
from models.hub import download
from models.images import preprocessing_of
from models.roles import module_roles

__all__ = ["Backbone", "classifier_state", "module_roles", "new_classifier", "new_head", "on_meta", "resolve_backbone"]

HUB_FILES = ["config.json", "preprocessor_config.json", "*.safetensors"]
# A gated MLP stores one matrix for two modules: the gate's half first, then the content's.
_FUSED, _GATED = "mlp.weights_in.", ("mlp.gate_proj.", "mlp.up_proj.")
_HEAD = ("classifier.weight", "classifier.bias")


@dataclass(frozen=True)
class Backbone:
    """One pretrained vision model on disk. `sha256` is of configuration and weights; the name is only a label."""

    name: str
    folder: Path
    revision: str | None  # commit of a hub model, None for a local folder
    sha256: str
    family: str
    image_size: int  # pixels per side at the model's input (preprocessing's crop, not config.json's training size)
    patch_size: int
    hidden_size: int
    n_prefix: int  # CLS and register tokens before the patches
    n_units: int  # patches per picture
    n_layers: int


def resolve_backbone(name_or_folder: str, revision: str | None = None) -> Backbone:
    """The backbone in a local folder in Hugging Face layout, or under a hub name (downloaded once, then read from the cache).

    Raises ArtifactError: `not_a_file` (neither a folder nor reachable), `pickle`, `bad_safetensors`, `bad_config`.
    """
    local = Path(name_or_folder).expanduser()
    folder = local if local.is_dir() else download(name_or_folder, revision, HUB_FILES)
    if (folder / "adapter_config.json").is_file():
        raise ArtifactError("bad_config", f"{folder} must be a backbone, found an adapter. Name its base model instead.")
    files = weight_files(folder)
    config = read_config(folder / "config.json")
    family = family_named(str(config.get("model_type")))
    typed = _config_of(family, config)
    size, patch = preprocessing_of(folder).size, _square(typed.patch_size)
    return Backbone(
        name=folder.resolve().name if local.is_dir() else name_or_folder,
        folder=folder,
        revision=revision if local.is_dir() else folder.name,
        sha256=content_sha256(config, read_weights(files)),
        family=family.name,
        image_size=size,
        patch_size=patch,
        hidden_size=int(typed.hidden_size),
        n_prefix=family.n_prefix(config),
        n_units=(size // patch) ** 2,
        n_layers=int(typed.num_hidden_layers),
    )


def _square(size: Any) -> int:
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise ArtifactError("bad_config", f"config.json: patch_size must be square, found {size}.")
    return int(sides.pop())


def _config_of(family: Family, config: dict[str, Any]) -> Any:
    """config.json as the family's own configuration, attention by SDPA. Raises ArtifactError `bad_config`."""
    from huggingface_hub.errors import StrictDataclassError

    try:
        typed = family.classes()[0].from_dict(config)
    except (StrictDataclassError, TypeError, ValueError, KeyError) as error:
        raise ArtifactError("bad_config", f"config.json is no configuration of {family.name}: {error}") from error
    typed._attn_implementation = "sdpa"
    return typed


def on_meta(backbone: Backbone, n_labels: int) -> nn.Module:
    """The classifier's skeleton with `n_labels` outputs, no memory behind its tensors: to be filled by `load_state_dict(assign=True)`."""
    family = family_named(backbone.family)
    config = _config_of(family, read_config(backbone.folder / "config.json"))
    config.num_labels = n_labels
    with torch.device("meta"):
        model: nn.Module = family.classes()[1](config)
    return model.eval().requires_grad_(False)


def classifier_state(backbone: Backbone) -> dict[str, torch.Tensor]:
    """The folder's tensors in float32 under the classifier's own names, with `classifier.*` if the folder has a head.

    Raises ArtifactError `tensor_mismatch` unless the folder still has the content it was resolved with, and the backbone's
    tensors are all there, no more, in the right shapes.
    """
    stored = read_weights(weight_files(backbone.folder))
    if (found_sha256 := content_sha256(read_config(backbone.folder / "config.json"), stored)) != backbone.sha256:
        raise ArtifactError(
            "tensor_mismatch",
            f"{backbone.folder} must still have the content {backbone.sha256[:12]} it was resolved with, found {found_sha256[:12]}. "
            "It changed during the run: start the run again.",
        )
    state = {name: tensor.float() for name, tensor in _renamed(stored, family_named(backbone.family)).items()}
    _check_fit(backbone, state)
    return state


def _check_fit(backbone: Backbone, state: dict[str, torch.Tensor]) -> None:
    skeleton = {name: tensor for name, tensor in on_meta(backbone, 1).state_dict().items() if name not in _HEAD}
    found = {name: tensor for name, tensor in state.items() if name not in _HEAD}
    missing, unexpected = sorted(skeleton.keys() - found.keys()), sorted(found.keys() - skeleton.keys())
    wrong = sorted(name for name in skeleton.keys() & found.keys() if skeleton[name].shape != found[name].shape)
    if missing or unexpected or wrong:
        raise ArtifactError(
            "tensor_mismatch",
            f"{backbone.folder}: weights must fit config.json; missing {missing[:3]}, unexpected {unexpected[:3]}, "
            f"other shape {wrong[:3]} ({len(missing)}, {len(unexpected)}, {len(wrong)} in all). Use weights and config.json of one model.",
        )


def _renamed(tensors: dict[str, torch.Tensor], family: Family) -> dict[str, torch.Tensor]:
    """Names on disk -> names on the classifier; a checkpoint of the bare backbone gets the prefix it lacks."""
    bare = not any(name.startswith(f"{family.prefix}.") for name in tensors)
    state: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        full = f"{family.prefix}.{name}" if bare and name not in _HEAD else name
        if full.startswith(tuple(f"{family.prefix}.{ignored}" for ignored in family.ignored)):
            continue
        for old, new in family.renames:
            full = full.replace(old, new)
        halves = _GATED if _FUSED in full else (_FUSED,)
        names = [full.replace(_FUSED, half) for half in halves]
        state |= dict(zip(names, tensor.chunk(len(names)), strict=True))
    return state


def new_head(n_inputs: int, n_labels: int, seed: int, std: float) -> nn.Linear:
    """A fresh linear head: normal weights of sd `std`, drawn from `seed` alone (no global generator); biases 0."""
    with torch.device("meta"):
        head = nn.Linear(n_inputs, n_labels)
    weight = torch.empty(n_labels, n_inputs)
    nn.init.trunc_normal_(weight, std=std, generator=torch.Generator().manual_seed(seed))
    head.weight, head.bias = nn.Parameter(weight), nn.Parameter(torch.zeros(n_labels))
    return head


def new_classifier(backbone: Backbone, labels: Sequence[str], seed: int = 0) -> nn.Module:
    """The backbone with a linear head over `labels`, in this order: float32, eval mode, SDPA, every parameter trainable.

    The head is new, drawn from `seed`, unless the folder has one over the same labels; then that one, its rows matched by
    name. The library's global generators are not touched. Raises ArtifactError `tensor_mismatch`, `label_mismatch`.
    """
    if not labels or len(set(labels)) != len(labels):
        raise ArtifactError("label_mismatch", f"labels must be distinct and at least one, found {list(labels)}.")
    model: Any = on_meta(backbone, len(labels))
    state = classifier_state(backbone)
    weight = model.classifier.weight
    rows = _head_rows(backbone, labels, state, tuple(weight.shape))
    if rows is None:
        fresh = new_head(weight.shape[1], len(labels), seed, float(getattr(model.config, "initializer_range", 0.02)))
        state |= {"classifier.weight": fresh.weight.detach(), "classifier.bias": fresh.bias.detach()}
    else:
        state |= {name: state[name][rows] for name in _HEAD}
    model.load_state_dict(state, strict=True, assign=True)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: index for index, label in enumerate(labels)}
    trainable: nn.Module = model.requires_grad_(True).eval()
    return trainable


def _head_rows(backbone: Backbone, labels: Sequence[str], state: dict[str, torch.Tensor], shape: tuple[int, ...]) -> list[int] | None:
    """For each label its row in the folder's own head; None if that head is absent or over other labels."""
    named = read_config(backbone.folder / "config.json").get("id2label") or {}
    row_of = {str(label): int(row) for row, label in named.items()}
    if not all(name in state for name in _HEAD) or tuple(state["classifier.weight"].shape) != shape or set(row_of) != set(labels):
        return None
    return [row_of[label] for label in labels]
