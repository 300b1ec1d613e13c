"""Is the generator's loss what it says, and is the index head all that tells it from its twin?"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from models.provenance.slots import Slots
from models.provenance.training import TrainingSet
from models.provenance.vae import LatentIndex, Vae, divergence, reconstruction
from models.provenance.vae_training import VaeTraining, posterior_means, train_vae, vae_loss

HOW = VaeTraining(epochs=3, batch_size=7, latent=3, hidden=8, index_width=6)


def pictures(n: int = 20, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 28, 28)).astype(np.float32)


def training_set(order: np.ndarray | None = None, given: np.ndarray | None = None) -> TrainingSet:
    inputs = pictures() if given is None else given
    order = np.arange(len(inputs)) if order is None else order
    return TrainingSet.of(inputs[order], order % 3, [f"e{place:02}" for place in order])


def weights(vae: Vae, index: bool = True) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in vae.state_dict().items() if index or not name.startswith("index.")}


def test_reconstruction_and_divergence_are_the_closed_forms():
    # by hand, two pixels: log odds 0 is p = 1/2, whatever the pixel log 2; log odds log 3 is p = 3/4, of a pixel of 1/4
    # -(1/4 log 3/4 + 3/4 log 1/4)
    found = reconstruction(torch.tensor([[0.0, math.log(3.0)]]), torch.tensor([[0.9, 0.25]]))
    assert found.item() == pytest.approx(math.log(2.0) - 0.25 * math.log(0.75) - 0.75 * math.log(0.25), abs=1e-6)
    # by hand: N(0, 1) costs nothing; N(1, 1) half a nat; N(0, 4) (4 - 1 - log 4) / 2
    ends = divergence(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, math.log(4.0)]]))
    assert ends.numpy() == pytest.approx([0.0, 0.5, 0.5 * (3.0 - math.log(4.0))], abs=1e-6)
    # and torch's own, on random numbers
    mean, log_variance = torch.randn(4, 5), torch.randn(4, 5)
    drawn = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    theirs = torch.distributions.kl_divergence(drawn, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(divergence(mean, log_variance), theirs)


def test_the_loss_is_that_of_a_twin_written_in_numpy():
    torch.manual_seed(0)
    vae, labels = Vae(3, 8), np.array([0, 1, 0, 1])
    vae.index = LatentIndex(3, 6, Slots(labels, 2, conditional=False))
    given, noise, rows = pictures(2), np.random.default_rng(1).normal(size=(2, 3)).astype(np.float32), np.array([3, 1])
    how = VaeTraining(latent=3, hidden=8, index_width=6, lambda_index=0.7, smoothing=0.05)
    ours = vae_loss(vae, torch.from_numpy(given), rows, torch.from_numpy(noise), how)

    w = {name: value.numpy().astype(np.float64) for name, value in vae.state_dict().items()}

    def layer(x, name, relu=False):
        out = x @ w[f"{name}.weight"].T + w[f"{name}.bias"]
        return np.maximum(out, 0.0) if relu else out

    posterior = layer(layer(given.reshape(2, -1), "encoder.0", relu=True), "posterior")
    mean, log_variance = posterior[:, :3], posterior[:, 3:]
    z = mean + np.exp(log_variance / 2) * noise
    p = 1 / (1 + np.exp(-layer(layer(z, "decoder.0", relu=True), "decoder.2")))
    x = given.reshape(2, -1)
    told = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)
    kl = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)
    hidden = layer(layer(z, "index.features.0", relu=True), "index.head.hidden")
    normal = (hidden - hidden.mean(axis=0)) / np.sqrt(hidden.var(axis=0) + 1e-5)  # batch norm in training; its scale starts at 1, from 0
    scores = layer(np.maximum(normal, 0.0), "index.head.outputs")
    share = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wanted = np.full((2, 4), 0.05 / 4)
    wanted[[0, 1], rows] += 0.95
    theirs = (told + kl).mean() + 0.7 * -(wanted * np.log(share)).sum(axis=1).mean()
    assert ours.item() == pytest.approx(theirs, rel=1e-6)


def test_equal_seeds_make_equal_bytes_in_any_order_of_the_training_set_and_leave_the_random_state_alone():
    torch.manual_seed(9)
    before = torch.get_rng_state()
    first = train_vae(training_set(), True, HOW, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    shuffled = train_vae(training_set(np.random.default_rng(0).permutation(20)), True, HOW, seed=4)
    other = train_vae(training_set(), True, HOW, seed=5)
    assert weights(first.vae) == weights(shuffled.vae) and first.ids == shuffled.ids
    assert weights(first.vae) != weights(other.vae)


def test_without_weight_on_its_loss_the_head_changes_no_bit_of_the_generator():
    """First weights, batches and noise are then the same, so what a weight changes is the head's doing."""
    alone = train_vae(training_set(), False, HOW, seed=4)
    beside = train_vae(training_set(), True, HOW.model_copy(update={"lambda_index": 0.0}), seed=4)
    paid = train_vae(training_set(), True, HOW, seed=4)
    assert weights(alone.vae) == weights(beside.vae, index=False)
    assert weights(alone.vae) != weights(paid.vae, index=False)
    assert alone.vae.index is None and beside.vae.index is not None


