"""How does a backbone of either modality become a classifier? Loaded strictly from its folder, with a head over given labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from models.backbone_record import AnyBackbone, TextBackbone
from models.errors import ArtifactError
from models.families import FAMILIES
from models.families.architecture import Architecture
from models.folder import content_sha256, read_config, read_weights, weight_files
from models.hashing import seed_of
from models.text_families import TEXT_FAMILIES
from models.tokenizer import text_identity

# A gated MLP stores one matrix for two modules: the gate's half first, then the content's.
_FUSED, _GATED = "mlp.weights_in.", ("mlp.gate_proj.", "mlp.up_proj.")
_OWN = "classifier."  # what a backbone has only together with labels of its own


def architecture_of(backbone: AnyBackbone) -> Architecture:
    """The record of this backbone's family, whichever modality it has."""
    return architecture_named(backbone.family)


def architecture_named(name: str) -> Architecture:
    """The architecture of this name in either modality. Raises ArtifactError `bad_config` naming those there are."""
    known: tuple[Architecture, ...] = (*FAMILIES, *TEXT_FAMILIES)
    for architecture in known:
        if architecture.name == name:
            return architecture
    names = ", ".join(architecture.name for architecture in known)
    raise ArtifactError("bad_config", f"model_type must be one of {names}; found {name!r}. Nothing is imported from a configuration.")


def config_of(architecture: Architecture, config: Mapping[str, Any]) -> Any:
    """config.json as the architecture's own configuration, attention by SDPA. Raises ArtifactError `bad_config`."""
    from huggingface_hub.errors import StrictDataclassError

    try:
        typed = architecture.classes()[0].from_dict(dict(config))
    except (StrictDataclassError, TypeError, ValueError, KeyError) as error:
        raise ArtifactError("bad_config", f"config.json is no configuration of {architecture.name}: {error}") from error
    typed._attn_implementation = "sdpa"
    return typed


def on_meta(backbone: AnyBackbone, n_labels: int) -> nn.Module:
    """The classifier's skeleton with `n_labels` outputs, no memory behind its tensors: to be filled by `load`."""
    architecture = architecture_of(backbone)
    config = config_of(architecture, read_config(backbone.folder / "config.json"))
    config.num_labels = n_labels
    with torch.device("meta"):
        model: nn.Module = architecture.classes()[1](config)
    return model.eval().requires_grad_(False)


