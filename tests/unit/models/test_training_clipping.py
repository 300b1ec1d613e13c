"""A bound on the gradient's length: what one giant gradient does to AdamW without it, and that nothing else changes."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from models.recipe import Recipe
from models.training_loop import BatchLoss, Task, fit

SCALES = torch.tensor([1e4, 0.5, 0.3, 2.0])  # of the loss of each example; the first is one like no other
START, RATE = torch.tensor([1.0, -2.0]), 0.1


class Plane(nn.Module):
    """Two weights; the loss of example i is SCALES[i] * (w0 + 3 w1), whose gradient is SCALES[i] * (1, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(START.clone())

    def forward(self) -> torch.Tensor:
        return self.w @ torch.tensor([1.0, 3.0])


def trained(**settings: Any) -> tuple[torch.Tensor, list[int]]:
    """(weights after one epoch of batches of one, the order in which the examples came)."""
    recipe = Recipe.model_validate(
        {
            "name": "clip",
            "rank": 1,
            "epochs": 1,
            "batch_size": 1,
            "accumulation": 1,
            "learning_rate": RATE,
            "schedule": "constant",
            **settings,
        }
    )
    model, order = Plane(), list[int]()

    def loss_of(places: torch.Tensor) -> BatchLoss:
        order.extend(places.tolist())
        loss = (SCALES[places] * model()).sum()
        return BatchLoss(loss, {"train_loss": (loss.item(), len(places))})

    task = Task(
        recipe=recipe,
        model=model,
        n_examples=len(SCALES),
        begin=lambda epoch: loss_of,
        evaluate=lambda: {"accuracy": 1.0, "eval_loss": 0.0},
        state=lambda: {"w": model.w.detach().clone()},
    )
    return fit(task).kept["w"], order


def adamw(gradients: list[torch.Tensor], bound: float | None, decay: float = 0.01) -> torch.Tensor:
    """AdamW as written in 1711.05101 with torch's own constants, each gradient shortened to `bound` first."""
    w, m, v = START.double(), torch.zeros(2).double(), torch.zeros(2).double()
    for t, gradient in enumerate(gradients, start=1):
        g = gradient.double()
        if bound is not None and g.norm() > bound:
            g = g * bound / g.norm()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w * (1 - RATE * decay) - RATE * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    return w.float()


def gradients(order: list[int]) -> list[torch.Tensor]:
    return [SCALES[place] * torch.tensor([1.0, 3.0]) for place in order]


def test_steps_are_adamws_on_gradients_no_longer_than_the_bound() -> None:
    for bound in (None, 1.0, 4.0):
        weights, order = trained(clip_norm=bound)
        torch.testing.assert_close(weights, adamw(gradients(order), bound), rtol=1e-5, atol=1e-6)


def test_a_bound_that_is_never_reached_changes_nothing() -> None:
    assert torch.equal(trained(clip_norm=1e6)[0], trained()[0])


def test_one_giant_gradient_silences_the_steps_after_it_unless_it_is_bounded() -> None:
    # All gradients point the same way, so with a bound every step has nearly the whole learning rate, and without it nearly none.
    order = trained()[1]
    after = len(order) - 1 - order.index(0)
    assert after >= 1
    way = {bound: (trained(clip_norm=bound)[0] - START)[0].abs().item() for bound in (None, 1.0)}
    steps = len(order)
    assert way[1.0] > 0.9 * steps * RATE
    assert way[None] < way[1.0] - 0.2 * after * RATE
