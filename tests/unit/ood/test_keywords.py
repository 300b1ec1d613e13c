"""Are keywords the words that mark a class, by numbers that can be checked by hand?"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from models.words import word_spans
from ood.keywords import Keywords, KeywordSettings, confusion_matrix, find_keywords
from ood.log_odds import Counts, PriorName, log_odds
from ood.words import core, forms
from xai.words import form

BANKING77 = Path(__file__).resolve().parents[4] / "shared" / "data" / "text" / "banking77"
FRUIT = ["apple apple apple the", "the apple tree", "pear the pear", "pear pear the tree"]
FRUIT_IDS = np.array([0, 0, 1, 1])


def naive_twin(counts: Counts, alpha: float, prior: PriorName) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Equations 15, 16 and 22 of Monroe et al. with loops."""
    classes, words = counts.shape
    ratio, z = np.zeros(counts.shape), np.zeros(counts.shape)
    total = counts.sum()
    for i in range(classes):
        others = sum(counts[j] for j in range(classes) if j != i)
        for w in range(words):
            a = alpha if prior == "symmetric" else alpha * words * counts[:, w].sum() / total
            y, n, y_other, n_other, a0 = counts[i, w], counts[i].sum(), others[w], others.sum(), alpha * words
            ratio[i, w] = math.log((y + a) / (n + a0 - y - a)) - math.log((y_other + a) / (n_other + a0 - y_other - a))
            z[i, w] = ratio[i, w] / math.sqrt(1 / (y + a) + 1 / (y_other + a))
    return ratio, z


def test_symmetric_log_odds_by_hand() -> None:
    # class A uses x twice and y once, B the other way round; alpha 1, so A0 = 2.
    # x in A: (2 + 1) / (3 + 2 - 2 - 1) = 3 / 2; in B: (1 + 1) / (3 + 2 - 1 - 1) = 2 / 3; ratio of the two 9 / 4.
    # variance 1 / (2 + 1) + 1 / (1 + 1) = 5 / 6. The other three entries follow by symmetry.
    found = log_odds(np.array([[2, 1], [1, 2]]), 1.0, "symmetric")
    ratio = math.log(9 / 4)
    np.testing.assert_allclose(found.ratio, [[ratio, -ratio], [-ratio, ratio]], rtol=1e-12)
    np.testing.assert_allclose(found.z, found.ratio / math.sqrt(5 / 6), rtol=1e-12)


def test_informative_log_odds_by_hand() -> None:
    # three words, A = (3, 1, 0), B = (1, 0, 1): Y = (4, 1, 1), N = 6; alpha 0.5, so A0 = 1.5 and a = 1.5 Y / 6 = (1, 1/4, 1/4).
    # first word: A (3 + 1) / (4 + 1.5 - 4) = 8 / 3, B (1 + 1) / (2 + 1.5 - 2) = 4 / 3, ratio log 2, variance 1/4 + 1/2 = 3/4.
    # third word: A (1/4) / (5.5 - 1/4) = 1 / 21, B (5/4) / (3.5 - 5/4) = 5 / 9, ratio log(9 / 105) = log(3 / 35), variance 4 + 4/5.
    found = log_odds(np.array([[3, 1, 0], [1, 0, 1]]), 0.5, "informative")
    np.testing.assert_allclose(found.ratio[0, [0, 2]], [math.log(2), math.log(3 / 35)], rtol=1e-12)
    np.testing.assert_allclose(found.z[0, [0, 2]], [math.log(2) / math.sqrt(0.75), math.log(3 / 35) / math.sqrt(4.8)], rtol=1e-12)


@pytest.mark.parametrize("prior", ["informative", "symmetric"])
def test_log_odds_equal_their_naive_twin(prior: PriorName) -> None:
    counts = np.random.Generator(np.random.PCG64(0)).poisson(2.0, (5, 17))
    counts[0] += 1
    found = log_odds(counts, 0.3, prior)
    for ours, twin in zip(found, naive_twin(counts, 0.3, prior), strict=True):
        np.testing.assert_allclose(ours, twin, rtol=1e-10, atol=1e-12)


