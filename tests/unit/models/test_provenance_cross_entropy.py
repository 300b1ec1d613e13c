"""Is the loss over very many outputs, computed in chunks, torch's own cross-entropy over all of them?"""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from models.provenance.cross_entropy import linear_cross_entropy

K, D, ROWS = 23, 7, 11


def layer(outputs: int = K) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """(inputs, weight, bias, targets) in float64, so that 1e-12 tells sums in another order from another formula."""
    generator = torch.Generator().manual_seed(outputs)
    inputs, weight, bias = (torch.randn(*shape, generator=generator).double() for shape in ((ROWS, D), (outputs, D), (outputs,)))
    for one in (inputs, weight, bias):
        one.requires_grad_(True)
    return inputs, weight, bias, torch.randint(outputs, (ROWS,), generator=generator)


# 5 and 22 do not divide 23 (22 leaves a chunk of one output), 1 makes 23 chunks, 23 and 100 hold all of them at once.
@pytest.mark.parametrize("chunk", [1, 5, 22, 23, 100])
@pytest.mark.parametrize("smoothing", [0.0, 0.05])
def test_value_and_gradients_are_those_of_all_logits_at_once(chunk: int, smoothing: float) -> None:
    inputs, weight, bias, targets = layer()
    each = torch.linspace(0.5, 2.0, ROWS).double()  # another weight per row: a gradient that forgets its row is seen
    found = linear_cross_entropy(inputs, weight, bias, targets, smoothing, chunk)
    expected = functional.cross_entropy(inputs @ weight.T + bias, targets, reduction="none", label_smoothing=smoothing)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    mine = torch.autograd.grad((each * found).sum(), (inputs, weight, bias))
    theirs = torch.autograd.grad((each * expected).sum(), (inputs, weight, bias))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.05])
def test_of_one_output_nothing_can_be_wrong(smoothing: float) -> None:
    inputs, weight, bias, _ = layer(1)
    loss = linear_cross_entropy(inputs, weight, bias, torch.zeros(ROWS, dtype=torch.int64), smoothing)
    assert loss.tolist() == [0.0] * ROWS


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_of_equal_logits_the_loss_is_the_logarithm_of_their_number(chunk: int) -> None:
    loss = linear_cross_entropy(torch.ones(2, D), torch.zeros(8, D), torch.zeros(8), torch.tensor([0, 7]), 0.05, chunk)
    assert loss.tolist() == pytest.approx([math.log(8)] * 2, rel=1e-6)


def test_large_logits_do_not_overflow_in_chunks() -> None:
    weight = torch.tensor([[200.0], [100.0], [-300.0]])  # exp(200) is beyond float32
    loss = linear_cross_entropy(torch.ones(1, 1), weight, torch.zeros(3), torch.tensor([1]), 0.0, chunk=1)
    assert loss.tolist() == [100.0]  # log(e^200 + e^100 + e^-300) - 100


def test_no_more_logits_than_a_chunk_are_ever_held(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    linear = functional.linear

    def watched(*given: torch.Tensor) -> torch.Tensor:
        made.append(len(given[1]))
        return linear(*given)

    monkeypatch.setattr("models.provenance.cross_entropy.functional.linear", watched)
    inputs, weight, bias, targets = layer()
    linear_cross_entropy(inputs, weight, bias, targets, 0.05, chunk=10).sum().backward()
    assert made == [10, 10, 3] * 2  # forward, and anew backward
