"""Is every step AdamW's, on a gradient no longer than the bound and at the rate of its place, which rises first?"""

from __future__ import annotations

from typing import Any

import pytest
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
    """(weights after the last epoch of batches of one, the order in which the examples came)."""
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
        evaluate=lambda: {"accuracy": float(len(order)), "eval_loss": 0.0},
        state=lambda: {"w": model.w.detach().clone()},
    )
    return fit(task).kept["w"], order


def adamw(gradients: list[torch.Tensor], bound: float | None, factors: list[float] | None = None, decay: float = 0.01) -> torch.Tensor:
    """AdamW as written in 1711.05101 with torch's own constants, each gradient shortened to `bound` first; `factors` of RATE per step."""
    w, m, v = START.double(), torch.zeros(2).double(), torch.zeros(2).double()
    for t, gradient in enumerate(gradients, start=1):
        g, rate = gradient.double(), RATE * (1.0 if factors is None else factors[t - 1])
        if bound is not None and g.norm() > bound:
            g = g * bound / g.norm()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w * (1 - rate * decay) - rate * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
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


@pytest.mark.parametrize(
    ("settings", "factors"),
    [
        # 8 steps, half of them warm: a quarter more each, then the schedule from its beginning
        ({"warm_share": 0.5, "schedule": "constant"}, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
        ({"warm_share": 0.5, "schedule": "linear"}, [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25]),
        ({"warm_share": 0.3, "schedule": "constant"}, [1 / 2.4, 2 / 2.4, 1, 1, 1, 1, 1, 1]),  # 2.4 steps
        ({"schedule": "linear"}, [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
    ],
)
def test_the_learning_rate_rises_over_the_first_steps_and_then_follows_the_schedule(settings: dict[str, Any], factors: list[float]) -> None:
    weights, order = trained(epochs=2, clip_norm=1.0, **settings)
    torch.testing.assert_close(weights, adamw(gradients(order), 1.0, factors), rtol=1e-5, atol=1e-6)