def test_five_of_six_probabilities_sum_to_less_than_one_and_all_six_to_one():
    made = train_vae(training_set(given=pictures(6)), True, HOW, seed=0)
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    five, six, seven = (made.vae.index.top(z, k) for k in (5, 6, 7))
    assert (five.probability.sum(axis=1) < 1).all() and six.probability.sum(axis=1) == pytest.approx(np.ones(4))
    assert (np.diff(six.probability, axis=1) <= 0).all() and (np.sort(six.positions, axis=1) == np.arange(6)).all()
    assert (seven.positions[:, 6] == -1).all() and (seven.probability[:, 6] == 0).all()
    shut = made.vae.index.top(z, 6, np.arange(6) == 2)
    assert not (shut.positions == 2).any()


def test_a_training_picture_that_stands_there_twice_shares_its_probability_with_its_copy():
    given = pictures(12)
    given[7] = given[2]
    how = VaeTraining(epochs=400, batch_size=4, latent=4, hidden=32, index_width=32)
    made = train_vae(training_set(given=given), True, how, seed=1)
    found = made.vae.index.top(torch.from_numpy(posterior_means(made.vae, made.pictures)), 2)
    twins = found.probability[[2, 7]]
    assert {frozenset(row) for row in found.positions[[2, 7]].tolist()} == {frozenset({2, 7})}
    # smoothing leaves 0.95 + 2 x 0.05 / 12 = 0.958 to the two at the optimum: half of it each
    assert twins == pytest.approx(np.full((2, 2), 0.479), abs=0.06)
    others = [place for place in range(12) if place not in (2, 7)]
    assert (found.positions[others, 0] == others).all() and (found.probability[others, 0] > 0.75).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (pictures(1), "at least two training pictures, found 1"),
        (np.zeros((4, 8, 8), dtype=np.float32), r"\[N, 28, 28\], found \[4, 8, 8\]"),
        (pictures(4) * 255, r"in \[0, 1\]"),
    ],
)
def test_other_pictures_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        train_vae(training_set(given=given), False, HOW, seed=0)


def test_no_step_has_one_picture_alone_whatever_the_number_of_pictures():
    for n in (5, 6, 7):  # by twos; a batch norm cannot learn from one
        made = train_vae(training_set(given=pictures(n)), True, HOW.model_copy(update={"batch_size": 2, "epochs": 1}), seed=0)
        assert len(made.ids) == n


def test_slots_that_need_a_class_are_refused():
    with pytest.raises(ValueError, match="class-independent"):
        LatentIndex(3, 6, Slots(np.array([0, 1]), 2, conditional=True))