def test_log_odds_refuse_what_has_none() -> None:
    with pytest.raises(ValueError, match="alpha must be above 0"):
        log_odds(np.array([[1, 2]]), 0.0)
    for wrong in (np.array([[1], [2]]), np.array([[1, 0], [2, 0]]), np.array([1, 2])):
        with pytest.raises(ValueError, match="counts must be"):
            log_odds(wrong, 1.0)


def test_keywords_are_the_words_of_their_class_and_neutral_words_those_of_none() -> None:
    found = find_keywords(FRUIT, FRUIT_IDS, ["apples", "pears"])
    assert found.of("apples").words == ("apple",) and found.of("pears").words == ("pear",)
    assert found.neutral == ("the", "tree")  # both classes use both; `the` four times, `tree` twice
    assert found.of("apples").confusable == "pears" and found.of("pears").confusable == "apples"
    assert found.confusing("apples") == ("pear",)


def test_words_are_one_whatever_their_case_and_outer_punctuation() -> None:
    found = find_keywords(["Apple, apple! (APPLE)", "pear? “Pear” pear"], np.array([0, 1]), ["a", "p"])
    assert found.of("a").words == ("apple",)


def test_ties_go_to_the_word_that_comes_first() -> None:
    # b, c and d have the same counts, a fourth word belongs to the other class
    found = find_keywords(["d c b d c b", "x x"], np.array([0, 1]), ["one", "two"])
    assert found.of("one").words == ("b", "c", "d")
    assert len(set(found.of("one").scores)) == 1


def test_the_order_of_the_texts_does_not_matter() -> None:
    turned = find_keywords(FRUIT[::-1], FRUIT_IDS[::-1].copy(), ["apples", "pears"])
    assert turned == find_keywords(FRUIT, FRUIT_IDS, ["apples", "pears"])


def test_few_words_and_rare_ones_are_cut_by_the_settings() -> None:
    texts, ids = ["a a a b b c", "x x y"], np.array([0, 1])
    assert find_keywords(texts, ids, ["one", "two"]).of("one").words == ("a", "b")
    assert find_keywords(texts, ids, ["one", "two"], None, KeywordSettings(min_count=1)).of("one").words == ("a", "b", "c")
    assert find_keywords(texts, ids, ["one", "two"], None, KeywordSettings(per_class=1)).of("one").words == ("a",)


def test_ranking_by_the_ratio_prefers_a_rarer_but_exclusive_word() -> None:
    texts, ids = ["card card card card card new new", "card card card pay pay pay pay"], np.array([0, 1])
    settings = {"prior": "symmetric", "alpha": 0.5}
    by_z, by_ratio = (
        find_keywords(texts, ids, ["one", "two"], None, KeywordSettings.model_validate(settings | {"rank_by": by})).of("one")
        for by in ("z", "ratio")
    )
    # three words, so 1.5 pseudo-counts beside 7 counts in each class
    # card: log(5.5 / 3) - log(3.5 / 5) = 0.9628, variance 1/5.5 + 1/3.5 = 0.4675, z 1.4081
    # new: log(2.5 / 6) - log(0.5 / 8) = 1.8971, variance 1/2.5 + 1/0.5 = 2.4, z 1.2246
    assert (by_z.words, by_ratio.words) == (("card", "new"), ("new", "card"))
    np.testing.assert_allclose(by_z.scores, [1.4081, 1.2246], atol=1e-4)
    np.testing.assert_allclose(by_ratio.scores, [1.8971, 0.9628], atol=1e-4)


def test_the_most_confusable_class_is_the_one_it_is_called_most() -> None:
    confusions = confusion_matrix(np.array([0, 0, 0, 0, 1, 2, 2]), np.array([0, 2, 2, 1, 1, 1, 0]), 3)
    assert confusions.tolist() == [[1, 1, 2], [0, 1, 0], [1, 1, 0]]
    found = find_keywords(["a a", "b b", "c c"], np.array([0, 1, 2]), ["A", "B", "C"], confusions)
    assert found.of("A").confusable == "C"  # called C twice, B once
    assert found.of("B").confusable == "A"  # never called another; A and C are called B once each: the first label
    assert found.of("C").confusable == "A"  # called A once and B once; A is called C twice, B never
    assert {entry.reason for entry in found.classes} == {"confusions"}


