"""How does training that takes minutes go on after it was killed, with the same weights at the end?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from models.atomic import write_file

EPOCHS_DONE = "epochs_done"


@dataclass
class Checkpoint:
    """One file of a stage of training: the module's tensors, the optimisers', and the number of epochs done. Safetensors, no pickle;
    the file appears whole or not at all. Written at most every `every_seconds`, and always after the last epoch."""

    path: Path
    every_seconds: float
    written: float = 0.0

    def load(self, module: nn.Module, optimisers: Sequence[torch.optim.Optimizer]) -> int:
        """Number of epochs done, 0 without a file; module and optimisers are as they were after that epoch."""
        self.written = time.monotonic()
        if not self.path.exists():
            return 0
        with safe_open(self.path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping: no iteration
            done = int(file.metadata()[EPOCHS_DONE])
        module.load_state_dict({name[7:]: value for name, value in tensors.items() if name.startswith("module.")})
        for place, optimiser in enumerate(optimisers):
            prefix = f"optimiser{place}."
            restore_optimiser(optimiser, {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)})
        return done

    def save(self, module: nn.Module, optimisers: Sequence[torch.optim.Optimizer], epochs_done: int, last: bool) -> None:
        if not last and time.monotonic() - self.written < self.every_seconds:
            return
        tensors = {f"module.{name}": value.detach().contiguous() for name, value in module.state_dict().items()}
        for place, optimiser in enumerate(optimisers):
            tensors |= {f"optimiser{place}.{name}": value for name, value in optimiser_tensors(optimiser).items()}
        write_file(self.path, lambda pending: save_file(tensors, pending, metadata={EPOCHS_DONE: str(epochs_done)}))
        self.written = time.monotonic()


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """What an optimiser remembers of its parameters, as `<parameter's number>.<name>`."""
    states = optimiser.state_dict()["state"].items()
    return {f"{number}.{name}": value.contiguous() for number, state in states for name, value in state.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give it back what `optimiser_tensors` took; learning rates and the like stay as they are set."""
    own = optimiser.state_dict()
    own["state"] = _nested(tensors)
    optimiser.load_state_dict(own)
    _lay_out(optimiser)


def _lay_out(optimiser: torch.optim.Optimizer) -> None:
    """Give each moment its parameter's memory layout: the fused step walks both in memory order, and files hold plain order only."""
    for parameter, state in optimiser.state.items():
        for name, value in state.items():
            if value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


def _nested(flat: Mapping[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    nested: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in flat.items():
        number, key = name.split(".", 1)
        nested.setdefault(int(number), {})[key] = value
    return nested
