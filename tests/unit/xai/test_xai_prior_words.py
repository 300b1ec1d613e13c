"""Words of a class, and prior mass on shared and on discriminating words, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from xai.prior_words import class_words, homogeneity, masses, mean_overlap, top_overlap, top_words

WORDS = [["Set", "an", "alarm"], ["set", "alarm"], ["which", "alarm", "is", "on"], ["alarm"]]
LABELS = ["set_alarm", "set_alarm", "query_alarm", "query_alarm"]
INCLUDED = np.arange(4) < np.array([3, 2, 4, 1])[:, None]
PRIOR = np.array([[0.6, 0.0, 0.2, 0.0], [0.5, 0.5, 0.0, 0.0], [0.3, 0.1, 0.0, 0.0], [0.7, 0.0, 0.0, 0.0]])


def test_top_words_by_hand() -> None:
    # Shares: set .75 and .5, alarm .25 and .5, an 0; which .75 and 0, alarm .25 and 1. Means over two texts each.
    found = top_words(PRIOR, WORDS, LABELS, INCLUDED)
    assert list(found) == ["query_alarm", "set_alarm"]
    assert dict(found["query_alarm"]) == pytest.approx({"alarm": 0.625, "which": 0.375}, rel=1e-14)
    assert dict(found["set_alarm"]) == pytest.approx({"set": 0.625, "alarm": 0.375}, rel=1e-14)
    assert [word for word, _ in found["query_alarm"] + found["set_alarm"]] == ["alarm", "which", "set", "alarm"]


def test_all_places_of_a_word_count_and_ties_go_by_alphabet() -> None:
    included = np.ones((1, 4), dtype=bool)
    words = [["b", "a", "B", "c"]]
    found = top_words(np.array([[0.2, 0.2, 0.2, 0.4]]), words, ["x"], included, k=2)["x"]
    assert [word for word, _ in found] == ["b", "c"] and [score for _, score in found] == pytest.approx([0.4, 0.4], rel=1e-15)


def test_case_and_outer_punctuation_make_no_other_word_and_punctuation_alone_is_none() -> None:
    words = [["Card!", "(card)", "—", "lost?"], ["my", "card.", "...", "is"]]
    included = np.ones((2, 4), dtype=bool)
    prior = np.array([[0.25, 0.25, 0.25, 0.25], [0.0, 0.5, 0.5, 0.0]])
    # card .5 and .5, lost .25 and 0; the quarter on the dash and the half on the dots are no word's
    assert top_words(prior, words, ["x", "x"], included)["x"] == (("card", 0.5), ("lost", 0.125))
    assert class_words(words, ["x", "x"])["x"] == {"card", "lost", "my", "is"}
    shared, telling = masses(prior, words, included, {"card"}, {"card", "lost"})
    assert (shared.tolist(), telling.tolist()) == ([0.5, 0.5], [0.25, 0.0])
    found = homogeneity(prior, words, ["x", "y"], included, {"x": {"card"}, "y": {"card", "lost"}}, ("x", "y"))
    assert (found.shared_mass, found.discriminating_mass) == (0.5, 0.125)


def test_a_broken_prior_is_left_out_and_a_class_of_broken_ones_has_no_list() -> None:
    broken = PRIOR.copy()
    broken[0, 1] = np.nan
    assert top_words(broken, WORDS, LABELS, INCLUDED)["set_alarm"] == (("alarm", 0.5), ("set", 0.5))
    broken[1, 1] = np.inf
    assert list(top_words(broken, WORDS, LABELS, INCLUDED)) == ["query_alarm"]


def test_the_overlap_is_over_the_longer_list() -> None:
    one, other = (("a", 1.0), ("b", 0.5)), (("b", 0.9), ("c", 0.1), ("d", 0.1), ("e", 0.1))
    assert top_overlap(one, other) == 0.25 and top_overlap(one, one) == 1.0 and top_overlap(one, ()) == 0.0
    assert np.isnan(top_overlap((), ()))


def test_overlaps_are_averaged_over_classes_that_have_a_list() -> None:
    word, other = (("a", 1.0),), (("b", 1.0),)
    assert mean_overlap({"x": word, "y": word, "z": ()}, {"x": word, "y": other, "z": ()}) == 0.5
    assert mean_overlap({"x": word}, {}) == 0.0 and np.isnan(mean_overlap({}, {}))


def test_a_classs_words_stand_in_the_least_share_of_its_texts() -> None:
    found = class_words(WORDS, LABELS, least_share=0.6)
    assert found == {"set_alarm": {"set", "alarm"}, "query_alarm": {"alarm"}}
    assert class_words(WORDS, LABELS)["query_alarm"] == {"which", "alarm", "is", "on"}
    assert class_words([["a", "a"], ["b"]], ["x", "x"], least_share=0.6)["x"] == set()  # twice in one text is one text


def test_masses_and_homogeneity_by_hand() -> None:
    # alarm is shared, set and which tell; an, is and on belong to neither. Shares on them as in the first test.
    by_class = {"set_alarm": {"set", "alarm"}, "query_alarm": {"alarm", "which"}}
    shared, telling = masses(PRIOR, WORDS, INCLUDED, by_class["set_alarm"], by_class["query_alarm"])
    np.testing.assert_allclose(shared, [0.25, 0.5, 0.25, 1.0], atol=1e-15)
    np.testing.assert_allclose(telling, [0.75, 0.5, 0.75, 0.0], atol=1e-15)
    found = homogeneity(PRIOR, WORDS, LABELS, INCLUDED, by_class, ("set_alarm", "query_alarm"))
    assert (found.shared_mass, found.discriminating_mass, found.n) == (pytest.approx(0.5), pytest.approx(0.5), 4)


def test_what_belongs_to_neither_class_is_in_neither_mass() -> None:
    shared, telling = masses(np.array([[0.5, 0.25, 0.25]]), [["a", "b", "c"]], np.ones((1, 3), dtype=bool), {"a", "b"}, {"a"})
    assert (shared.tolist(), telling.tolist()) == ([0.5], [0.25])


def test_examples_of_other_classes_and_broken_priors_do_not_count() -> None:
    broken = PRIOR.copy()
    broken[3, 0] = np.nan
    labels = ["set_alarm", "weather", "query_alarm", "query_alarm"]
    by_class = {"set_alarm": {"set", "alarm"}, "query_alarm": {"alarm", "which"}}
    found = homogeneity(broken, WORDS, labels, INCLUDED, by_class, ("set_alarm", "query_alarm"))
    assert (found.shared_mass, found.discriminating_mass, found.n) == (pytest.approx(0.25), pytest.approx(0.75), 2)
    nothing = homogeneity(broken, WORDS, ["x"] * 4, INCLUDED, by_class, ("set_alarm", "query_alarm"))
    assert nothing.n == 0 and np.isnan(nothing.shared_mass)


def test_words_that_do_not_fit_and_classes_without_words_are_refused() -> None:
    with pytest.raises(ValueError, match="one word per included unit"):
        top_words(PRIOR, [*WORDS[:3], ["alarm", "clock"]], LABELS, INCLUDED)
    with pytest.raises(ValueError, match="lacking weather"):
        homogeneity(PRIOR, WORDS, LABELS, INCLUDED, {"set_alarm": set()}, ("set_alarm", "weather"))
    with pytest.raises(ValueError, match="every text needs a label"):
        class_words(WORDS, LABELS[:2])
