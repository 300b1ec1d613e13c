"""Do an adapter's tensors fit this backbone, all of them and nothing else?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch

from models.adapter_config import AdapterConfig
from models.backbone_record import AnyBackbone, TextBackbone
from models.classifier import architecture_of, on_meta
from models.errors import ArtifactError
from models.roles import head_containers, module_roles

Shape = tuple[int, ...]
PREFIX = "base_model.model."
_SAVED = re.compile(r"\.modules_to_save(\.default)?\.")
# Spellings of one part over peft's versions -> the canonical one. `.bias` is a trained bias of the adapted layer.
_PARTS = (
    (re.compile(r"\.lora_(A|B)(\.default)?\.weight$"), r".lora_\1.weight"),
    (re.compile(r"\.lora_magnitude_vector(\.default)?(\.weight)?$"), ".lora_magnitude_vector"),
    (re.compile(r"\.base_layer\.bias$"), ".bias"),
    (_SAVED, "."),
)


@dataclass(frozen=True)
class Skeleton:
    """The classifier without its numbers: parameter shapes, linear modules (out, in), the head's modules (the last one's rows are the
    labels), those of them that no backbone brings along, and for each linear module the names that targets may call it by (its own and
    the one older libraries used)."""

    parameters: Mapping[str, Shape]
    linear: Mapping[str, tuple[int, int]]
    head: tuple[str, ...]
    brought: tuple[str, ...]
    called: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=8)
def skeleton(backbone: AnyBackbone, n_labels: int) -> Skeleton:
    """The skeleton of the backbone's classifier with `n_labels` outputs; no weights are read."""
    model = on_meta(backbone, n_labels)
    linear = {name: (m.out_features, m.in_features) for name, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    head = module_roles(model)["head"]
    pretrained = backbone.own_head if isinstance(backbone, TextBackbone) else ()
    return Skeleton(
        parameters={name: tuple(parameter.shape) for name, parameter in model.named_parameters()},
        linear=linear,
        head=head,
        brought=tuple(name for name in head if name not in pretrained),
        called={name: (name, _older(name, backbone)) for name in linear},
    )


def canonical_names(names: Collection[str], backbone: AnyBackbone) -> dict[str, str]:
    """Name in the file -> canonical name (the module's name on the actual model, then the part). Names of the older transformers
    (`attention.attention.query`) become today's, so that no tensor is lost. Left out is what peft writes twice with bias="all": the
    untrained bias of the head, and its trained one under a second name. Raises ArtifactError `tensor_mismatch` when a name does not
    start as peft's names do or two tensors mean the same one."""
    renamed: dict[str, str] = {}
    for name in names:
        if ".original_module." in name or (".modules_to_save." in name and _SAVED.sub(".", name) in names):
            continue
        if not name.startswith(PREFIX):
            raise _mismatch(f"tensor names must start with {PREFIX!r}", f"{name!r:.120}")
        renamed[name] = _newer(name.removeprefix(PREFIX), backbone)
    if len(set(renamed.values())) != len(renamed):
        raise _mismatch("each tensor must be given once", "two spellings of one name")
    return renamed


def check_shapes(config: AdapterConfig, found: Mapping[str, Shape], outline: Skeleton) -> tuple[str, ...]:
    """Raise ArtifactError `tensor_mismatch` unless the canonical names and shapes are exactly those the config means on this
    backbone. Returns notes: `biases_missing` when the config says trained biases and the file has none (saved by peft before
    0.21, which dropped them)."""
    saved = _saved_shapes(config, found, outline)
    adapted = [name for name in _named(config, found, outline) if f"{name}.weight" not in saved]
    if not adapted and not saved.keys() >= outline.parameters.keys():  # a model saved whole needs no adapted layer
        targets = ", ".join((config.targets or ())[:5]) or "none"
        raise _mismatch(f"target_modules must name layers of this backbone, found {targets}", "another backbone")
    required = _lora_shapes(config, adapted, outline) | saved
    biases = _bias_shapes(config, adapted, outline, required)
    missing_biases = bool(biases) and not any(name in found for name in biases)
    _compare(required if missing_biases else required | biases, found)
    return ("biases_missing",) if missing_biases else ()


def _newer(name: str, backbone: AnyBackbone) -> str:
    for pattern, canonical in _PARTS:
        name = pattern.sub(canonical, name)
    for old, new in architecture_of(backbone).renames:
        name = name.replace(old, new)
    return name


def _older(name: str, backbone: AnyBackbone) -> str:
    dotted = f"{name}."  # renames are written with the dot that ends a module's name
    for old, new in reversed(architecture_of(backbone).renames):
        dotted = dotted.replace(new, old)
    return dotted.removesuffix(".")


def _named(config: AdapterConfig, found: Mapping[str, Shape], outline: Skeleton) -> list[str]:
    """The linear modules that the config's targets name."""
    if config.targets is not None:
        return [name for name in outline.linear if _matches(outline.called[name], config.targets)]
    # A pattern: whatever is adapted in one layer must be adapted in all, so the whole part behind the layer's number is the target.
    tails = {_tail(name.removesuffix(".lora_A.weight")) for name in found if name.endswith(".lora_A.weight")}
    return [name for name in outline.linear if _tail(name) in tails]


def _tail(module: str) -> str:
    return re.sub(r"^.*\.\d+\.", "", module)


def _matches(called: Iterable[str], targets: tuple[str, ...]) -> bool:
    return any(name == target or name.endswith(f".{target}") for name in called for target in targets)


def _containing(name: str) -> tuple[str, ...]:
    """The module and all that contain it: `modules_to_save` may name any of them."""
    parts = name.split(".")
    return tuple(".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _lora_shapes(config: AdapterConfig, adapted: Iterable[str], outline: Skeleton) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for name in adapted:
        outputs, inputs = outline.linear[name]
        shapes |= {f"{name}.lora_A.weight": (config.rank, inputs), f"{name}.lora_B.weight": (outputs, config.rank)}
        if config.use_dora:
            shapes[f"{name}.lora_magnitude_vector"] = (outputs,)
    return shapes


def _saved_shapes(config: AdapterConfig, found: Mapping[str, Shape], outline: Skeleton) -> dict[str, Shape]:
    for module in outline.brought:
        if f"{module}.weight" not in found:
            save = f"no head: save it with modules_to_save={head_containers(outline.head)}"
            raise _mismatch(f"the file must hold the head {module}.weight", save)
    modules = {name.rpartition(".")[0] for name in outline.parameters}
    saved = {*outline.brought, *(name for name in modules if _matches(_containing(name), config.modules_to_save))}
    return {name: shape for name, shape in outline.parameters.items() if any(name.startswith(f"{module}.") for module in saved)}


def _bias_shapes(config: AdapterConfig, adapted: list[str], outline: Skeleton, saved: Mapping[str, Shape]) -> dict[str, Shape]:
    if config.bias == "none":
        return {}
    names = (f"{name}.bias" for name in adapted) if config.bias == "lora_only" else (n for n in outline.parameters if n.endswith(".bias"))
    return {name: outline.parameters[name] for name in names if name in outline.parameters and name not in saved}


def _compare(expected: Mapping[str, Shape], found: Mapping[str, Shape]) -> None:
    missing, unexpected = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    other = [f"{n} {list(found[n])} for {list(expected[n])}" for n in sorted(expected.keys() & found.keys()) if found[n] != expected[n]]
    if missing or unexpected or other:
        counts = f"{len(missing)} missing, {len(unexpected)} unexpected, {len(other)} of another shape"
        first = "; ".join(str(item) for item in (missing[:1], unexpected[:1], other[:1]) if item)
        raise _mismatch("the tensors must be those of this backbone and config", f"{counts}; first {first}")


def _mismatch(expected: str, found: str) -> ArtifactError:
    return ArtifactError("tensor_mismatch", f"{expected}, found {found}. Nothing was loaded; use the backbone the adapter was trained on")
