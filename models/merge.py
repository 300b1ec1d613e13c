"""What are a classifier's weights with the adapter worked in?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float32
from safetensors.torch import save_file

from models.adapter_config import AdapterConfig
from models.adapter_tensors import skeleton
from models.adapters import Adapter, load_tensors
from models.atomic import write_file
from models.backbone_record import AnyBackbone
from models.classifier import classifier_state
from models.errors import ArtifactError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def merged_weight(
    base: Float32[torch.Tensor, "out in"],
    a: Float32[torch.Tensor, "rank in"],
    b: Float32[torch.Tensor, "out rank"],
    scale: float,
    magnitude: Float32[torch.Tensor, " out"] | None = None,
) -> Float32[torch.Tensor, "out in"]:
    """LoRA: W + scale B A (Hu et al., 2106.09685). DoRA: each row of that rescaled to length `magnitude` (Liu et al., 2402.09353).
    Equal to peft's `merge_and_unload` in float32; not linear in B A, so it must not be done in less than float32."""
    updated = base + (b @ a) * scale
    if magnitude is None:
        return updated
    factor: torch.Tensor = magnitude / torch.linalg.norm(updated, dim=1)
    return factor.view(-1, 1) * updated


def merged_tensors(adapter: Adapter, backbone: AnyBackbone) -> dict[str, torch.Tensor]:
    """The tensors of the classifier, named as in its state_dict, that differ from the backbone's, and always the head's. Raises
    ArtifactError `nonfinite` when a merged weight is (a row of length 0 under DoRA), and what `read_adapter` raises."""
    config, stored = load_tensors(adapter, backbone)
    tensors = {name: tensor.float() for name, tensor in stored.items()}
    base, head = _base_state(backbone), skeleton(backbone, len(adapter.labels)).head
    merged = {name: tensor for name, tensor in tensors.items() if ".lora_" not in name}
    for name in (name.removesuffix(".lora_A.weight") for name in tensors if name.endswith(".lora_A.weight")):
        merged[f"{name}.weight"] = _adapted(name, tensors, base, config)
    for name, tensor in merged.items():
        _require_finite(tensor, f"{adapter.name}: merged {name}", "train the adapter again")
    heads = tuple(f"{module}." for module in head)
    return {name: tensor for name, tensor in merged.items() if name.startswith(heads) or not torch.equal(tensor, base[name])}


def write_merged(adapter: Adapter, backbone: AnyBackbone, dtype: str, folder: Path) -> Path:
    """Write the merged tensors, cast to `dtype` (float32, bfloat16, float16) at the very end, as `<adapter_id>-<dtype>.safetensors`.

    The name says the content, so a file that is there is used again. Raises ArtifactError `nonfinite` when a value does not fit
    the dtype, ValueError for another dtype.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, found {dtype!r}")
    path = folder / f"{adapter.adapter_id}-{dtype}.safetensors"
    if path.is_file():
        return path
    cast = {name: tensor.to(DTYPES[dtype]).contiguous() for name, tensor in merged_tensors(adapter, backbone).items()}
    for name, tensor in cast.items():
        _require_finite(tensor, f"{adapter.name}: {name} as {dtype}", "use float32 or bfloat16")
    write_file(path, lambda pending: save_file(cast, pending))
    return path


@lru_cache(maxsize=1)
def _base_state(backbone: AnyBackbone) -> dict[str, torch.Tensor]:
    # One backbone at a time: its tensors are mapped from the file, read by every merge, written by none.
    return classifier_state(backbone)


def _adapted(name: str, tensors: Mapping[str, torch.Tensor], base: Mapping[str, torch.Tensor], config: AdapterConfig) -> torch.Tensor:
    a, b = tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"]
    return merged_weight(base[f"{name}.weight"], a, b, config.scale, tensors.get(f"{name}.lora_magnitude_vector"))


def _require_finite(tensor: torch.Tensor, what: str, advice: str) -> None:
    if not torch.isfinite(tensor).all():
        raise ArtifactError("nonfinite", f"{what} must be finite, found NaN or infinity: {advice}")
