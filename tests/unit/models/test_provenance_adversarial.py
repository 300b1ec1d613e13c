"""FGSM and PGD on a linear network, where the worst picture is known, and on a conv net, which must stay as it was."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from models.provenance.adversarial import fgsm, pgd
from models.provenance.network import ProvenanceNetwork
from models.provenance.slots import Slots
from models.provenance.trunk import conv_trunk

WEIGHT = torch.tensor([2.0, -1.0, 0.5, -3.0, 0.0])


class Linear(nn.Module):
    """Two classes with logits 0 and w . x + 0.3."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(WEIGHT.double())

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logit = pictures @ self.w + 0.3
        return torch.stack([torch.zeros_like(logit), logit], dim=1)


def conv_net() -> ProvenanceNetwork:
    torch.manual_seed(0)
    return ProvenanceNetwork("two_branch", conv_trunk("small", 16), Slots(np.arange(6) % 3, 3, conditional=False), 2)


def pictures(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand((n, 28, 28), generator=torch.Generator().manual_seed(seed))


def loss(network: nn.Module, asked: torch.Tensor, labels: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        return nn.functional.cross_entropy(network.eval()(asked), torch.from_numpy(labels), reduction="none")


def test_fgsm_of_a_linear_network_is_the_worst_corner() -> None:
    """For label 1 the loss log(1 + exp(-(w x + 0.3))) is largest at x - eps sign(w); no corner of the cube is worse."""
    network, eps = Linear(), 0.1
    own = torch.tensor([[0.4, 0.5, 0.6, 0.3, 0.2], [0.2, 0.8, 0.5, 0.7, 0.9]], dtype=torch.float64)
    labels = np.array([1, 0])
    found = fgsm(network, own, labels, eps)
    side = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    torch.testing.assert_close(found, own + eps * side * WEIGHT.sign().double())
    logits = own @ WEIGHT.double() + 0.3
    worst = torch.log1p(torch.exp(side[:, 0] * logits + eps * WEIGHT.abs().sum()))
    torch.testing.assert_close(loss(network, found, labels), worst)
    for corner in product((-eps, eps), repeat=5):
        assert bool((loss(network, own + torch.tensor(corner, dtype=torch.float64), labels) <= worst + 1e-12).all())


@pytest.mark.parametrize("seed", [None, 3])
def test_pgd_of_a_linear_network_ends_in_the_same_corner_from_any_start(seed: int | None) -> None:
    own, labels = torch.full((3, 5), 0.5, dtype=torch.float64), np.array([1, 0, 1])
    found = pgd(Linear(), own, labels, 0.1, 4, 0.06, seed)  # 4 steps of 0.06 cross the cube of side 0.2
    moving = WEIGHT != 0
    torch.testing.assert_close(found[:, moving], fgsm(Linear(), own, labels, 0.1)[:, moving])
    still = (found - own)[:, ~moving].abs()  # the pixel without a gradient stays where it was drawn
    assert bool((still == 0).all()) if seed is None else bool(((still > 0) & (still <= 0.1)).all())


def test_an_attacked_picture_is_within_eps_and_within_0_and_1_and_worse() -> None:
    network, own, labels = conv_net(), pictures(5), np.array([0, 1, 2, 0, 1])
    own[:, :6], own[:, -6:] = 0.0, 1.0
    for found in (fgsm(network, own, labels, 0.05), pgd(network, own, labels, 0.05, 5, 0.02, 1)):
        assert found.shape == own.shape and found.dtype == own.dtype and not found.requires_grad
        assert float(found.min()) >= 0.0 and float(found.max()) <= 1.0
        assert 0.0 < float((found - own).abs().max()) <= 0.05 + 1e-6
        assert bool((loss(network, found, labels) > loss(network, own, labels)).all())


def test_eps_0_is_the_identity() -> None:
    network, own, labels = conv_net(), pictures(4), np.zeros(4, dtype=np.int64)
    assert torch.equal(fgsm(network, own, labels, 0.0), own)
    assert torch.equal(pgd(network, own, labels, 0.0, 3, 0.1, 2), own)


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_left_as_it_was(training: bool) -> None:
    network, own = conv_net().train(training), pictures(4)
    network.class_head.eval()
    modes = [module.training for module in network.modules()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kept = own.clone()
    pgd(network, own, np.zeros(4, dtype=np.int64), 0.1, 2, 0.05, 0)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())  # batch norm's means among them
    assert torch.equal(own, kept) and not own.requires_grad


def test_a_frozen_network_is_attacked_within_inference_mode() -> None:
    network, own, labels = conv_net().eval().requires_grad_(False), pictures(3), np.array([0, 1, 2])
    expected = fgsm(network, own, labels, 0.1)
    with torch.inference_mode():
        assert torch.equal(fgsm(network, own, labels, 0.1), expected)
        assert torch.equal(fgsm(network, own.clone(), labels, 0.1), expected)


def test_the_start_is_keyed_by_the_seed_and_a_picture_by_its_place() -> None:
    network, own, labels = conv_net(), pictures(4), np.array([0, 1, 2, 0])
    found = pgd(network, own, labels, 0.1, 1, 0.0, 5)  # no step: the start alone
    assert torch.equal(pgd(network, own[:2], labels[:2], 0.1, 1, 0.0, 5), found[:2])
    assert not torch.equal(pgd(network, own, labels, 0.1, 1, 0.0, 6), found)
    assert 0.09 < float((found - own).abs().max()) <= 0.1 + 1e-6


def test_what_cannot_be_attacked_is_refused() -> None:
    network, labels = conv_net(), np.zeros(2, dtype=np.int64)
    with pytest.raises(ValueError, match=r"pictures in \[0, 1\]"):
        fgsm(network, pictures(2) + 0.5, labels, 0.1)
    with pytest.raises(ValueError, match="2 pictures, 1 labels"):
        fgsm(network, pictures(2), labels[:1], 0.1)
    with pytest.raises(ValueError, match="at least 0 and steps 1"):
        pgd(network, pictures(2), labels, 0.1, 0, 0.1, None)
