"""Figures of provenance are those that a hand finds: from rankings, from records of single pictures, from counts of heads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gold.provenance.causes import aggregated
from gold.provenance.figures import K, accuracy, class_match, index_accuracy, majority, without_self
from gold.provenance.heads import HeadInputs, against_knn, plain, summaries
from gold.provenance.robust import with_differences
from models.provenance.ranking import Ranking
from models.provenance.slots import NOBODY


def ranking(positions: list[list[int]]) -> Ranking:
    found = np.asarray(positions)
    return Ranking(found, np.where(found == NOBODY, 0.0, 0.1))


def test_index_accuracy_counts_each_training_input_at_its_own_place() -> None:
    assert index_accuracy(ranking([[0, 1, 2], [0, 1, 2], [0, 1, NOBODY]])) == {"top1_index": 1 / 3, "top5_index": 2 / 3}


def test_class_match_is_over_the_examples_that_are_there() -> None:
    found = class_match(ranking([[0, 1, NOBODY], [2, 0, 1]]), np.asarray([7, 7, 3]), np.asarray([7, 3]))
    # first: both right; five: the first has 2 of 2, the second 1 of 3
    assert found["class_match_top1"] == 1.0 and found["class_match_top5"] == 1.0
    assert found["class_match_top5_share"] == pytest.approx((1 + 1 / 3) / 2)


def test_the_majority_of_five_wins_and_of_equally_many_the_nearer() -> None:
    labels = np.asarray([0, 1, 1, 0, 2])
    told = majority(ranking([[0, 1, 2, 3, 4], [1, 0, 3, 2, 4], [4, 1, 2, 0, NOBODY]]), labels, 3)
    assert told.tolist() == [0, 1, 1]


def test_accuracy_has_wilsons_interval() -> None:
    found = accuracy(np.asarray([True, True, False, True]))
    assert found["class_accuracy"] == 0.75 and found["class_accuracy_ci_low"] == pytest.approx(0.3006, abs=1e-4)


def test_a_training_inputs_majority_leaves_itself_out() -> None:
    six = Ranking(np.asarray([[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]), np.full((2, 6), 0.1))
    assert without_self(six).positions.tolist() == [[1, 2, 3, 4, 5], [0, 2, 3, 4, 5]]


def test_a_pictures_seeds_are_averaged_before_the_interval_over_pictures() -> None:
    changes = {"index_head": [-0.3, -0.1], "random": [-0.1, -0.1]}  # of picture a under two seeds; of b below
    records = [
        {"scope": "head", "k": 5, "seed": seed, "example_id": name, "method": method, "change": value * (2 if name == "b" else 1)}
        | {"n_train": 60, "random_draws": 1}
        for method, values in changes.items()
        for seed, value in enumerate(values)
        for name in ("a", "b")
    ]
    for method in ("knn", "tracin"):
        records += [one | {"method": method} for one in records if one["method"] == "random"]
    rows = {str(row["method"]): row for row in aggregated(records, 0.95)}
    head = rows["index_head"]
    assert head["change"] == pytest.approx(-0.3) and head["difference_from_random"] == pytest.approx(-0.15)  # a: -0.1, b: -0.2
    half = 12.7062047 * 0.0707107 / np.sqrt(2)  # t of one degree of freedom
    assert head["difference_ci_low"] == pytest.approx(-0.15 - half, abs=1e-6) and head["n"] == 2 and head["n_seeds"] == 2
    assert "no evidence" in str(head["sentence"]) and rows["random"]["difference_from_random"] is None
    assert rows["knn"]["difference_from_index_head"] == pytest.approx(0.15)


def test_robustness_is_held_against_the_plain_classifier_of_the_same_seed() -> None:
    same = {"model_size": "small", "subset": 1.0, "selection": "stratified", "shift": "fog", "severity": 1}
    rows = with_differences(
        [
            same | {"variant": "plain", "seed": 0, "class_accuracy": 0.9},
            same | {"variant": "two_branch", "seed": 0, "class_accuracy": 0.7},
            same | {"variant": "two_branch", "seed": 1, "class_accuracy": 0.7},
        ]
    )
    assert [row["difference_from_plain"] for row in rows] == [0.0, pytest.approx(-0.2), None]


def test_a_heads_row_is_its_counts_over_meta() -> None:
    heads = pd.DataFrame(
        [
            {"head_id": "a", "name": "slots", "variant": "class_conditional", "status": "ready", "class_accuracy": 1.0, "top1_index": 0.5,
             "top5_index": 0.9, "parameters": 10, "n_slots": 4, "n_train": 20, "epochs": 3, "seconds": 1.0, "reason": None},
            {"head_id": "b", "name": "bad", "variant": "two_branch", "status": "rejected", "class_accuracy": None, "top1_index": None,
             "top5_index": None, "parameters": None, "n_slots": 20, "n_train": 20, "epochs": 3, "seconds": None, "reason": "diverged"},
        ]
    )  # fmt: skip
    counts = pd.DataFrame([{"head_id": "a", "n": 8, "right": 6.0, "first": 6.0, "any": 7.0, "shared": 5.5}])
    asked = HeadInputs("d", "x", "e", {"a": "s"}, {"a": {"alpha": 0.5, "seed": 3}}, 5, "")
    row, refused = summaries(heads, counts, asked)
    assert refused["class_accuracy"] is None and refused["reason"] == "diverged" and refused["n"] == 0
    assert (row["class_accuracy"], row["class_match_top5"], row["class_match_top5_share"]) == (0.75, 0.875, 0.6875)
    assert (row["alpha"], row["seed"], row["model_size"], row["variant"]) == (0.5, 3, "embeddings", "class_conditional")


def test_the_plain_classifier_on_embeddings_is_logistic_regression() -> None:
    vectors = np.asarray([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    row = plain(vectors, np.asarray([0, 0, 1, 1]), np.asarray([[1.0, 0.2], [0.2, 1.0], [1.0, 0.1]]), np.asarray([0, 1, 1]))
    assert row["class_accuracy"] == pytest.approx(2 / 3) and row["class_accuracy_train"] == 1.0 and row["parameters"] == 6
    assert K == 5


def test_a_head_is_held_against_knn_on_the_same_examples() -> None:
    heads = pd.DataFrame([{"head_id": "a", "name": "slots", "variant": "two_branch"}, {"head_id": "k", "name": "knn", "variant": "knn"}])
    counts = pd.DataFrame(
        [{"head_id": one, "n": 4, "right": right, "first": 2.0, "shared": 2.0} for one, right in (("a", 4.0), ("k", 2.0))]
    )
    apart = {"head_id": "a", "n": 4} | {f"{told}_{name}": 0.0 for told in ("mean", "sd") for name in ("right", "first", "shared")}
    rows = {
        str(row["question"]).split(",")[0]: row
        for row in against_knn(heads, counts, pd.DataFrame([apart | {"mean_right": 0.5, "sd_right": 0.1}]))
    }
    right = rows["class accuracy"]  # t of three degrees of freedom, 3.1824
    assert right["verdict"] == "better" and right["ci_low"] == pytest.approx(0.5 - 3.18245 * 0.05, abs=1e-5)
    assert (right["value"], right["against_value"]) == (1.0, 0.5) and rows["class match of the first example"]["verdict"] == "no_evidence"


def test_heads_that_name_fewer_than_five_say_nothing_of_five() -> None:
    told = {"head_id": "a", "name": "slots", "variant": "two_branch", "status": "ready", "class_accuracy": 1.0, "top1_index": 0.5}
    told |= {"top5_index": 0.9, "parameters": 10, "n_slots": 4, "n_train": 20, "epochs": 3, "seconds": 1.0, "reason": None}
    heads = pd.DataFrame([told])
    counts = pd.DataFrame([{"head_id": "a", "n": 8, "right": 6.0, "first": 6.0, "any": 7.0, "shared": 5.5}])
    (row,) = summaries(heads, counts, HeadInputs("d", "x", "e", {"a": "s"}, {}, 3, ""))
    assert row["class_match_top5"] is None and "of 3 examples named" in str(row["reason"])
