"""Do keywords rest on adapter_train and adapter_val alone, the same whatever order rows come in, with a baseline that is what it says?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray

from ood.keyword_source import C, Vectors, baseline_accuracy, baseline_answers, baseline_confusions, source_keywords
from ood.keywords import Ids, Keywords, find_keywords
from ood.words import forms
from xai.worlds.grammar import LABELS, texts

FRUIT = ("apples", "pears", "plums")


def table(rows: list[tuple[str, str, int, str, list[float] | None]]) -> pa.Table:
    """(example_id, split, label_id, text, vector or None) as bronze gives them."""
    ids, splits, labels, contents, vectors = zip(*rows, strict=True)
    pooled = [None if vector is None else np.array(vector, dtype="<f2").tobytes() for vector in vectors]
    return pa.table(
        {
            "example_id": pa.array(ids),
            "split": pa.array(splits),
            "label_id": pa.array(labels, pa.int32()),
            "text": pa.array(contents),
            "pooled": pa.array(pooled, pa.binary()),
        }
    )


ROWS: list[tuple[str, str, int, str, list[float] | None]] = [
    ("a1", "adapter_train", 0, "apple apple the", [1.0, 0.0]),
    ("a2", "adapter_train", 0, "the apple", [1.0, 0.25]),
    ("b1", "adapter_train", 1, "pear pear the", [0.0, 1.0]),
    ("b2", "adapter_train", 1, "the pear", [0.25, 1.0]),
    ("c1", "adapter_train", 2, "plum plum the", [-1.0, -1.0]),
    ("c2", "adapter_train", 2, "the plum", [-1.0, -0.75]),
    ("d1", "adapter_val", 0, "pear never counted", [0.0, 1.0]),  # an apple where the pears are: called one
    ("d2", "adapter_val", 1, "another", [0.0, 1.0]),
    ("d3", "adapter_val", 2, "third", [-1.0, -1.0]),
]


def clouds(n: int, seed: int, n_labels: int = 4, dim: int = 6) -> tuple[Vectors, Ids]:
    """Overlapping clouds, dimensions of very different scale."""
    generator = np.random.Generator(np.random.PCG64(seed))
    centres = np.random.Generator(np.random.PCG64(0)).standard_normal((n_labels, dim))
    ids = np.arange(n, dtype=np.int64) % n_labels
    return (centres[ids] + generator.standard_normal((n, dim))) * 4.0 ** np.arange(dim) + 3.0, ids


def regression_twin(train: Vectors, ids: Ids, vectors: Vectors) -> NDArray[np.int64]:
    """Softmax regression as the docstring has it, minimised with torch: C x sum of cross-entropies + half the squared weights."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    x, y = torch.from_numpy((train - mean) / deviation), torch.from_numpy(ids)
    weight = torch.zeros((x.shape[1], int(ids.max()) + 1), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(weight.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        fit = torch.nn.functional.cross_entropy(x @ weight + bias, y, reduction="sum")
        loss: torch.Tensor = C * fit + 0.5 * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships no type for it
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]  # nor for this
    scores = torch.from_numpy((vectors - mean) / deviation) @ weight + bias
    return scores.argmax(dim=1).numpy()


def test_the_baseline_is_softmax_regression_on_standardised_vectors() -> None:
    (train, ids), (other, truth) = clouds(200, 1), clouds(400, 2)
    found, twin = baseline_answers(train, ids, other), regression_twin(train, ids, other)
    assert (found != twin).mean() <= 0.005  # the solver stops at a gradient of 1e-4: two texts on the border may fall to either side
    assert 0.5 < (found == truth).mean() < 0.99  # neither luck nor a world without mistakes


def test_the_scale_of_a_dimension_changes_no_answer() -> None:
    (train, ids), (other, _) = clouds(200, 1), clouds(400, 2)
    scale = 2.0 ** np.array([-20, 11, 0, 3, -4, 9])  # powers of two scale without rounding
    np.testing.assert_array_equal(baseline_answers(train * scale, ids, other * scale), baseline_answers(train, ids, other))


def test_confusions_count_validation_examples_by_truth_and_answer() -> None:
    train, ids = clouds(200, 1)
    other, truth = clouds(400, 2)
    found = baseline_confusions(train, ids, other, truth, 5)
    answers = baseline_answers(train, ids, other)
    assert found.shape == (5, 5) and found.sum() == 400 and found[4].sum() == found[:, 4].sum() == 0
    assert all(found[a, b] == ((truth == a) & (answers == b)).sum() for a in range(5) for b in range(5))
    assert baseline_accuracy(found) == pytest.approx(float((answers == truth).mean()))


def test_nothing_to_learn_or_to_try_is_no_confusion_and_one_class_is_all_that_is_answered() -> None:
    none, no_ids = np.zeros((0, 6)), np.zeros(0, dtype=np.int64)
    some, ids = clouds(8, 1)
    for given in ((none, no_ids, some, ids), (some, ids, none, no_ids)):
        found = baseline_confusions(*given, 4)
        assert found.tolist() == np.zeros((4, 4)).tolist() and baseline_accuracy(found) is None
    assert baseline_answers(some, np.full(8, 2), some).tolist() == [2] * 8


def test_vectors_and_ids_that_do_not_fit_are_refused() -> None:
    some, ids = clouds(8, 1)
    with pytest.raises(ValueError, match="one label id per training vector"):
        baseline_confusions(some, ids[:-1], some, ids, 4)
    with pytest.raises(ValueError, match="one label id per validation vector"):
        baseline_confusions(some, ids, some[0], ids, 4)
    with pytest.raises(ValueError, match="must be of one backbone, found 6 and 5 dimensions"):
        baseline_confusions(some, ids, some[:, :5], ids, 4)


def test_words_come_from_training_and_mistakes_from_validation() -> None:
    found = source_keywords(table(ROWS), FRUIT)
    assert [entry.words for entry in found.classes] == [("apple",), ("pear",), ("plum",)]
    assert (found.of("apples").confusable, found.of("apples").reason) == ("pears", "confusions")
    assert (found.of("pears").confusable, found.of("pears").reason) == ("apples", "confusions")
    assert found.of("plums").reason == "shared_keywords"


def test_no_other_split_has_a_part_in_it() -> None:
    """Neither the texts that are attacked, nor inputs of no class, whose label ids lie behind those of the dataset."""
    meta = [(f"m{at}", "meta", at % 3, "pear pear plum plum apple", [5.0 * at, -3.0]) for at in range(9)]
    outside = [(f"o{at}", "outside", 3, "moon moon pear", [0.0, 9.0]) for at in range(3)]
    alone = source_keywords(table(ROWS), FRUIT)
    assert source_keywords(table([*meta, *ROWS, *outside]), FRUIT) == alone
    changed = [(name, split, label, f"{text} apple", vector) for name, split, label, text, vector in meta]
    assert source_keywords(table([*changed, *ROWS]), FRUIT) == alone


def test_the_order_of_the_rows_changes_nothing() -> None:
    found = grammar_rows()
    turned = found.take(np.random.Generator(np.random.PCG64(3)).permutation(len(found)))
    assert source_keywords(turned, LABELS).model_dump_json() == source_keywords(found, LABELS).model_dump_json()


def test_without_validation_or_vectors_the_keywords_stay_and_say_how_the_nearest_class_was_found() -> None:
    """A text whose embedding could not be computed still has words."""
    alone = source_keywords(table(ROWS), FRUIT)
    without = (
        source_keywords(table(ROWS[:6]), FRUIT),
        source_keywords(table([(name, split, label, text, None) for name, split, label, text, _ in ROWS]), FRUIT),
    )
    for found in without:
        assert [entry.words for entry in found.classes] == [entry.words for entry in alone.classes]
        assert {entry.reason for entry in found.classes} == {"shared_keywords"}


def grammar_rows() -> pa.Table:
    """Texts of the grammar, 400 to learn from and 200 to be mistaken on, with counts of words as vectors."""
    found = texts(600, 0)
    words = sorted({word for text, _ in found for word in forms(text)})
    rows = []
    for at, (text, label) in enumerate(found):
        own = forms(text)
        split = "adapter_train" if at < 400 else "adapter_val"
        rows.append((f"e{at:04}", split, LABELS.index(label), text, [float(own.count(word)) for word in words]))
    return table(rows)


def test_the_grammars_keywords_are_those_of_its_training_texts() -> None:
    found: Keywords = source_keywords(grammar_rows(), LABELS)
    train = texts(400, 0)
    plain = find_keywords([text for text, _ in train], np.array([LABELS.index(label) for _, label in train]), LABELS)
    assert [entry.words for entry in found.classes] == [entry.words for entry in plain.classes] and found.neutral == plain.neutral
    assert "confusions" in {entry.reason for entry in found.classes}