def test_without_confusions_the_class_with_most_common_keywords_is_the_nearest() -> None:
    texts, ids = ["k k m m a a", "z z z z", "k k m m b b"], np.array([0, 1, 2])
    found = find_keywords(texts, ids, ["one", "other", "twin"])
    assert {"k", "m"} <= set(found.of("one").words) & set(found.of("twin").words)
    assert (found.of("one").confusable, found.of("twin").confusable) == ("twin", "one")
    assert found.of("other").confusable == "one"  # none in common with either: the first label
    assert {entry.reason for entry in found.classes} == {"shared_keywords"}
    assert found.confusing("one") == ("b",)  # k and m speak for `one` as well


def test_one_class_one_word_and_empty_classes_are_no_crash() -> None:
    only = find_keywords(["a b a b"], np.array([0]), ["only"])
    assert only.of("only").confusable is None and only.of("only").reason == "only_class" and only.confusing("only") == ()
    same = find_keywords(["a a", "a"], np.array([0, 1]), ["x", "y"])
    assert [entry.words for entry in same.classes] == [(), ()] and same.neutral == ("a",)
    empty = find_keywords(["a a b", "?!"], np.array([0, 1]), ["x", "y"])
    assert empty.of("y").words == ()
    assert find_keywords([], np.zeros(0, dtype=np.int64), ["x", "y"]).neutral == ()


def test_keywords_survive_json_and_are_the_same_text_each_time() -> None:
    found = find_keywords(FRUIT, FRUIT_IDS, ["apples", "pears"])
    text = found.model_dump_json()
    assert Keywords.model_validate_json(text) == found
    assert find_keywords(FRUIT, FRUIT_IDS, ["apples", "pears"]).model_dump_json() == text
    assert json.loads(text)["classes"][0]["words"] == ["apple"]
    with pytest.raises(ValidationError, match="frozen"):
        found.neutral = ()  # type: ignore[misc]  # that it is refused is what is checked


def test_labels_ids_and_matrices_that_do_not_fit_are_refused() -> None:
    ids = np.array([0, 1])
    with pytest.raises(ValueError, match="one label id per text"):
        find_keywords(["a"], ids, ["x", "y"])
    with pytest.raises(ValueError, match="label ids must be 0 to 0, found 0 to 1"):
        find_keywords(["a", "b"], ids, ["x"])
    with pytest.raises(ValueError, match="labels must be distinct"):
        find_keywords(["a", "b"], ids, ["x", "x"])
    with pytest.raises(ValueError, match=r"confusions must be \[labels, labels\] for 2 labels"):
        find_keywords(["a", "b"], ids, ["x", "y"], np.zeros((3, 3), dtype=np.int64))
    with pytest.raises(ValueError, match="two vectors of one length"):
        confusion_matrix(ids, np.array([0]), 2)
    with pytest.raises(ValueError, match="label ids must be 0 to 1, found others"):
        confusion_matrix(ids, np.array([0, 2]), 2)
    with pytest.raises(ValueError, match="label must be one of the 2"):
        find_keywords(["a", "b"], ids, ["x", "y"]).of("X")


def test_spans_cover_words_and_nothing_else() -> None:
    text = "  Is it\t“late”?\u00a0ja \n"
    assert [text[start:end] for start, end in word_spans(text)] == ["Is", "it", "“late”?", "ja"]
    assert forms(text) == ("is", "it", "late", "ja")
    assert [text[start:end] for start, end in (core(text, span) for span in word_spans(text))] == ["Is", "it", "late", "ja"]
    assert form("...") == "" and core("...", (0, 3)) == (3, 3)
    assert form("isn't") == "isn't" and form("👍🏽!") == "👍🏽"


@pytest.mark.skipif(not BANKING77.is_dir(), reason="../shared/data/text is absent: real data lies beside the project, not in it")
def test_keywords_of_banking77_look_like_keywords() -> None:
    with (BANKING77 / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    labels = sorted({label for _, label in rows})
    found = find_keywords([text for text, _ in rows], np.array([labels.index(label) for _, label in rows]), labels)
    assert {"stolen", "lost"} <= set(found.of("lost_or_stolen_card").words[:3])
    assert {"exchange", "rate"} <= set(found.of("exchange_rate").words[:3])
    assert found.of("change_pin").words[:2] == ("pin", "change")
    assert min(len(entry.words) for entry in found.classes) >= 10
