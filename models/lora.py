"""How does a classifier get trainable LoRA layers, exactly on the modules a recipe names by role?"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import nn

from models.adapter_files import CONFIG, WEIGHTS
from models.classifier import architecture_named
from models.errors import ArtifactError
from models.roles import head_containers, module_roles
from models.training_recipe import TrainingRecipe

if TYPE_CHECKING:
    from peft import PeftModel

ROLES = ("query", "value", "mlp_in", "mlp_out")


def trainable_count(
    backbone_config: Any, n_labels: int, rank: int, use_dora: bool = True, bias: str = "lora_only", roles: Sequence[str] = ROLES
) -> int:
    """Parameters that training such an adapter moves: LoRA matrices, DoRA magnitudes, biases of the adapted layers, the head.

    `backbone_config` is the transformers config, of either modality (a text model's head reads CLS). DINOv2-base with 37 labels:
    701,989 / 2,250,277 / 4,314,661 for rank 4 / 16 / 32 (METHODS 1). Counted on the model's skeleton, without peft, so that it can hold
    peft to account.
    """
    config = type(backbone_config).from_dict(backbone_config.to_dict() | {"num_labels": n_labels})
    with torch.device("meta"):
        model = architecture_named(config.model_type).classes()[1](config)
    return expected_trainable(model, rank, use_dora, bias, roles)


def expected_trainable(model: nn.Module, rank: int, use_dora: bool, bias: str, roles: Sequence[str]) -> int:
    """The same for a classifier that is there."""
    found = module_roles(model)
    count = sum(parameter.numel() for name in found["head"] for parameter in model.get_submodule(name).parameters())
    for name in (name for role in roles for name in found[role]):
        module = model.get_submodule(name)
        outputs, inputs = module.weight.shape  # type: ignore[misc]  # a linear layer's weight is a matrix
        count += rank * (outputs + inputs) + outputs * use_dora
        count += outputs if bias == "lora_only" and module.bias is not None else 0
    return count


def with_lora(model: nn.Module, recipe: TrainingRecipe, base_name: str) -> PeftModel:
    """Wrap the classifier (in place) with peft's LoRA layers by the recipe; A is drawn from torch's global generator.

    Raises ArtifactError `tensor_mismatch` when peft would train another number of parameters than the recipe means: with names it
    does not find, it adapts fewer layers without a word (STACK).
    """
    from peft import LoraConfig, get_peft_model

    expected = expected_trainable(model, recipe.rank, recipe.use_dora, recipe.bias, recipe.targets)
    roles = module_roles(model)
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.lora_alpha,  # type: ignore[arg-type]  # peft computes with floats; only its annotation says int
        use_dora=recipe.use_dora,
        use_rslora=recipe.use_rslora,
        lora_dropout=recipe.dropout,
        bias=recipe.bias,
        target_modules=target_names(model, [name for role in recipe.targets for name in roles[role]]),
        modules_to_save=head_containers(roles["head"]),
        base_model_name_or_path=base_name,
    )
    model.name_or_path = base_name  # type: ignore[assignment]  # peft reads it off the model, else it forgets the base with a warning
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning
        )  # peft asks transformers the old way
        wrapped = get_peft_model(model, config)
    found = sum(parameter.numel() for parameter in wrapped.parameters() if parameter.requires_grad)
    if found != expected:
        raise ArtifactError("tensor_mismatch", f"recipe {recipe.name} must train {expected:,} parameters, peft would train {found:,}")
    return wrapped


def target_names(model: nn.Module, modules: Sequence[str]) -> list[str]:
    """Names for `target_modules` that peft matches to exactly these modules: last components (`fc1`) where no other module ends so,
    which fit the backbone under any prefix, else full names."""
    short = sorted({name.rpartition(".")[2] for name in modules})
    matched = {name for name, _ in model.named_modules() if name.rpartition(".")[2] in short}
    return short if matched == set(modules) else sorted(modules)


def adapter_state(model: PeftModel) -> dict[str, torch.Tensor]:
    """A copy of everything that was trained, named as peft saves it."""
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}


def save_adapter(model: PeftModel, state: dict[str, torch.Tensor], folder: Path) -> None:
    """Write adapter_config.json and adapter_model.safetensors, the same bytes for the same adapter: peft's own saving adds a model card
    and lists target modules in the order of a set."""
    config = model.peft_config["default"].to_dict() | {"inference_mode": True}
    if not str((config.get("auto_mapping") or {}).get("parent_library", "transformers")).startswith("transformers"):
        config["auto_mapping"] = None  # a class of this project: no config may name one to import (models.adapter_config)
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    (folder / CONFIG).write_text(json.dumps(plain, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / WEIGHTS)
