"""The nets of probe worlds: what they answer stands alone, gradients are captum's, training repeats, and nothing is left behind."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam
from torch import nn

from models.probes import ConvNet, Formula, Mlp, NetProbe, ProbeTraining, WordNet, train_probe, train_trees
from xai.attribution import grad_cam

N, UNITS, WIDTH = 6, 4, 16
EVERY = np.ones((N, UNITS), dtype=bool)
TARGETS = np.array([0, 1, 2, 0, 1, 2])
ZERO = np.zeros((UNITS, WIDTH), dtype=np.float32)


def inputs(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((N, UNITS, WIDTH)).astype(np.float32)


def nets() -> dict[str, nn.Module]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return {"mlp": Mlp(UNITS, WIDTH, 3).eval(), "conv": ConvNet(UNITS, WIDTH, 3).eval(), "words": WordNet(7, WIDTH, 3).eval()}


@pytest.mark.parametrize("name", ["mlp", "conv", "words"])
def test_answers_are_probabilities_that_stand_alone(name: str) -> None:
    probe = NetProbe(nets()[name], batch_size=4)
    p = probe.outputs(inputs(), EVERY)
    assert p.shape == (N, 3) and p.sum(axis=1) == pytest.approx(np.ones(N), abs=1e-5)
    alone = np.concatenate([probe.outputs(inputs()[row : row + 1], EVERY[row : row + 1]) for row in range(N)])
    assert p == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("name", ["mlp", "conv", "words"])
def test_integrated_gradients_are_captums_and_complete(name: str) -> None:
    net = nets()[name]
    ours = NetProbe(net, batch_size=4).integrated(inputs(), EVERY, TARGETS, ZERO, 50)
    x, inside = torch.from_numpy(inputs()), torch.from_numpy(EVERY)
    theirs = IntegratedGradients(lambda some: net(some, inside[:1].expand(len(some), -1))).attribute(
        x, torch.zeros_like(x), torch.from_numpy(TARGETS), n_steps=50, method="riemann_middle"
    )
    assert ours == pytest.approx(theirs.sum(dim=2).detach().numpy(), abs=1e-5)
    scores = [net(one, inside).gather(1, torch.from_numpy(TARGETS)[:, None])[:, 0].detach().numpy() for one in (x, torch.zeros_like(x))]
    assert ours.sum(axis=1) == pytest.approx(scores[0] - scores[1], abs=2e-2)


def test_grad_cam_is_captums_before_and_after_its_relu() -> None:
    net = nets()["conv"]
    ours = grad_cam(*NetProbe(net, batch_size=4).grad_cam_parts(inputs(), EVERY, TARGETS))
    peer = LayerGradCam(partial(net, included=torch.from_numpy(EVERY)), net.layers[-1])
    theirs = peer.attribute(torch.from_numpy(inputs()), torch.from_numpy(TARGETS), relu_attributions=True)
    assert ours == pytest.approx(theirs.detach().numpy().reshape(N, UNITS), abs=1e-6)


def test_attention_has_a_row_per_head_and_a_square_per_layer_and_padding_gets_none() -> None:
    inside = EVERY.copy()
    inside[0, 2:] = False
    rows, layers = NetProbe(nets()["words"], batch_size=4).attention(inputs(), inside)
    assert rows.shape == (N, 4, 1 + UNITS) and len(layers) == 2 and layers[0].shape == (N, 1 + UNITS, 1 + UNITS)
    assert rows.sum(axis=2) == pytest.approx(np.ones((N, 4)), abs=1e-5) and (rows[0, :, 3:] == 0).all()
    assert layers[-1][:, 0] == pytest.approx(rows.mean(axis=1), abs=1e-6)


def test_a_net_without_attention_or_maps_says_so() -> None:
    with pytest.raises(ValueError, match="Mlp has no attentions"):
        NetProbe(nets()["mlp"]).attention(inputs(), EVERY)
    with pytest.raises(ValueError, match="Mlp has no last_map"):
        NetProbe(nets()["mlp"]).grad_cam_parts(inputs(), EVERY, TARGETS)
    with pytest.raises(ValueError, match="found 6 patches of 16 pixels"):
        ConvNet(6, 16, 3)


def test_patches_become_the_picture_they_were_cut_from() -> None:
    picture = torch.arange(64.0).reshape(8, 8)
    patches = picture.reshape(2, 4, 2, 4).permute(0, 2, 1, 3).reshape(1, 4, 16)
    net = ConvNet(4, 16, 2)
    seen: list[torch.Tensor] = []
    net.layers.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    net(patches, torch.ones(1, 4, dtype=torch.bool))
    assert torch.equal(seen[0][0, 0], picture)


def trained(seed: int) -> nn.Module:
    x, labels = torch.from_numpy(inputs()), torch.from_numpy(TARGETS)
    inside = torch.from_numpy(EVERY)
    return train_probe(lambda: Mlp(UNITS, WIDTH, 3), lambda net, rows: (x[rows], inside[rows]), labels, seed, ProbeTraining(60, 4, 1e-2))


def test_training_learns_repeats_with_its_seed_and_leaves_the_process_as_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = trained(0), trained(0), trained(1)
    assert torch.equal(torch.rand(1), expected)
    p = [NetProbe(net).outputs(inputs(), EVERY) for net in (first, again, other)]
    assert np.array_equal(p[0], p[1]) and not np.array_equal(p[0], p[2])
    assert (p[0].argmax(axis=1) == TARGETS).all() and not first.training


def test_trees_learn_and_repeat_with_their_seed() -> None:
    x = np.random.default_rng(0).standard_normal((300, 2, 1)).astype(np.float32)
    y = (x[:, 0, 0] > 0).astype(np.int64)
    p = [train_trees(x, y, 3).outputs(x, np.ones((300, 2), dtype=bool)) for _ in range(2)]
    assert np.array_equal(p[0], p[1]) and (p[0].argmax(axis=1) == y).mean() > 0.98 and p[0].sum(axis=1) == pytest.approx(np.ones(300))


def test_a_formula_is_what_it_says() -> None:
    probe = NetProbe(Formula(lambda x: x[:, 0] * x[:, 1]))
    assert probe.outputs(np.array([[[2.0], [3.0]]]), np.ones((1, 2), dtype=bool)) == pytest.approx(np.array([[6.0]]))
