"""How is a classifier whose every weight was trained saved as an adapter? In PEFT layout, with nothing adapted and all modules saved.

peft itself loads such a folder; here it is read, checked, merged and scored by the code for any adapter.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from models.adapter_files import CONFIG, WEIGHTS
from models.adapter_tensors import PREFIX

ADAPTS_NOTHING = "dummy-target-modules"  # peft's word (peft.utils.constants): no layer gets low-rank factors


def full_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of every parameter, named as peft saves modules whole."""
    return {f"{PREFIX}{name}": parameter.detach().cpu().clone() for name, parameter in model.named_parameters()}


def save_full(model: nn.Module, state: dict[str, torch.Tensor], base_name: str, folder: Path) -> None:
    """Write adapter_config.json and adapter_model.safetensors, the same bytes for the same weights. Rank and alpha are what peft wants to
    see and mean nothing here."""
    whole = sorted(name for name, module in model.named_children() if any(True for _ in module.parameters()))
    config = {"peft_type": "LORA", "base_model_name_or_path": base_name, "inference_mode": True, "r": 1, "lora_alpha": 1}
    config |= {"target_modules": ADAPTS_NOTHING, "modules_to_save": whole}
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / WEIGHTS)
