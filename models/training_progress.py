"""How far is a training, and how does it go on after it was killed, with the same weights at the end?"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from models.atomic import write_file
from models.hashing import canonical_json
from models.pretrain_checkpoint import optimiser_tensors, restore_optimiser

TRAINED, KEPT, OPTIMISER = "trained.", "kept.", "optimiser."


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set. Losses are mean cross-entropies in nats, of what was shown while training and of the validation
    examples after it; `accuracy` is on validation, in [0, 1]. `attribution_loss`: mean ||a_p - a_s||^2, in [0, 2], of the texts that
    have a prior; None where none was asked for."""

    number: int
    train_loss: float
    eval_loss: float
    accuracy: float
    attribution_loss: float | None = None


@dataclass
class Progress:
    """What a training has done: whole epochs, the tensors and metrics of the best one, and in the epoch that runs the steps done and the
    (sum, count) of each loss. `seconds`: wall time before this process took over."""

    epochs: list[Epoch] = field(default_factory=list)
    kept: dict[str, torch.Tensor] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    step: int = 0
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)
    seconds: float = 0.0

    def best_epoch(self) -> int:
        """Number of the epoch that is kept, 0 before there is one: that of the best accuracy, the earlier of equals."""
        best = max((epoch.accuracy for epoch in self.epochs), default=0.0)
        return next((epoch.number for epoch in self.epochs if epoch.accuracy == best), 0)


@dataclass
class TrainingCheckpoint:
    """One file beside the adapter to be: trained tensors, the optimiser's, progress. Safetensors, no pickle; it appears whole or not at
    all, at most every `every_seconds`. One of another identity (recipe, backbone, data) is passed over."""

    path: Path
    identity: str
    every_seconds: float
    started: float = field(default_factory=time.monotonic)
    written: float = field(default_factory=time.monotonic)

    def load(self, parameters: Mapping[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer) -> Progress:
        """Progress, with parameters and optimiser as they were then; all as they are where nothing was saved."""
        if not self.path.exists():
            return Progress()
        with safe_open(self.path, framework="pt") as file:
            said = json.loads(file.metadata()["progress"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping: no iteration
        if said.pop("identity") != self.identity:
            return Progress()
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(tensors[TRAINED + name])
        restore_optimiser(optimiser, _under(OPTIMISER, tensors))
        epochs = [Epoch(**epoch) for epoch in said.pop("epochs")]
        sums = {name: (total, count) for name, (total, count) in said.pop("sums").items()}
        return Progress(epochs=epochs, kept=_under(KEPT, tensors), sums=sums, **said)

    def save(self, parameters: Mapping[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer, progress: Progress) -> None:
        """Write the file, when its time has come."""
        now = time.monotonic()
        if now - self.written < self.every_seconds:
            return
        tensors = {TRAINED + name: parameter.detach().contiguous() for name, parameter in parameters.items()}
        tensors |= {KEPT + name: tensor.contiguous() for name, tensor in progress.kept.items()}
        tensors |= {OPTIMISER + name: tensor for name, tensor in optimiser_tensors(optimiser).items()}
        said: dict[str, Any] = {"identity": self.identity, "epochs": [asdict(epoch) for epoch in progress.epochs]}
        said |= {"metrics": progress.metrics, "step": progress.step, "sums": progress.sums}
        said |= {"seconds": progress.seconds + now - self.started}
        write_file(self.path, lambda pending: save_file(tensors, pending, metadata={"progress": canonical_json(said)}))
        self.written = time.monotonic()


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
