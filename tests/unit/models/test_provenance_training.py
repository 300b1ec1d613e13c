"""Is a provenance network the same from the same seed, whatever the order of its training set, and does it name the right examples?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.provenance.answers import class_logits, features, ranked
from models.provenance.network import ProvenanceNetwork, Variant
from models.provenance.slots import NOBODY
from models.provenance.training import ProvenanceTraining, Trained, TrainingSet, moved, train_provenance
from models.provenance.trunk import conv_trunk, vector_trunk

VARIANTS: tuple[Variant, ...] = ("single_branch", "two_branch", "class_conditional")
N, DIM, CLASSES = 24, 8, 3
LEARNING = {"epochs": 150, "batch_size": 12, "learning_rate": 0.02}


def vectors(n: int = N) -> NDArray[np.float32]:
    return np.random.default_rng(n).standard_normal((n, DIM)).astype(np.float32)


def given(n: int = N, order: NDArray[np.int64] | None = None, kept: NDArray[np.bool_] | None = None) -> TrainingSet:
    """n vectors of the classes 0, 1, 2, 0, …, in this order; ids say which is which."""
    order = np.arange(n) if order is None else order
    ids = [f"example-{place:03d}" for place in order]
    return TrainingSet.of(vectors(n)[order], order % CLASSES, ids, None if kept is None else kept[order])


def trained(variant: Variant, data: TrainingSet | None = None, seed: int = 0, **how: object) -> Trained:
    settings = ProvenanceTraining.model_validate({**LEARNING, **how})
    return train_provenance(variant, vector_trunk(DIM, 16), 1, data or given(), CLASSES, settings, seed)


def bytes_of(one: Trained) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in one.network.state_dict().values()]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(variant: Variant) -> None:
    first = trained(variant, epochs=2, alpha=0.5)
    torch.manual_seed(99)
    assert bytes_of(first) == bytes_of(trained(variant, epochs=2, alpha=0.5))
    assert bytes_of(first) != bytes_of(trained(variant, epochs=2, alpha=0.5, seed=1))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_order_of_the_training_set_changes_nothing(variant: Variant) -> None:
    first, other = (trained(variant, given(order=order), epochs=3) for order in (None, np.random.default_rng(3).permutation(N)))
    assert bytes_of(first) == bytes_of(other) and first.ids == other.ids
    questions = torch.from_numpy(vectors(5))
    one, two = (ranked(net.network, questions, 4) for net in (first, other))
    assert (one.positions == two.positions).all() and (one.probability == two.probability).all()


def test_the_training_set_is_sorted_by_id_with_all_that_belongs_to_an_example() -> None:
    data = TrainingSet.of(vectors(3), np.array([0, 1, 2]), ["c", "a", "b"], np.array([False, True, True]))
    assert data.ids == ("a", "b", "c") and data.labels.tolist() == [1, 2, 0] and data.kept.tolist() == [True, True, False]
    assert (data.inputs.numpy() == vectors(3)[[1, 2, 0]]).all()


def test_the_process_keeps_its_random_state_its_threads_and_its_gradients() -> None:
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002  # the law is about the global one
    before, drawn, threads = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()  # noqa: NPY002  # type: ignore[index]
    one = trained("two_branch", epochs=1, alpha=0.5)
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
    assert (np.random.get_state()[1] == drawn).all()  # noqa: NPY002  # type: ignore[index]
    assert torch.is_grad_enabled() and not one.network.training
    assert not any(parameter.requires_grad for parameter in one.network.parameters())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_trained_head_names_its_training_examples_and_their_classes(variant: Variant) -> None:
    one, inputs = trained(variant), torch.from_numpy(vectors())
    found = ranked(one.network, inputs, 5)
    assert found.positions[:, 0].tolist() == list(range(N))
    assert class_logits(one.network, inputs).argmax(axis=1).tolist() == [place % CLASSES for place in range(N)]
    # a smoothing of 0.05 leaves 0.95 + 0.05 / K for the target at the optimum
    assert found.probability[:, 0].min() > 0.8 and found.probability[:, 0].max() < 0.99


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_copies_of_one_training_example_share_its_mass_evenly(variant: Variant) -> None:
    inputs = vectors()
    inputs[9] = inputs[3]  # both of class 0
    data = TrainingSet.of(inputs, np.arange(N) % CLASSES, [f"example-{place:03d}" for place in range(N)])
    found = ranked(trained(variant, data, batch_size=N).network, torch.from_numpy(inputs[[3]]), 2)  # both in every step: no last word
    assert sorted(found.positions[0].tolist()) == [3, 9]
    first, second = found.probability[0]
    assert first + second > 0.85 and first / second < 1.05  # one alone would have 0.95 or more


@pytest.mark.parametrize("told", range(CLASSES))
def test_told_a_wrong_class_a_class_conditional_net_never_names_an_example_of_another(told: int) -> None:
    one = trained("class_conditional", epochs=2)
    found = ranked(one.network, torch.from_numpy(vectors(40)), N, np.full(40, told))
    named = found.positions[found.positions != NOBODY]
    assert len(named) == 40 * 8 and set(named % CLASSES) == {told}
    assert found.probability.sum(axis=1) == pytest.approx(1.0, abs=1e-6)


def test_unless_it_is_told_a_class_conditional_net_takes_the_class_it_predicts() -> None:
    one, questions = trained("class_conditional", epochs=2), torch.from_numpy(vectors(40))
    predicted = class_logits(one.network, questions).argmax(axis=1)
    assert len(set(predicted)) > 1
    own, told = ranked(one.network, questions, 5), ranked(one.network, questions, 5, predicted)
    assert (own.positions == told.positions).all() and (own.positions % CLASSES == predicted[:, None]).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_classes_of_one_example_and_of_none_are_learned_beside_the_others(variant: Variant) -> None:
    labels = np.array([0] + [2] * 11)  # class 1 has none
    data = TrainingSet.of(vectors(12), labels, [f"{place:02d}" for place in range(12)])
    one = trained(variant, data, alpha=0.5, teacher_forcing=False, epochs=3)  # at first every class is predicted
    found = ranked(one.network, torch.from_numpy(vectors(12)), 12, np.zeros(12, dtype=np.int64))
    assert np.isfinite(found.probability).all()
    if variant == "class_conditional":
        assert found.positions[:, :2].tolist() == [[0, NOBODY]] * 12 and (found.probability[:, 0] == 1.0).all()
        nobody = ranked(one.network, torch.from_numpy(vectors(12)), 3, np.ones(12, dtype=np.int64))
        assert (nobody.positions == NOBODY).all() and (nobody.probability == 0.0).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_withdrawn_example_loses_its_slot_and_results_change_only_where_it_stood(variant: Variant) -> None:
    one, questions = trained(variant, epochs=3), torch.from_numpy(vectors(40))
    before = ranked(one.network, questions, 5)
    gone = int(before.positions[0, 1])
    after = ranked(one.network, questions, 5, closed=np.arange(N) == gone)
    with_it = (before.positions == gone).any(axis=1)
    assert not (after.positions == gone).any() and with_it.any()
    assert (before.positions[~with_it] == after.positions[~with_it]).all()
    for row in np.flatnonzero(with_it):
        left = [one for one in before.positions[row] if one != gone]
        assert after.positions[row, :4].tolist() == left
    if variant == "class_conditional":  # inputs of other classes have no part of its mass to share out
        others = before.positions[:, 0] % CLASSES != gone % CLASSES
        assert (before.probability[others] == after.probability[others]).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_of_two_examples_of_a_class_alpha_is_the_share_of_the_other(variant: Variant, alpha: float) -> None:
    found = ranked(trained(variant, given(6), alpha=alpha, smoothing=0.0, epochs=400).network, torch.from_numpy(vectors(6)), 6)
    share = np.zeros((6, 7))  # the last column takes NOBODY's
    np.put_along_axis(share, found.positions, found.probability, axis=1)
    other = np.array([share[row, (row + 3) % 6] for row in range(6)])
    # 400 draws per example, the last ones weighing most: a share of a half is met within 0.2
    assert np.abs(other - alpha).max() < (0.2 if alpha == 0.5 else 0.02)


def test_without_teacher_forcing_the_head_is_conditioned_on_what_is_predicted() -> None:
    forced, free = (trained("class_conditional", epochs=3, teacher_forcing=told) for told in (True, False))
    assert bytes_of(forced) != bytes_of(free)  # some first prediction is wrong
    alike = [trained("two_branch", epochs=3, teacher_forcing=told) for told in (True, False)]
    assert bytes_of(alike[0]) == bytes_of(alike[1])  # a class-independent head is told nothing


def test_a_left_out_example_teaches_nothing_and_keeps_its_slot() -> None:
    kept = np.ones(N, dtype=bool)
    kept[5] = False
    changed = given(kept=kept)
    changed.inputs[5] = 1000.0  # nobody looks
    first, other = trained("two_branch", given(kept=kept), epochs=3), trained("two_branch", changed, epochs=3)
    assert bytes_of(first) == bytes_of(other) and first.slots.width == N
    assert bytes_of(first) != bytes_of(trained("two_branch", epochs=3))


def pictures(n: int) -> NDArray[np.float32]:
    return np.random.default_rng(n).random((n, 28, 28)).astype(np.float32)


@pytest.mark.parametrize("shift", [0, 2])
def test_without_an_example_the_batches_are_otherwise_the_same(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out must not move the draws of the others, or retraining without it would measure another shuffle."""
    fed: list[torch.Tensor] = []
    branches = ProvenanceNetwork.branches

    def watched(net: ProvenanceNetwork, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fed.append(inputs)
        return branches(net, inputs)

    monkeypatch.setattr(ProvenanceNetwork, "branches", watched)
    labels, ids, how = np.arange(12) % 2, [f"{place:02d}" for place in range(12)], {"epochs": 2, "batch_size": 6, "shift": shift}
    seen = []
    for kept in (np.ones(12, dtype=bool), np.arange(12) != 4):
        fed.clear()
        data = TrainingSet.of(pictures(12), labels, ids, kept)
        train_provenance("single_branch", conv_trunk("small", 8), 4, data, 2, ProvenanceTraining.model_validate(how), 0)
        seen.append([{picture.numpy().tobytes() for picture in batch} for batch in fed])
    full, less = seen
    assert [len(batch) for batch in full] == [6] * 4 and sum(len(batch) for batch in less) == 22
    assert all(few <= many for few, many in zip(less, full, strict=True))


def test_every_picture_is_moved_by_whole_pixels_and_what_comes_in_is_zero() -> None:
    given_pictures = torch.from_numpy(pictures(200) + 1.0)  # no 0 of its own
    shifted = moved(given_pictures, 2, np.random.default_rng(0))
    offsets = set()
    for before, after in zip(given_pictures.numpy(), shifted.numpy(), strict=True):
        (found,) = [(down, right) for down in range(-2, 3) for right in range(-2, 3) if (after == by_hand(before, down, right)).all()]
        offsets.add(found)
    assert len(offsets) == 25  # 200 draws miss one of 25 with probability 25 x 0.96^200 = 0.007, and the seed is fixed


def by_hand(picture: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """Pixel (row, column) comes from (row + down, column + right)."""
    out = np.zeros_like(picture)
    for row in range(28):
        for column in range(28):
            if 0 <= row + down < 28 and 0 <= column + right < 28:
                out[row, column] = picture[row + down, column + right]
    return out


def test_without_a_shift_nothing_is_moved_or_drawn() -> None:
    generator = np.random.default_rng(0)
    state, given_pictures = generator.bit_generator.state, torch.from_numpy(pictures(2))
    assert moved(given_pictures, 0, generator) is given_pictures and generator.bit_generator.state == state


def test_after_every_epoch_the_net_is_asked_in_eval_mode() -> None:
    modes: list[bool] = []
    settings = ProvenanceTraining(epochs=3)
    one = train_provenance(
        "plain",
        vector_trunk(DIM, 16),
        1,
        given(),
        CLASSES,
        settings,
        0,
        lambda net: modes.append(net.training) or {"at": float(len(modes))},
    )
    assert modes == [False] * 3 and one.history == [{"at": 1.0}, {"at": 2.0}, {"at": 3.0}]


def test_the_class_head_and_the_index_head_take_different_features_where_branches_are_apart() -> None:
    inputs = torch.from_numpy(pictures(3))
    data = TrainingSet.of(pictures(6), np.arange(6) % 2, list("abcdef"))
    apart, together = (
        features(train_provenance("two_branch", conv_trunk("small", 8), shared, data, 2, ProvenanceTraining(epochs=1), 0).network, inputs)
        for shared in (3, 4)
    )
    assert apart[0].shape == apart[1].shape == (3, 8) and not (apart[0] == apart[1]).all()
    assert (together[0] == together[1]).all()


def test_two_examples_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="unique, found 1 repeated"):
        TrainingSet.of(vectors(3), np.zeros(3, dtype=np.int64), ["a", "b", "a"])


def test_a_plain_classifier_is_not_asked_for_training_examples() -> None:
    with pytest.raises(ValueError, match="plain classifier"):
        ranked(trained("plain", epochs=1).network, torch.from_numpy(vectors(2)), 1)