def load(model: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Fill a skeleton: every tensor of its state from `state` (no copy), none missing and none left over; and the buffers that no file
    holds, which a text model derives from its sizes."""
    model.load_state_dict(state, strict=True, assign=True)
    for module in model.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                module.register_buffer(name, _derived(name, buffer), persistent=False)


def _derived(name: str, buffer: torch.Tensor) -> torch.Tensor:
    if name == "position_ids":
        return torch.arange(buffer.shape[-1]).expand(buffer.shape)
    if name == "token_type_ids":
        return torch.zeros(buffer.shape, dtype=torch.long)
    raise ArtifactError("tensor_mismatch", f"buffer {name} must be in the weights or derived from sizes; nothing is known of it.")


def classifier_state(backbone: AnyBackbone) -> dict[str, torch.Tensor]:
    """The folder's tensors in float32 under the classifier's own names, with those of the head that the folder has.

    Raises ArtifactError `tensor_mismatch` unless the folder still has the content it was resolved with, and the backbone's
    tensors are all there, no more, in the right shapes.
    """
    stored = read_weights(weight_files(backbone.folder))
    if (found_sha256 := backbone_sha256(backbone, stored)) != backbone.sha256:
        raise ArtifactError(
            "tensor_mismatch",
            f"{backbone.folder} must still have the content {backbone.sha256[:12]} it was resolved with, found {found_sha256[:12]}. "
            "It changed during the run: start the run again.",
        )
    state = {name: tensor.float() for name, tensor in renamed(stored, architecture_of(backbone)).items()}
    _check_fit(backbone, state)
    return state


def backbone_sha256(backbone: AnyBackbone, stored: Mapping[str, torch.Tensor]) -> str:
    """Hex sha256 of what the backbone computes, from its folder: with a text encoder the tokenizer and the pooling are part of it."""
    beside = text_identity(backbone.folder, backbone.pooling) if isinstance(backbone, TextBackbone) else None
    return content_sha256(read_config(backbone.folder / "config.json"), stored, beside)


def renamed(tensors: Mapping[str, torch.Tensor], architecture: Architecture) -> dict[str, torch.Tensor]:
    """Names on disk -> names on the classifier; a checkpoint of the bare backbone gets the prefix it lacks."""
    bare = not any(name.startswith(f"{architecture.prefix}.") for name in tensors)
    ignored = (*architecture.ignored, *(f"{architecture.prefix}.{name}" for name in architecture.ignored))
    state: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        full = f"{architecture.prefix}.{name}" if bare and name not in architecture.head_tensors else name
        if full.startswith(ignored):
            continue
        for old, new in architecture.renames:
            full = full.replace(old, new)
        halves = _GATED if _FUSED in full else (_FUSED,)
        names = [full.replace(_FUSED, half) for half in halves]
        state |= dict(zip(names, tensor.chunk(len(names)), strict=True))
    return state


def _check_fit(backbone: AnyBackbone, state: Mapping[str, torch.Tensor]) -> None:
    architecture = architecture_of(backbone)
    free = {name for name in architecture.head_tensors if name.startswith(_OWN)}
    own = tuple(f"{module}." for module in pretrained_head(architecture, state))
    absent = {name for name in architecture.head_tensors if not name.startswith(own)} if own else set(architecture.head_tensors)
    skeleton = {name: tensor for name, tensor in on_meta(backbone, 1).state_dict().items() if name not in free | absent}
    found = {name: tensor for name, tensor in state.items() if name not in free}
    missing, unexpected = sorted(skeleton.keys() - found.keys()), sorted(found.keys() - skeleton.keys())
    wrong = sorted(name for name in skeleton.keys() & found.keys() if skeleton[name].shape != found[name].shape)
    if missing or unexpected or wrong:
        raise ArtifactError(
            "tensor_mismatch",
            f"{backbone.folder}: weights must fit config.json; missing {missing[:3]}, unexpected {unexpected[:3]}, "
            f"other shape {wrong[:3]} ({len(missing)}, {len(unexpected)}, {len(wrong)} in all). Use weights and config.json of one model.",
        )


def pretrained_head(architecture: Architecture, state: Mapping[str, torch.Tensor]) -> tuple[str, ...]:
    """The head modules that come with the backbone itself: BERT's pooler, where the folder has any tensor of it."""
    inside = (module for module in architecture.head_modules if not f"{module}.".startswith(_OWN))
    return tuple(module for module in inside if any(name.startswith(f"{module}.") for name in state))


def new_head(n_inputs: int, n_labels: int, seed: int, std: float) -> nn.Linear:
    """A fresh linear head: normal weights of sd `std`, drawn from `seed` alone (no global generator); biases 0."""
    with torch.device("meta"):
        head = nn.Linear(n_inputs, n_labels)
    weight = torch.empty(n_labels, n_inputs)
    nn.init.trunc_normal_(weight, std=std, generator=torch.Generator().manual_seed(seed))
    head.weight, head.bias = nn.Parameter(weight), nn.Parameter(torch.zeros(n_labels))
    return head


def new_classifier(backbone: AnyBackbone, labels: Sequence[str], seed: int = 0) -> nn.Module:
    """The backbone with a head over `labels`, in this order: float32, eval mode, SDPA, every parameter trainable.

    The head is new, drawn from `seed`, unless the folder has one over the same labels; then that one, its rows matched by name. Pictures,
    and texts where the backbone pools by the mean: one linear layer. RoBERTa: dense and output layer. BERT: the pooler, which belongs to
    the head and is the folder's where it has one, and one linear layer. The library's global generators are not touched.
    Raises ArtifactError `tensor_mismatch`, `label_mismatch`.
    """
    if not labels or len(set(labels)) != len(labels):
        raise ArtifactError("label_mismatch", f"labels must be distinct and at least one, found {list(labels)}.")
    model: Any = on_meta(backbone, len(labels))
    architecture, state = architecture_of(backbone), classifier_state(backbone)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    rows = _head_rows(backbone, labels, state, shapes)
    if rows is None:
        state = {name: tensor for name, tensor in state.items() if not name.startswith(_OWN)}
        state |= _fresh_head(architecture, state, shapes, seed, float(getattr(model.config, "initializer_range", 0.02)))
    else:
        state |= {name: state[name][rows] for name in architecture.head_tensors[-2:]}
    load(model, state)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: index for index, label in enumerate(labels)}
    trainable: nn.Module = model.requires_grad_(True).eval()
    return trainable


def _fresh_head(
    architecture: Architecture, state: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]], seed: int, std: float
) -> dict[str, torch.Tensor]:
    """New tensors of the head modules that `state` lacks, each drawn from a seed of its own."""
    fresh: dict[str, torch.Tensor] = {}
    for module in architecture.head_modules:
        if f"{module}.weight" in state:
            continue
        outputs, inputs = shapes[f"{module}.weight"]
        head = new_head(inputs, outputs, seed if module == architecture.output else seed_of("head", seed, module), std)
        fresh |= {f"{module}.weight": head.weight.detach(), f"{module}.bias": head.bias.detach()}
    return fresh


def _head_rows(
    backbone: AnyBackbone, labels: Sequence[str], state: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]]
) -> list[int] | None:
    """For each label its row in the folder's own head; None if that head is absent or over other labels."""
    named = read_config(backbone.folder / "config.json").get("id2label") or {}
    row_of = {str(label): int(row) for row, label in named.items()}
    whole = all(name in state and tuple(state[name].shape) == shapes[name] for name in architecture_of(backbone).head_tensors)
    return [row_of[label] for label in labels] if whole and set(row_of) == set(labels) else None
