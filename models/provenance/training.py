"""How is a provenance network trained? The same from the same seed, whatever the order in which the training set is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch.nn import functional

from models.private_state import private_state
from models.provenance.network import ProvenanceNetwork, Variant
from models.provenance.slots import Positions, Slots
from models.provenance.trunk import Trunk


class ProvenanceTraining(BaseModel):
    """Loss = lambda_class CE(class) + lambda_index CE(index), AdamW with one cycle of the rate. Source: Provenance Networks
    (arXiv:2510.03361), whose optimiser, epochs and head sizes are not known to us."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(default=20, ge=1, description="over the training examples")
    batch_size: int = Field(default=128, ge=2, description="examples per step")
    learning_rate: float = Field(default=2e-3, gt=0.0, description="the cycle's peak")
    weight_decay: float = Field(default=0.0, ge=0.0, description="of AdamW: any keeps the index head from telling examples apart")
    alpha: float = Field(default=0.0, ge=0.0, le=1.0, description="probability that the target is another example of the same class")
    smoothing: float = Field(default=0.05, ge=0.0, lt=1.0, description="label smoothing of the index head, over the valid slots")
    lambda_class: float = Field(default=1.0, ge=0.0, description="weight of the class loss")
    lambda_index: float = Field(default=1.0, ge=0.0, description="weight of the index loss")
    teacher_forcing: bool = Field(default=True, description="class-conditional heads see the true class in training, else the predicted")
    shift: int = Field(default=0, ge=0, description="pictures are moved by up to so many pixels each way, anew every step; the rim is 0")
    precision: str = Field(default="float32", pattern="^(float32|bfloat16)$", description="of the trunk's forward and backward pass")


@dataclass(frozen=True)
class TrainingSet:
    """`inputs` float32[N, ...], `labels` int64[N], `ids` unique per example. Sorted by id, whatever order it is given in: rows of another
    order make the same network. `kept` bool[N]: examples that are learned from; the others keep slots, and a batch without them is
    otherwise the same batch."""

    inputs: torch.Tensor
    labels: Positions
    ids: tuple[str, ...]
    kept: NDArray[np.bool_]

    @classmethod
    def of(cls, inputs: NDArray[np.float32], labels: Positions, ids: Sequence[str], kept: NDArray[np.bool_] | None = None) -> TrainingSet:
        """Raises ValueError where two examples have one id."""
        if len(set(ids)) != len(ids):
            raise ValueError(f"ids must be unique, found {len(ids) - len(set(ids))} repeated")
        order = np.argsort(np.asarray(ids))
        learned = np.ones(len(ids), dtype=bool) if kept is None else kept
        sorted_ids = tuple(str(ids[place]) for place in order)
        return cls(torch.from_numpy(np.ascontiguousarray(inputs[order])), np.asarray(labels)[order], sorted_ids, learned[order])


@dataclass
class Trained:
    """The network in eval mode, and what `each_epoch` said."""

    network: ProvenanceNetwork
    slots: Slots
    ids: tuple[str, ...]
    history: list[dict[str, float]] = field(default_factory=list)


def train_provenance(
    variant: Variant,
    trunk: Trunk,
    shared: int,
    data: TrainingSet,
    n_classes: int,
    how: ProvenanceTraining,
    seed: int,
    each_epoch: Callable[[ProvenanceNetwork], dict[str, float]] | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> Trained:
    """`each_epoch` is asked after every epoch, with the network in eval mode. The process's random state is left as it was."""
    slots = Slots(data.labels, n_classes, conditional=variant == "class_conditional")
    with private_state(seed, threads, device):
        network = ProvenanceNetwork(variant, trunk, slots, shared).to(device)
        inputs, labels = data.inputs.to(device), torch.from_numpy(data.labels).to(device)
        optimiser = torch.optim.AdamW(network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
        steps = how.epochs * -(-len(labels) // how.batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.learning_rate, total_steps=steps)
        draws, told = np.random.default_rng(seed), []
        for _ in range(how.epochs):
            network.train()
            for batch in np.array_split(draws.permutation(len(labels)), -(-len(labels) // how.batch_size)):
                targets = slots.mixed(batch, how.alpha, draws)
                targets = np.where(data.kept[targets], targets, batch)  # none is taught to name an example that is left out
                place, kept = torch.from_numpy(batch).to(device), data.kept[batch]
                seen = moved(inputs[place], how.shift, draws)  # those left out too: the others' draws stay the same without them
                if kept.sum() > 1:  # batch norm needs two
                    left = torch.from_numpy(np.flatnonzero(kept)).to(device)
                    loss = _loss(network, seen[left], labels[place[left]], targets[kept], how, device)
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]  # torch's own
                    optimiser.step()
                schedule.step()
            if each_epoch is not None:
                told.append(each_epoch(network.eval()))
    return Trained(network.eval().requires_grad_(False), slots, data.ids, told)


def moved(pictures: torch.Tensor, shift: int, generator: np.random.Generator) -> torch.Tensor:
    """Pictures [b, h, w], each moved by a drawn number of pixels of -shift..shift in both directions; what comes in is 0."""
    if shift == 0:
        return pictures
    height, width = pictures.shape[1:]
    wide = functional.pad(pictures, (shift,) * 4)
    down, right = (torch.from_numpy(generator.integers(0, 2 * shift + 1, len(pictures))).to(pictures.device) for _ in range(2))
    rows = down[:, None] + torch.arange(height, device=pictures.device)
    columns = right[:, None] + torch.arange(width, device=pictures.device)
    return wide[torch.arange(len(pictures), device=pictures.device)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _loss(
    network: ProvenanceNetwork, inputs: torch.Tensor, labels: torch.Tensor, targets: Positions, how: ProvenanceTraining, device: str
) -> torch.Tensor:
    with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=how.precision == "bfloat16"):
        told, indexed = network.branches(inputs)
        logits = network.class_head(told).float()
    loss = how.lambda_class * functional.cross_entropy(logits, labels)
    if network.index_head is not None:
        classes = labels if how.teacher_forcing else logits.argmax(dim=1)
        loss = loss + how.lambda_index * network.index_head.loss(indexed.float(), classes, targets, how.smoothing)
    return loss
