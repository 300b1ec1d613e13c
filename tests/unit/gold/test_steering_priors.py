"""Do the four tables about priors say what can be worked out by hand for three texts?"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gold.build import GoldInputs
from gold.frames import Frames, empty
from gold.settings import GoldSettings, SteeringSettings
from gold.steering.confusable import Pair, confusable_pairs
from gold.steering.frames import TextFrames
from gold.steering.inputs import TextInputs
from gold.steering.stacks import stacked
from gold.tables import prior_correlations, prior_homogeneity, prior_precision, prior_top_words
from lake.identity import settings_id
from models.text_recipe import Choice
from tests.unit.gold.steering_frames import (
    attributions,
    confusions,
    examples,
    frames,
    generation,
    priors,
    recipe,
    trainings,
)

TEXTS = examples(
    ("t1", "adapter_train", 1, "turn music on", None),
    ("t2", "adapter_train", 1, "Music on", None),
    ("t3", "adapter_train", 0, "turn music off", None),
    ("m1", "meta", 1, None, None),
)
CAP = [
    ("g1", "t1", "cap", "llama", 1, [-2, 0, 3], "turn music on"),  # clipped: 0, 0, 1
    ("g1", "t2", "cap", "llama", 1, [1, 1], "Music on"),
    ("g1", "t3", "cap", "llama", 0, [0, 0, 1], "turn music off"),
]
LIME = [("g2", "t1", "lime", "llama", 1, [0, 3, 4], "turn music on")]  # 0, 0.6, 0.8
IG = [(f"g{at}", "t1", "ig", twin, 1, values, "turn music on") for at, (twin, values) in enumerate([("x", [0, 0, 1]), ("y", [1, 0, 0])], 3)]
BOTH = (generation("g1", "cap"), generation("g2", "lime+shap"))
TWINS = (generation("g3", "ig", "x"), generation("g4", "ig", "y"))


def test_two_sources_are_correlated_on_the_texts_that_both_have() -> None:
    found = prior_correlations.build(frames(priors=priors(*CAP, *LIME), generations=BOTH))
    assert len(found) == 1  # shap has no rows
    row = found.iloc[0]
    assert row[["scorer", "source_a", "source_b", "setting", "n_perturbations", "n_twins", "n"]].tolist() == [
        "llama", "cap", "lime", "full", 100, 0, 1,
    ]  # fmt: skip
    # [0, 0, 1] and [0, 0.6, 0.8]: covariance 1/3, sums of squares 2/3 and 0.346667; ranks 1.5 1.5 3 and 1 2 3: 1.5 / sqrt(1.5 * 2)
    assert row["pearson_r"] == pytest.approx((1 / 3) / np.sqrt(2 / 3 * 0.3466666667)) and row["spearman_r"] == pytest.approx(np.sqrt(0.75))
    assert row["top10_overlap"] == 0.5  # on; against on and music


def test_every_twin_of_the_same_texts_has_its_part_in_what_ig_shares_with_another() -> None:
    found = prior_correlations.build(frames(priors=priors(*CAP, *IG), generations=(generation("g1", "cap"), *TWINS)))
    row = found.iloc[0]
    assert row[["source_a", "source_b", "n_twins", "n"]].tolist() == ["cap", "ig", 2, 2]
    # the first twin says what cap says, r = 1; of [1, 0, 0] and [0, 0, 1] r = -1/2; the mean is 1/4
    assert row["pearson_r"] == pytest.approx(0.25) and row["spearman_r"] == pytest.approx(0.25)


def test_priors_that_say_the_same_of_every_word_have_no_correlation() -> None:
    flat = [("g2", "t1", "lime", "llama", 1, [1, 1, 1], "turn music on")]
    row = prior_correlations.build(frames(priors=priors(*CAP, *flat), generations=BOTH)).iloc[0]
    assert np.isnan(row["pearson_r"]) and row["n"] == 0 and row["reason"].startswith("no text on which both")
    # lime's clipped vector is uniform and still has words
    assert row["top10_overlap"] == pytest.approx(1 / 3)


def test_priors_of_other_texts_and_other_masks_are_not_mixed() -> None:
    others = (generation("g1", "cap"), generation("g2", "lime+shap", n=50), generation("g3", "ig", "x", Choice(shots=5)))
    assert len(prior_correlations.build(frames(priors=priors(*CAP, *LIME, IG[0]), generations=others))) == 0


def test_the_best_words_of_a_class_are_ranked_by_their_mean_share() -> None:
    found = prior_top_words.build(frames(priors=priors(*CAP), generations=BOTH))
    # class on: text 1 rests on "on" alone, text 2 half on each: on (1 + 0.5) / 2, music 0.5 / 2
    rows = found[["source", "label", "rank", "word", "score", "n"]].to_numpy().tolist()
    assert rows == [["cap", "off", 1, "off", 1.0, 1], ["cap", "on", 1, "on", 0.75, 2], ["cap", "on", 2, "music", 0.25, 2]]
    one = prior_top_words.build(
        frames(priors=priors(*CAP), generations=BOTH, settings=GoldSettings(steering=SteeringSettings(top_words=1)))
    )
    assert one["word"].tolist() == ["off", "on"]


ADAPTERS = trainings({"a": recipe("plain"), "b": recipe("steered", "cap")})
MISTAKES = confusions(("a", "on", "off", 2), ("a", "off", "on", 1), ("b", "on", "off", 50))


def test_prior_mass_is_split_into_words_of_both_classes_and_of_one() -> None:
    own = attributions(("a", "m1", "on", [-1, 1, 2], "turn music on"), ("b", "m1", "on", [0, 0, 2], "turn music on"))
    found = prior_homogeneity.build(
        frames(priors=priors(*CAP), generations=BOTH, examples=TEXTS, trainings=ADAPTERS, confusions=MISTAKES, attributions=own)
    )
    # words of on: turn music on; of off: turn music off. Shared: turn, music. cap: 0, 0.5, 0 of three texts
    rows = found[["source", "scorer", "label_a", "label_b", "shared_mass", "discriminating_mass", "confusions", "n"]].to_numpy().tolist()
    assert rows == [
        ["self:none", "a", "off", "on", 0.5, 0.5, 3, 1],
        ["self:cap", "b", "off", "on", 0.0, 1.0, 3, 1],
        ["cap", "llama", "off", "on", pytest.approx(1 / 6), pytest.approx(5 / 6), 3, 3],
    ]
    assert found.set_index("source")["n_perturbations"].to_dict() == {"self:none": 0, "self:cap": 100, "cap": 100}


def test_self_attributions_say_which_training_they_are_of() -> None:
    steered = {"b": recipe("b", "cap", beta=0.5), "c": recipe("c", "cap+ig", fusion="max", beta=2), "d": recipe("d", "cap", seed=7)}
    recipes = {"a": recipe("plain")} | steered
    own = attributions(*((name, "m1", "on", [-1, 1, 2], "turn music on") for name in recipes))
    found = prior_homogeneity.build(
        frames(priors=priors(*CAP), generations=BOTH, examples=TEXTS, trainings=trainings(recipes), confusions=MISTAKES, attributions=own)
    ).set_index("scorer")
    assert found.loc["a", ["source", "beta", "fusion"]].tolist() == ["self:none", 0.0, "none"]
    assert found.loc["b", ["source", "beta", "fusion"]].tolist() == ["self:cap", 0.5, "mean"]
    assert found.loc["c", ["source", "beta", "fusion"]].tolist() == ["self:cap+ig", 2.0, "max"]
    pairs = found["pair_id"]
    assert pairs["a"] == pairs["b"] == pairs["c"] and pairs["d"] not in (pairs["a"], None)  # another seed is another pair
    assert found.loc["llama", ["beta", "fusion", "pair_id"]].isna().all()  # a prior is no training


def test_a_class_without_training_words_makes_no_pair() -> None:
    alone = TEXTS[TEXTS["label_id"] == 1]
    found = prior_homogeneity.build(frames(priors=priors(*CAP), generations=BOTH, examples=alone, trainings=ADAPTERS, confusions=MISTAKES))
    assert len(found) == 0


def test_pairs_are_those_that_unsteered_models_mix_up_most() -> None:
    mistakes = confusions(("a", "on", "off", 2), ("a", "off", "on", 1), ("a", "on", "up", 3), ("a", "up", "down", 4), ("b", "x", "y", 99))
    assert confusable_pairs(mistakes, ADAPTERS, 2) == [Pair("down", "up", 4), Pair("off", "on", 3)]  # off before up
    assert confusable_pairs(mistakes, ADAPTERS[ADAPTERS["adapter_id"] == "b"], 10) == [Pair("x", "y", 99)]
    assert confusable_pairs(mistakes, trainings({"a": None}), 10) == []


def last_word(text: str, label: str) -> NDArray[np.bool_] | None:
    """The truth of this test: the last word decides, if it is the label."""
    words = text.split()
    return np.array([word == label and at == len(words) - 1 for at, word in enumerate(words)]) if words[-1] == label else None


def test_precision_counts_the_words_that_decide_where_they_are_known() -> None:
    wrong = [*CAP[:2], ("g1", "t3", "cap", "llama", 1, [0, 0, 1], "turn music off")]  # trained as on: the truth knows no word of that
    found = prior_precision.build(frames(priors=priors(*wrong), generations=BOTH, examples=TEXTS, truth=last_word))
    row = found.iloc[0]
    # t1: right of one; t2: a tie goes to the first word, wrong. Chance 1/3 and 1/2
    assert (row["precision_at_k"], row["chance"], row["n"]) == (0.5, pytest.approx(5 / 12), 2)
    blind = prior_precision.build(frames(priors=priors(*wrong), generations=BOTH, examples=TEXTS, truth=lambda text, label: None)).iloc[0]
    assert np.isnan(blind["precision_at_k"]) and blind["reason"] == "of no text is it known which words decide"
    assert len(prior_precision.build(frames(priors=priors(*wrong), generations=BOTH, examples=TEXTS))) == 0


def test_pictures_and_texts_without_priors_have_no_rows() -> None:
    for table in (prior_correlations, prior_top_words, prior_homogeneity, prior_precision):
        assert len(table.build(Frames("pets"))) == 0
        assert len(table.build(frames(truth=last_word))) == 0


def test_a_frame_without_its_columns_and_numbers_without_words_are_refused() -> None:
    with pytest.raises(ValueError, match=r"frame 'priors' must have the columns settings_id"):
        TextFrames(("on",), priors=empty(("dataset",)))
    with pytest.raises(ValueError, match="one number per word"):
        stacked([[1.0, 2.0]], [["one"]], ["on"])


def test_what_defines_gold_of_pictures_is_as_before_and_texts_add_their_generations() -> None:
    def inputs(text: TextInputs | None) -> GoldInputs:
        return GoldInputs("pets", (), "", "", "", "", (), (), empty(()), "default", "abc", text)

    written = GoldSettings().model_dump(mode="json")
    assert "steering" not in written and "steering" in GoldSettings(steering=SteeringSettings(pairs=3)).model_dump(mode="json")
    before = settings_id({"inputs": "abc", "settings": written, "group": "default", "ranks_of": "one family of recipes"})
    assert settings_id(inputs(None).defining(GoldSettings())) == before
    one, other = (TextInputs("e", "b", "a", priors=(generation(name, "cap"),)) for name in ("g1", "g2"))
    assert len({settings_id(inputs(text).defining(GoldSettings())) for text in (None, one, other)}) == 3
