"""What does a stranger's PEFT config ask for, and do we compute exactly that?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from models.errors import ArtifactError

# What peft writes besides the fields read below and what does not change the function that the saved tensors compute.
INERT = frozenset(
    {"auto_mapping", "base_model_name_or_path", "inference_mode", "lora_dropout", "megatron_core", "peft_type", "peft_version"}
    | {"qalora_group_size", "revision", "runtime_config", "task_type"}
)
READ = frozenset(
    {"bias", "fan_in_fan_out", "init_lora_weights", "lora_alpha", "modules_to_save", "r", "target_modules", "use_dora", "use_rslora"}
)
# The other initialisations (pissa, olora, loftq, corda, …) move the backbone's own weights, which the adapter's file does not say.
PLAIN_INITIALISATIONS = (True, False, None, "gaussian", "orthogonal", "eva")
MEGATRON_DEFAULT = "megatron.core"  # written by peft into every config; without megatron_config nothing reads it
MAX_LISTED = 10_000


@dataclass(frozen=True)
class AdapterConfig:
    """The part of a PEFT config that decides the function. `targets` is None where the config gives a pattern: the adapted modules
    are then read off the tensors, since a stranger's regular expression is not run."""

    rank: int
    alpha: float
    use_dora: bool
    use_rslora: bool
    bias: Literal["none", "lora_only", "all"]
    targets: tuple[str, ...] | None
    modules_to_save: tuple[str, ...]

    @property
    def scale(self) -> float:
        """What the product B A is multiplied by: alpha / rank, or alpha / sqrt(rank) with rsLoRA (Kalajdzievski, 2312.03732)."""
        return self.alpha / (math.sqrt(self.rank) if self.use_rslora else self.rank)

    def canonical(self) -> dict[str, Any]:
        """What enters the identity: which modules are adapted is said by the tensors, the rest of the file does not compute."""
        return {"peft_type": "LORA", "rank": self.rank, "alpha": self.alpha, "use_dora": self.use_dora, "use_rslora": self.use_rslora}


def parse_adapter_config(value: Mapping[str, Any], hidden_size: int) -> AdapterConfig:
    """The config's meaning, or ArtifactError `bad_config`: another peft_type, a rank outside 1 to `hidden_size`, wrong types, a class
    or module to import, or any option that would make the adapter compute something else than LoRA / DoRA / rsLoRA on linear layers.
    Nothing is imported from it."""
    _refuse_imports(value)
    _require(value.get("peft_type") == "LORA", "peft_type", '"LORA"', value.get("peft_type"))
    rank: Any = value.get("r")
    alpha: Any = value.get("lora_alpha")
    _require(type(rank) is int and 1 <= rank <= hidden_size, "r", f"a whole number from 1 to {hidden_size} (the backbone's width)", rank)
    _require(type(alpha) in (int, float) and 0 <= alpha < 1e9, "lora_alpha", "a number from 0 below 1e9", alpha)
    bias, initial = value.get("bias", "none"), value.get("init_lora_weights", True)
    _require(bias in ("none", "lora_only", "all"), "bias", "none, lora_only or all", bias)
    known = isinstance(initial, (bool, str, type(None))) and initial in PLAIN_INITIALISATIONS
    _require(known, "init_lora_weights", "a plain initialisation (others move the backbone's weights: convert the adapter)", initial)
    _require(value.get("fan_in_fan_out", False) in (False, None), "fan_in_fan_out", "false", value.get("fan_in_fan_out"))
    for key in sorted(value.keys() - READ - INERT):
        _require(value[key] in (None, False, "", [], {}), key, "absent or empty (it is not supported here)", value[key])
    return AdapterConfig(
        rank=rank,
        alpha=float(alpha),
        use_dora=_flag(value, "use_dora"),
        use_rslora=_flag(value, "use_rslora"),
        bias=bias,
        targets=None if isinstance(value.get("target_modules"), str) else _names(value, "target_modules"),
        modules_to_save=_names(value, "modules_to_save"),
    )


def _refuse_imports(value: Mapping[str, Any]) -> None:
    settings, core = value.get("megatron_config"), value.get("megatron_core")
    _require(settings in (None, {}), "megatron_config", "null (a config names no module to import)", settings)
    _require(core in (None, MEGATRON_DEFAULT), "megatron_core", "null (a config names no module to import)", core)
    mapping = value.get("auto_mapping")
    if mapping is None:
        return
    _require(isinstance(mapping, Mapping), "auto_mapping", "null or what peft writes", mapping)
    library = mapping.get("parent_library")
    ours = isinstance(library, str) and (library == "transformers" or library.startswith("transformers."))
    _require(ours and set(mapping) <= {"parent_library", "base_model_class"}, "auto_mapping", "a module of transformers", mapping)


def _flag(value: Mapping[str, Any], key: str) -> bool:
    found = value.get(key, False)
    _require(isinstance(found, bool) or found is None, key, "true or false", found)
    return bool(found)


def _names(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = value.get(key) or []
    listed = isinstance(found, list) and len(found) <= MAX_LISTED and all(isinstance(item, str) and item for item in found)
    _require(listed, key, "a list of module names", found)
    return tuple(found)


def _require(condition: bool, key: str, expected: str, found: Any) -> None:
    if not condition:
        raise ArtifactError("bad_config", f"adapter_config.json: {key} must be {expected}, found {found!r:.120}")
