"""How does any adapter go through its epochs: steps of accumulated batches, validation, the best epoch kept?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from models.errors import ArtifactError
from models.hashing import seed_of
from models.training_progress import Epoch, Progress, TrainingCheckpoint
from models.training_recipe import TrainingRecipe


class BatchLoss(NamedTuple):
    """`total`: what is minimised, summed over the batch. `sums`: (sum, count) of each loss that is told, whose mean over the epoch is."""

    total: torch.Tensor
    sums: Mapping[str, tuple[float, int]]


# Places of a batch's examples -> its loss.
LossOf = Callable[[torch.Tensor], BatchLoss]


@dataclass(frozen=True)
class Task:
    """One training. `begin` gives the loss of an epoch's batches by the epoch's number; it tells `train_loss` at least. `evaluate` scores
    validation, accuracy and eval_loss at least. `state` copies what is to be kept. With `keyed_steps` torch's global generator (dropout)
    is seeded anew at every step by (seed, epoch, step), so that a training can go on in the middle."""

    recipe: TrainingRecipe
    model: nn.Module
    n_examples: int
    begin: Callable[[int], LossOf]
    evaluate: Callable[[], dict[str, float]]
    state: Callable[[], dict[str, torch.Tensor]]
    patience: int | None = None
    keyed_steps: bool = False
    checkpoint: TrainingCheckpoint | None = None
    on_epoch: Callable[[Epoch], None] | None = None
    on_step: Callable[[int, int], None] | None = None  # (steps done, steps of all epochs)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the optimiser in one epoch; the last may be of fewer examples."""
        return -(-self.n_examples // (self.recipe.batch_size * self.recipe.accumulation))


def fit(task: Task) -> Progress:
    """All epochs, or as many as patience allows; from the checkpoint where there is one, with the same weights.

    AdamW; the epoch of best validation accuracy is kept, the earlier of equals. Raises ArtifactError `nonfinite` when a loss diverges.
    """
    parameters = {name: parameter for name, parameter in task.model.named_parameters() if parameter.requires_grad}
    recipe = task.recipe
    optimiser = torch.optim.AdamW(parameters.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    progress = Progress() if task.checkpoint is None else task.checkpoint.load(parameters, optimiser)
    for epoch in progress.epochs:
        _tell(task, epoch)
    while len(progress.epochs) < recipe.epochs and not _is_over(task, progress):
        for _ in _steps(task, progress, optimiser):
            if task.checkpoint is not None:
                task.checkpoint.save(parameters, optimiser, progress)
        _close(task, progress)
        _tell(task, progress.epochs[-1])
    return progress


def _steps(task: Task, progress: Progress, optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """The rest of the epoch that runs, step by step. Order and dropout are keyed by epoch and step, never by what was drawn before."""
    recipe, epoch = task.recipe, len(progress.epochs) + 1
    order = torch.randperm(task.n_examples, generator=keyed_generator(recipe, "order", epoch))
    loss_of = task.begin(epoch)
    task.model.train()
    for place, step in enumerate(torch.split(order, recipe.batch_size * recipe.accumulation)):
        if place < progress.step:
            continue
        if task.keyed_steps:
            torch.manual_seed(seed_of("train", recipe.seed, "step", epoch, place))
        done = (epoch - 1) * task.steps_per_epoch + place
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _rate(recipe, done, recipe.epochs * task.steps_per_epoch)
        _step(task, progress, step, loss_of, optimiser)
        if task.on_step is not None:
            task.on_step(done + 1, recipe.epochs * task.steps_per_epoch)
        yield


def _step(task: Task, progress: Progress, step: torch.Tensor, loss_of: LossOf, optimiser: torch.optim.Optimizer) -> None:
    optimiser.zero_grad()
    for batch in torch.split(step, task.recipe.batch_size):
        loss = loss_of(batch)
        (loss.total / len(step)).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped; the step's mean, also where its last batch is short
        for name, (total, count) in loss.sums.items():
            before = progress.sums.get(name, (0.0, 0))
            progress.sums[name] = (before[0] + total, before[1] + count)
    _require_finite(task.recipe, len(progress.epochs) + 1, sum(total for total, _ in progress.sums.values()))
    if task.recipe.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], task.recipe.clip_norm)
    optimiser.step()
    progress.step += 1


def _close(task: Task, progress: Progress) -> None:
    """End of an epoch: validation, and its tensors where it is the best so far."""
    number = len(progress.epochs) + 1
    scores = {name: total / count for name, (total, count) in progress.sums.items() if count} | task.evaluate()
    _require_finite(task.recipe, number, scores["eval_loss"])
    if not progress.metrics or scores["accuracy"] > progress.metrics["accuracy"]:
        progress.kept, progress.metrics = task.state(), scores
    told = scores["train_loss"], scores["eval_loss"], scores["accuracy"]
    progress.epochs.append(Epoch(number, *told, scores.get("attribution_loss")))
    progress.step, progress.sums = 0, {}


def _is_over(task: Task, progress: Progress) -> bool:
    """True when patience is at its end; in the middle of an epoch it cannot be."""
    return task.patience is not None and not progress.step and len(progress.epochs) - progress.best_epoch() >= task.patience


def _tell(task: Task, epoch: Epoch) -> None:
    if task.on_epoch is not None:
        task.on_epoch(epoch)


def keyed_generator(recipe: TrainingRecipe, what: str, epoch: int) -> torch.Generator:
    """A generator fixed by the recipe's seed, what is drawn and the epoch."""
    return torch.Generator().manual_seed(seed_of("train", recipe.seed, what, epoch))


def _rate(recipe: TrainingRecipe, done: int, steps: int) -> float:
    """Factor of the learning rate at a step: rising to 1 over the first `warm_share` of all steps, then as the schedule has it."""
    warm = recipe.warm_share * steps
    if done < warm:
        return min(1.0, (done + 1) / warm)
    return 1 - (done - warm) / (steps - warm) if recipe.schedule == "linear" else 1.0


def _require_finite(recipe: TrainingRecipe, epoch: int, loss: float) -> None:
    if not math.isfinite(loss):
        found = f"found {loss} in epoch {epoch}"
        raise ArtifactError("nonfinite", f"recipe {recipe.name}: the loss must stay finite, {found}: lower learning_rate")
