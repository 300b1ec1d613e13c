"""Do the applications of provenance networks agree with scikit-learn, captum and torch's autograd?"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from captum.robust import FGSM, PGD
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from gold.provenance.causal import leave_out
from gold.provenance.frozen_head import fit_head
from gold.provenance.membership import membership
from gold.provenance.mislabel import detection
from gold.provenance.tracin import Examples, supporters
from models.provenance.adversarial import fgsm, pgd
from models.provenance.network import ProvenanceNetwork
from models.provenance.slots import Slots
from models.provenance.trunk import conv_trunk


@pytest.mark.parametrize(("n", "d"), [(120, 8), (30, 50)], ids=["more examples than numbers", "fewer"])
def test_heads_fitted_without_some_examples_are_scikit_learns(n: int, d: int) -> None:
    rng = np.random.default_rng(3)
    labels = np.r_[np.arange(4), rng.integers(0, 4, n - 4)]
    features = (rng.standard_normal((4, d))[labels] + rng.standard_normal((n, d))).astype(np.float32)
    asked, targets = rng.standard_normal((5, d)).astype(np.float32), rng.integers(0, 4, 5)
    removed = np.stack([rng.choice(np.arange(4, n), (2, 5), replace=False) for _ in range(5)])
    l2 = 0.4

    def peer(kept: np.ndarray) -> np.ndarray:
        model = LogisticRegression(C=1 / l2, solver="newton-cg", tol=1e-8, max_iter=1000)
        return np.asarray(model.fit(features[kept].astype(np.float64), labels[kept]).predict_proba(asked))

    whole, found = peer(np.arange(n)), leave_out(fit_head(features, labels, 4, l2), asked, targets, removed)
    for t, r in np.ndindex(5, 2):
        expected = peer(np.setdiff1d(np.arange(n), removed[t, r]))[t, targets[t]] - whole[t, targets[t]]
        assert found[t, r] == pytest.approx(expected, abs=1e-5)  # what scikit-learn's own stopping leaves
    assert np.abs(found).max() > 1e-3


def head_and_examples() -> tuple[torch.nn.Linear, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(6)
    head = torch.nn.Linear(6, 4).double()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(0.0, 0.5, generator=generator)
    return head, torch.randn((12, 6), generator=generator, dtype=torch.float64), torch.randint(4, (12,), generator=generator)


def gradient(head: torch.nn.Linear, features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    loss = torch.nn.functional.cross_entropy(head(features[None]), target[None])
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(head.parameters()))])


def test_gradient_similarities_are_autograds_and_the_largest_supporter_raises_p_of_the_target_most() -> None:
    head, features, classes = head_and_examples()
    told = Examples(features.numpy(), head(features).detach().numpy(), classes.numpy())
    test, train = (Examples(told.features[part], told.logits[part], told.classes[part]) for part in (slice(0, 3), slice(3, 12)))
    found = supporters(test, train, 9)
    for row in range(3):
        own = gradient(head, features[row], classes[row])
        expected = [float(own @ gradient(head, features[3 + place], classes[3 + place])) for place in found.positions[row]]
        np.testing.assert_allclose(found.similarity[row], expected, rtol=1e-9)
        changes = [after_a_step(head, features, classes, row, 3 + int(place)) for place in found.positions[row]]
        assert changes == sorted(changes, reverse=True) and changes[0] > 0 > changes[-1]


def after_a_step(head: torch.nn.Linear, features: torch.Tensor, classes: torch.Tensor, test: int, train: int) -> float:
    """Change of log p(target) of the test example by one small step of gradient descent on the training example."""
    stepped = copy.deepcopy(head)
    torch.nn.functional.cross_entropy(stepped(features[train][None]), classes[train][None]).backward()
    with torch.no_grad():
        for parameter in stepped.parameters():
            parameter -= 1e-5 * parameter.grad
        both = [torch.log_softmax(one(features[test]), dim=0)[classes[test]] for one in (stepped, head)]
    return float(both[0] - both[1])


@pytest.mark.parametrize("digits", [1, 6], ids=["many ties", "few"])
def test_membership_figures_are_those_of_scikit_learns_roc(digits: int) -> None:
    rng = np.random.default_rng(8)
    members, others = rng.normal(1.0, 1.0, 500).round(digits), rng.normal(0.0, 1.0, 300).round(digits)
    found = membership(members, others, 2, rng)
    fpr, tpr, _ = roc_curve(np.r_[np.ones(500), np.zeros(300)], np.r_[members, others], drop_intermediate=False)
    assert found.auc == pytest.approx(auc(fpr, tpr), abs=1e-12)
    assert found.tpr == tpr[fpr <= 0.01].max() > 0


@pytest.mark.parametrize("digits", [1, 6], ids=["many ties", "few"])
def test_mislabel_detection_is_scikit_learns_average_precision_and_curve(digits: int) -> None:
    rng = np.random.default_rng(9)
    wrong = rng.random(400) < 0.1
    score = (rng.random(400) + 0.5 * wrong).round(digits)
    precision, recall, thresholds = precision_recall_curve(wrong, score)
    checked = [int((score >= threshold).sum()) for threshold in thresholds]
    found = detection(score, wrong, checked)
    assert found.average_precision == pytest.approx(average_precision_score(wrong, score), abs=1e-12)
    np.testing.assert_allclose(found.precision, precision[:-1])
    np.testing.assert_allclose(found.recall, recall[:-1])


def test_attacked_pictures_are_captums() -> None:
    torch.manual_seed(2)
    network = ProvenanceNetwork("plain", conv_trunk("small", 16), Slots(np.arange(6) % 3, 3, conditional=False), 4).eval().double()
    pictures, labels = torch.rand(5, 28, 28).double(), np.array([0, 1, 2, 1, 0])
    targets = torch.from_numpy(labels)
    how = {"loss_func": raised_cross_entropy, "lower_bound": 0.0, "upper_bound": 1.0}
    peer = FGSM(network, **how).perturb(pictures, epsilon=0.1, target=targets)
    torch.testing.assert_close(fgsm(network, pictures, labels, 0.1), peer.detach())
    many = PGD(network, **how).perturb(pictures, radius=0.1, step_size=0.03, step_num=5, target=targets)
    torch.testing.assert_close(pgd(network, pictures, labels, 0.1, 5, 0.03, None), many.detach())


def raised_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """captum's own loss takes probabilities, and it takes gradients below 1e-6 for none."""
    return 1e9 * torch.nn.functional.cross_entropy(logits, targets, reduction="none")
