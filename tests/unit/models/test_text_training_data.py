"""Which texts a recipe sees, under which labels and with which priors: by content and seed, and nothing that is no prior gets in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.attribution_loss import prior_matrix
from models.buckets import BUCKETS
from models.errors import ArtifactError
from models.label_noise import with_wrong_labels
from models.text_recipe import Choice
from models.text_selection import few_shot, selected
from models.text_training_data import TextTrainingSet, text_fingerprint
from models.texts import prepare
from tests.text_training_worlds import LABELS, hybrid, recipe, simple, tiny


def shuffled(examples: TextTrainingSet) -> TextTrainingSet:
    return examples.take(np.random.default_rng(0).permutation(len(examples)))


def same(first: TextTrainingSet, second: TextTrainingSet) -> bool:
    priors = (first.priors is None) == (second.priors is None) and all(
        (a is None) == (b is None) and (a is None or np.array_equal(a, b))
        for a, b in zip(first.priors or (), second.priors or (), strict=True)
    )
    plain = first.texts == second.texts and first.example_ids == second.example_ids
    return plain and np.array_equal(first.label_ids, second.label_ids) and priors


def test_shots_are_balanced_nested_and_depend_on_the_seed_but_not_on_the_listing() -> None:
    examples = simple(60)
    five, short = few_shot(examples, 5, 0, 3)
    assert Counter(five.label_ids.tolist()) == {0: 5, 1: 5, 2: 5} and short == 0
    ten, _ = few_shot(shuffled(examples), 10, 0, 3)
    assert set(five.example_ids) < set(ten.example_ids) and len(ten) == 30
    assert same(few_shot(shuffled(examples), 5, 0, 3)[0], five)
    assert few_shot(examples, 5, 1, 3)[0].example_ids != five.example_ids


def test_a_label_with_too_few_keeps_all_and_is_counted_one_without_any_too() -> None:
    examples = simple(9).take([0, 3, 6, 1])  # label 0 three times, label 1 once, label 2 never
    kept, short = few_shot(examples, 3, 0, 3)
    assert Counter(kept.label_ids.tolist()) == {0: 3, 1: 1}
    assert short == 2


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.05, 3), (0.1, 6), (0.01, 1), (0.008, 0), (0.99, 59)])
def test_exactly_the_nearest_whole_number_of_labels_is_made_wrong(share: float, count: int) -> None:
    """0.05 x 60 = 3, 0.1 x 60 = 6, 0.01 x 60 = 0.6 -> 1, 0.008 x 60 = 0.48 -> 0, 0.99 x 60 = 59.4 -> 59."""
    examples = simple(60)
    noisy, wrong = with_wrong_labels(shuffled(examples), share, 0, 3)
    changed = [i for i, a, b in zip(noisy.example_ids, noisy.label_ids, examples.label_ids, strict=True) if a != b]
    assert len(wrong) == count and tuple(changed) == wrong
    assert noisy.label_ids.min() >= 0 and noisy.label_ids.max() <= 2
    assert np.array_equal(examples.label_ids, simple(60).label_ids)  # the caller's array is as it was


def test_more_label_noise_keeps_the_wrong_labels_of_less_and_every_other_label_is_drawn() -> None:
    few, five = with_wrong_labels(simple(300), 0.05, 0, 3)
    many, ten = with_wrong_labels(simple(300), 0.5, 0, 3)
    assert set(five) < set(ten)
    places = [few.example_ids.index(example_id) for example_id in five]
    assert np.array_equal(few.label_ids[places], many.label_ids[places])
    steps = Counter(((many.label_ids - simple(300).label_ids) % 3).tolist())
    assert steps[0] == 150 and 50 < steps[1] < 100  # 150 fair coins: 75, sd 6
    assert with_wrong_labels(simple(300), 0.05, 1, 3)[1] != five


def test_wrong_labels_need_a_second_label() -> None:
    with pytest.raises(ValueError, match="at least 2 labels"):
        with_wrong_labels(simple(9), 0.5, 0, 1)


def test_share_comes_before_shots_before_noise() -> None:
    chosen = selected(Choice.of(recipe(train_share=0.5, shots=4, label_noise=0.25)), simple(60), 3)
    assert len(chosen.examples) == 12 and len(chosen.wrong_ids) == 3
    assert selected(Choice.of(recipe()), shuffled(simple(60)), 3).examples.example_ids == simple(60).example_ids


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ([0.6, 0.8], "one number per word, 3"),
        ([0.6, 0.8, 0.0, 0.0], "one number per word, 3"),
        ([np.nan, 0.6, 0.8], "finite"),
        ([np.inf, 0.6, 0.8], "finite"),
        ([-0.6, 0.8, 0.0], "0 or more"),
        ([0.6, 0.8, 0.1], "L2 norm 1"),
        ([0.0, 0.0, 0.0], "L2 norm 1"),
    ],
)
def test_a_prior_that_is_none_is_refused_and_its_example_named(prior: list[float], said: str) -> None:
    given = (None, np.array(prior, dtype=np.float32))
    with pytest.raises(ValueError, match=f"example second.*{said}"):
        TextTrainingSet(("one", "now  three words"), np.array([0, 1]), ("first", "second"), given)


@pytest.mark.parametrize(
    "changes", [{"label_ids": np.array([0])}, {"label_ids": np.array([0.0, 1.0])}, {"example_ids": ("a", "a")}, {"priors": (None,)}]
)
def test_parts_that_are_not_of_the_same_examples_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        TextTrainingSet(**{"texts": ("x", "y"), "label_ids": np.array([0, 1]), "example_ids": ("a", "b")} | changes)


def test_a_saved_set_is_loaded_as_it_was_with_texts_of_any_script_and_texts_without_prior(tmp_path: Path) -> None:
    texts = ("שלום\n👍🏽 café\u200b", "  two words ", "x")
    priors = (np.array([0.6, 0.8, 0.0], dtype=np.float32), None, np.ones(1, dtype=np.float32))
    examples = TextTrainingSet(texts, np.array([2, 0, 1]), ("a", "b", "c"), priors)
    for name, one in (("with", examples), ("without", simple(5)), ("empty", simple(0))):
        one.save(tmp_path / name)
        assert same(TextTrainingSet.load(tmp_path / name), one), name


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"priors": [0.6, np.nan, 0.8, 1.0]}, "example a: a prior must be finite"),
        ({"priors": [0.6, 0.8, 0.0]}, "as many numbers as its priors are long, 4, found 3"),
        ({"priors": [0.6, 0.8, 1.0], "prior_lengths": [2, 0, 1]}, "example a: a prior must have one number per word, 3"),
        ({"prior_lengths": [3, 1]}, "priors must be 3, one per text or None for it, found 2"),
    ],
    ids=["nan", "shorter", "another length", "a text without"],
)
def test_a_file_whose_priors_do_not_fit_its_texts_is_refused(damage: dict[str, list[float]], said: str, tmp_path: Path) -> None:
    priors = (np.array([0.6, 0.8, 0.0], dtype=np.float32), None, np.ones(1, dtype=np.float32))
    TextTrainingSet(("a b c", "two words", "x"), np.array([2, 0, 1]), ("a", "b", "c"), priors).save(tmp_path / "set")
    (path,) = (tmp_path / "set").iterdir()
    kinds = {"priors": torch.float32, "prior_lengths": torch.int64}
    tensors = load_file(path) | {name: torch.tensor(values, dtype=kinds[name]) for name, values in damage.items()}
    path.unlink()
    save_file(tensors, path)
    with pytest.raises(ValueError, match=said):
        TextTrainingSet.load(tmp_path / "set")


def test_the_fingerprint_is_of_texts_labels_lengths_and_priors_and_not_of_the_listing() -> None:
    train, val = simple(12, priors=True), simple(6, 100)
    first = text_fingerprint(LABELS, BUCKETS, train, val)
    assert text_fingerprint(LABELS, BUCKETS, shuffled(train), shuffled(val)) == first
    moved = train.with_priors({i: p[::-1].copy() for i, p in zip(train.example_ids, train.priors or (), strict=True) if p is not None})
    others = [
        text_fingerprint(LABELS[::-1], BUCKETS, train, val),
        text_fingerprint(LABELS, BUCKETS[:2], train, val),
        text_fingerprint(LABELS, BUCKETS, val, train),
        text_fingerprint(LABELS, BUCKETS, simple(12), val),
        text_fingerprint(LABELS, BUCKETS, moved, val),
        text_fingerprint(LABELS, BUCKETS, train.take(range(11)), val),
    ]
    assert len({first, *others}) == 7
    with pytest.raises(ArtifactError) as refused:
        text_fingerprint(LABELS[:2], BUCKETS, train, val)
    assert refused.value.code == "label_unknown"


def test_the_prior_of_a_text_that_is_cut_is_that_of_the_words_inside_of_length_1_again(tmp_path: Path) -> None:
    backbone = tiny(tmp_path / "b")
    texts = prepare(["set my alarm for seven", "set my card"], backbone, 6)
    inside = texts.included.sum(axis=1)
    assert texts.truncated[0] and 1 < inside[0] < 5
    given = np.array([0.3, 0.4, 0.5, 0.5, np.sqrt(0.25)], dtype=np.float32)
    matrix, has_prior = prior_matrix(texts, (given, None))
    expected = given[: inside[0]] / np.linalg.norm(given[: inside[0]])
    np.testing.assert_allclose(matrix[0, : inside[0]], expected, rtol=1e-6)
    assert not matrix[1].any() and has_prior.tolist() == [True, False]
    nothing = np.array([0, 0, 0, 0, 1], dtype=np.float32)
    np.testing.assert_allclose(prior_matrix(texts, (nothing, None))[0][0, : inside[0]], 1 / np.sqrt(inside[0]), rtol=1e-6)


def test_recipes_steered_by_one_prior_see_the_same_examples_as_their_twin() -> None:
    own = hybrid(shots=5, label_noise=0.2)
    chosen, plain = (
        selected(Choice.of(own), simple(60, priors=True), 3),
        selected(Choice.of(recipe(shots=5, label_noise=0.2)), simple(60), 3),
    )
    assert chosen.examples.texts == plain.examples.texts and chosen.wrong_ids == plain.wrong_ids
