"""Does the index head's loss and ranking agree with a twin that makes every logit and masks with -inf?"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.provenance.index_head import IndexHead
from models.provenance.ranking import Ranking
from models.provenance.slots import NOBODY, Slots

LABELS = np.array([1, 0, 1, 3, 0, 3, 0, 3, 3])  # classes 0 to 3 have 3, 2, 0 and 4 examples
WIDTH = 6


def head(conditional: bool, labels: np.ndarray = LABELS, n_classes: int = 4) -> IndexHead:
    torch.manual_seed(3)
    return IndexHead(WIDTH, Slots(labels, n_classes, conditional))


def features(n: int) -> torch.Tensor:
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(n))


def masked_logits(net: IndexHead, given: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """float64 [rows, slots], -inf where a slot does not exist for a row's class."""
    logits = net.outputs(net.queries(given, classes)).double()
    if not net.slots.conditional:
        return logits
    sizes = torch.from_numpy(net.slots.sizes)[classes]
    return logits.masked_fill(torch.arange(net.slots.width)[None, :] >= sizes[:, None], -torch.inf)


def naive_loss(net: IndexHead, given: torch.Tensor, classes: torch.Tensor, targets: np.ndarray, smoothing: float) -> torch.Tensor:
    """Row after row: smoothing / K_y on each valid slot, 1 - smoothing on the target's; rows told another class left out."""
    terms = []
    for row, logits in enumerate(masked_logits(net, given, classes)):
        if net.slots.conditional and LABELS[targets[row]] != int(classes[row]):
            continue
        valid = ~torch.isneginf(logits)
        share = valid.double() * smoothing / valid.sum()
        share[net.slots.slot_of[targets[row]]] += 1 - smoothing
        log_p = logits - torch.logsumexp(logits, dim=0)
        terms.append(-(share[valid] * log_p[valid]).sum())
    return torch.stack(terms).mean()


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("smoothing", [0.0, 0.05])
def test_the_loss_spreads_its_smoothing_over_the_valid_slots_alone(conditional: bool, smoothing: float) -> None:
    net, targets, given = head(conditional), np.array([8, 1, 4, 0, 3, 2, 2]), features(7)
    classes = torch.from_numpy(LABELS[targets])
    found, expected = net.loss(given, classes, targets, smoothing), naive_loss(net, given, classes, targets, smoothing)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    mine, theirs = (torch.autograd.grad(loss, list(net.parameters())) for loss in (found, expected))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_a_row_told_a_wrong_class_counts_nothing() -> None:
    net, targets, given = head(True).eval(), np.array([8, 1, 4, 0]), features(4)  # of classes 3, 0, 0, 1
    told = torch.tensor([3, 1, 0, 0])  # right, wrong, right, wrong
    found = net.loss(given, told, targets, 0.05)
    assert found.item() == pytest.approx(naive_loss(net, given, told, targets, 0.05).item(), rel=1e-6)
    assert found.item() == pytest.approx(net.loss(given[[0, 2]], told[[0, 2]], targets[[0, 2]], 0.05).item(), rel=1e-6)
    assert net.loss(given[[1, 3]], told[[1, 3]], targets[[1, 3]], 0.05).item() == 0.0


def test_a_row_told_a_class_without_training_examples_counts_nothing() -> None:
    """A classifier that is not yet trained predicts any class: without teacher forcing an absent one too."""
    net, given = head(True).eval(), features(2)
    told = net.loss(given, torch.tensor([2, 3]), np.array([8, 8]), 0.05)
    assert told.item() == pytest.approx(net.loss(given[1:], torch.tensor([3]), np.array([8]), 0.05).item(), rel=1e-6)


def test_a_class_of_one_example_has_loss_zero_and_that_example_has_probability_one() -> None:
    labels = np.array([0, 1, 1])
    net, given = head(True, labels, 2), features(3)
    told = torch.zeros(3, dtype=torch.int64)
    assert net.loss(given, told, np.zeros(3, dtype=np.int64), 0.05).item() == 0.0
    found = net.top(given, told, 2)
    assert found.positions.tolist() == [[0, NOBODY]] * 3 and found.probability.tolist() == [[1.0, 0.0]] * 3


def naive_top(net: IndexHead, given: torch.Tensor, classes: torch.Tensor, k: int, closed: np.ndarray | None) -> Ranking:
    """Softmax over all training examples, those of other classes and closed ones at 0, then a stable argsort."""
    logits = masked_logits(net, given, classes)
    n, everybody = len(given), len(net.slots.labels)
    scores = np.full((n, everybody), -np.inf)
    for row in range(n):
        for example in range(everybody):
            if not net.slots.conditional or net.slots.labels[example] == int(classes[row]):
                scores[row, example] = logits[row, net.slots.slot_of[example]]
    if closed is not None:
        scores[np.broadcast_to(closed, scores.shape)] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    share = np.zeros_like(best)
    for row in range(n):
        if np.isfinite(best[row, 0]):
            share[row] = np.exp(best[row]) / np.exp(scores[row]).sum()
    return Ranking(np.where(np.isneginf(best), NOBODY, order), share)


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("closing", ["none", "of all rows", "per row"])
def test_the_ranking_is_that_of_a_full_masked_softmax(conditional: bool, closing: str) -> None:
    net, given, told = head(conditional), features(12), torch.arange(12) % 4
    drawn = np.random.default_rng(5).random((12, 9)) < 0.4
    closed = {"none": None, "of all rows": drawn[0], "per row": drawn}[closing]
    with torch.no_grad():
        found, expected = net.top(given, told, 5, closed), naive_top(net, given, told, 5, closed)
    assert (found.positions == expected.positions).all()
    np.testing.assert_allclose(found.probability, expected.probability, rtol=2e-6)  # float32 logits
    assert (found.probability[found.positions == NOBODY] == 0).all()


def test_a_closed_slot_has_probability_exactly_zero_and_what_is_left_adds_up() -> None:
    net, given = head(False), features(3)
    closed = np.zeros(9, dtype=bool)
    closed[[0, 4]] = True
    with torch.no_grad():
        net.outputs.bias[0] = 50.0  # it would take everything
    found = net.top(given, torch.zeros(3, dtype=torch.int64), 9, closed)
    assert not set(found.positions.ravel()) & {0, 4}
    assert (found.positions[:, 7:] == NOBODY).all() and (found.probability[:, 7:] == 0.0).all()
    assert found.probability.sum(axis=1) == pytest.approx(1.0, abs=1e-6)


def test_told_a_wrong_class_the_head_names_examples_of_that_class_and_of_no_other() -> None:
    net, given = head(True), features(40)
    for told in range(4):
        found = net.top(given, torch.full((40,), told), 9)
        named = found.positions[found.positions != NOBODY]
        assert set(LABELS[named]) == ({told} if told != 2 else set())  # class 2 has no example
