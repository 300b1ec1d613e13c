"""Does gold.cap_hybrid_training say of each training what it was, what it bought, and what logistic regression does on the same texts?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gold.frames import Frames
from gold.linear_baseline import answers
from gold.steering.recipes import described, pair_of, recipe_of, setting_of
from gold.tables import cap_hybrid_training
from models.text_recipe import Choice
from tests.unit.gold.steering_frames import cells, examples, explained, frames, generation, pooled, recipe, refused, trainings

# Two classes along two axes. Of the four training texts the last lies on the wrong side, so that it can be told apart when it is left out.
TEXTS = examples(
    ("t1", "adapter_train", 0, "turn it off", pooled(1, 0)),
    ("t2", "adapter_train", 0, "off please", pooled(2, 0)),
    ("t3", "adapter_train", 1, "turn it on", pooled(0, 1)),
    ("t4", "adapter_train", 1, "on please", pooled(0, 3)),
    ("m1", "meta", 0, None, pooled(5, 0.5)),
    ("m2", "meta", 1, None, pooled(0.5, 5)),
    ("m3", "meta", 1, None, pooled(5, 0)),
    ("m4", "meta", 1, None, None),
)
ROWS = cells(
    ("a", "none", 0, 10, 8), ("a", "keyword_addition", 1, 10, 6), ("a", "keyword_addition", 2, 10, 4), ("a", "keyword_deletion", 1, 10, 2),
    ("a", "typos", 1, 10, 10), ("b", "none", 0, 10, 9),
)  # fmt: skip
SCORES = explained(("a", "occlusion", 0.5, 0.1, 0.4, 0.2), ("a", "ig", 0.6, 0.2, 0.3, 0.1), ("a", "random", 0.1, 0.5, 0.2, 0.6))


def built(recipes: dict[str, object], **given: object) -> pd.DataFrame:
    made = frames(ROWS, trainings=trainings(recipes), examples=TEXTS, explained=SCORES, **given)  # type: ignore[arg-type]  # recipes by id
    return cap_hybrid_training.build(made).set_index("adapter_id")


def test_a_training_has_its_recipe_and_its_figures_in_one_row() -> None:
    own = generation("g", "cap", leaky=True, scorer_name="tiny")
    found = built({"a": recipe("steered", "cap+ig", beta=0.5, seed=3)}, generations=(own,)).loc["a"]
    assert found[["setting", "priors", "fusion", "beta", "n_perturbations", "seed", "tuning", "ig_steps"]].tolist() == [
        "full", "cap+ig", "mean", 0.5, 100, 3, "lora", 8,
    ]  # fmt: skip
    assert found[["scorer", "scorer_name", "leaky_prior"]].tolist() == ["llama", "tiny", True]
    # keyword attacks alone: (0.6 + 0.4 + 0.2) / 3; typos, a character attack, have no part in it
    assert found["accuracy"] == 0.8 and found["adversarial_accuracy"] == pytest.approx(0.4, abs=1e-12)
    names = ["comprehensiveness", "sufficiency_20", "comprehensiveness_ig", "sufficiency_random"]
    assert found[names].tolist() == [0.5, 0.2, 0.6, 0.5]
    assert (found["seconds"], found["n_train"], found["n"], found["reason"]) == (30.0, 4, 10, None)


def test_what_was_not_scored_is_null_and_says_why() -> None:
    found = built({"b": recipe("steered", "cap")}).loc["b"]
    assert found["accuracy"] == 0.9 and np.isnan(found["adversarial_accuracy"]) and np.isnan(found["comprehensiveness"])
    assert found["scorer"] == "unknown" and found["leaky_prior"] is pd.NA
    assert found["reason"] == (
        "silver.priors of this run hold none, or those of several scorers, for this recipe; no rows of keyword attacks; "
        "no removal metrics of occlusion; no removal metrics of ig; no removal metrics of random"
    )


def test_only_the_generation_of_the_same_texts_and_masks_stands_behind_a_prior() -> None:
    five = Choice(shots=5, shots_seed=1)
    own = (
        generation("g", "cap", "right", five, 50, leaky=False), generation("g", "cap", "other-n", five, 100),
        generation("g", "cap", "other-texts", Choice(), 50), generation("h", "lime+shap", "plain", five, 50),
    )  # fmt: skip
    found = built({"a": recipe("steered", "cap", shots=5, shots_seed=1, n=50)}, generations=own).loc["a"]
    assert (found["scorer"], found["leaky_prior"], found["setting"], found["shots_seed"]) == ("right", False, "5-shot", 1)


def test_texts_that_no_prior_could_be_made_of_are_counted_with_their_reasons() -> None:
    """Of a source that a recipe does not read, of other texts and of another twin nothing counts; a text refused twice counts once."""
    own = recipe("steered", "cap+ig+shap")
    generations = (
        generation("g", "cap"), generation("h", "lime+shap"), generation("i", "ig", "twin", pair_id=pair_of(own)),
        generation("i", "ig", "other", pair_id="x"), generation("g", "cap", choice=Choice(shots=1)),
    )  # fmt: skip
    lost = refused(
        ("g", "llama", "cap", "t1", "too_large"), ("h", "llama", "shap", "t1", "too_large"), ("h", "llama", "shap", "t2", "nonfinite"),
        ("h", "llama", "lime", "t3", "nonfinite"), ("i", "twin", "ig", "t4", "nonfinite"), ("i", "other", "ig", "t3", "nonfinite"),
        ("g2", "llama", "cap", "t3", "bad_record"),
    )  # fmt: skip
    arms = {"a": own, "b": recipe("lime", "lime"), "c": recipe("cap", "cap"), "d": recipe(), "e": recipe("r", control="random")}
    found = built(arms | {"f": recipe("gone", "cap", n=7), "g": recipe("mixed", "cap", shots=1)}, generations=generations, refused=lost)
    columns = ["n_without_prior", "why_without_prior"]
    assert found.loc["a", columns].tolist() == [3, "nonfinite 2, too_large 1"]
    assert found.loc["b", columns].tolist() == [1, "nonfinite 1"] and found.loc["c", columns].tolist() == [1, "too_large 1"]
    assert found.loc["d", columns].isna().all() and found.loc["e", columns].tolist() == [0, None]
    assert found.loc["f", columns].isna().all()  # its generation is not among those of this run


def test_arms_without_a_language_model_name_none_and_a_twin_is_not_leaky() -> None:
    found = built({"a": recipe(), "b": recipe("steered", "ig"), "c": recipe("noise", control="random")})
    names = ["priors", "fusion", "beta", "n_perturbations", "scorer", "leaky_prior"]
    assert found.loc["a", names].tolist() == ["none", "none", 0.0, 0, "none", pd.NA]
    assert found.loc["b", names].tolist() == ["ig", "mean", 1.0, 0, "none", False]
    assert found.loc["c", names].tolist() == ["random", "none", 1.0, 0, "none", pd.NA]


def test_logistic_regression_stands_beside_every_choice_of_texts_once() -> None:
    found = built({"a": recipe(), "b": recipe("steered", "cap"), "c": recipe("few", shots=1), "d": None})
    linear = found[found["priors"] == "logistic_regression"].set_index("setting")
    assert sorted(linear.index) == ["1-shot", "full"] and "d" not in found.index
    # m1 and m2 are on their side, m3 is not, m4 has no embedding
    assert linear.loc["full", "accuracy"] == pytest.approx(2 / 3)
    assert linear.loc["full", ["n_train", "n", "seed", "tuning"]].tolist() == [4, 3, 0, "none"] and linear.loc["1-shot", "n_train"] == 2
    assert linear[["comprehensiveness", "adversarial_accuracy", "seconds", "leaky_prior"]].isna().all(axis=None)
    assert linear["reason"].str.startswith("logistic regression reads embeddings").all()


def test_logistic_regression_learns_the_wrong_labels_too() -> None:
    # floor(0.99 * 4 + 1/2) = 4: of two labels every text gets the other one, so both that were right are wrong and m3 is right.
    found = built({"a": recipe("noisy", label_noise=0.99)})
    linear = found[found["priors"] == "logistic_regression"].iloc[0]
    assert (linear["setting"], linear["accuracy"]) == ("full+noise99%", pytest.approx(1 / 3))


def test_a_manifest_of_another_make_has_no_row_and_no_recipe() -> None:
    assert recipe_of('{"name": "x", "rank": 4, "unheard_of": 1}') is None and recipe_of(None) is None and recipe_of(float("nan")) is None
    strange = trainings({"a": recipe()}).assign(recipe_settings='{"kind": "later"}')
    assert len(cap_hybrid_training.build(frames(trainings=strange, examples=TEXTS))) == 0


def test_pictures_have_no_row() -> None:
    assert len(cap_hybrid_training.build(Frames("pets"))) == 0


def test_settings_name_shots_shares_and_wrong_labels() -> None:
    recipes = (recipe(), recipe(shots=5), recipe(shots=10, label_noise=0.05), recipe(train_share=0.5))
    assert [setting_of(Choice.of(own)) for own in recipes] == ["full", "5-shot", "10-shot+noise5%", "full+share50%"]
    # seeds of what is not drawn decide nothing
    assert Choice.of(recipe(shots_seed=4, label_noise_seed=5)) == Choice()


def test_trainings_are_pairs_when_they_share_all_but_the_prior_and_variants_when_they_share_all_but_seeds() -> None:
    plain, steered, other = recipe(seed=1), recipe("x", "cap", beta=0.1, seed=1), recipe("y", "cap", seed=2)
    longer = recipe("z", "cap", seed=1, epochs=3)
    ids = {own.name: described(own) for own in (plain, steered, other, longer)}
    assert ids["plain"]["pair_id"] == ids["x"]["pair_id"] and len({one["pair_id"] for one in ids.values()}) == 3
    assert ids["plain"]["variant"] == ids["x"]["variant"] == ids["y"]["variant"] != ids["z"]["variant"]


def test_the_baseline_does_not_see_the_length_of_a_vector_and_answers_where_nothing_can_be_learned() -> None:
    generator = np.random.default_rng(0)
    train, asked = generator.standard_normal((30, 4)), generator.standard_normal((50, 4))
    ids = (train[:, 0] > 0).astype(np.int64)
    found, p = answers(train, ids, asked)
    assert (found == answers(100 * train, ids, asked * generator.uniform(0.1, 9, (50, 1))).label_ids).all()
    assert (p.argmax(axis=1) == found).all() and p.sum(axis=1) == pytest.approx(np.ones(50))
    assert (found == (asked[:, 0] > 0)).mean() > 0.8
    lone = answers(train, np.full(30, 7), asked)
    assert lone.label_ids.tolist() == [7] * 50 and lone.p.tolist() == [[1.0]] * 50
    assert len(answers(train, ids, asked[:0]).label_ids) == 0
    assert answers(train, ids, np.zeros((1, 4))).p.shape == (1, 2)  # no length at all
    with pytest.raises(ValueError, match="one vector at least"):
        answers(train[:0], ids[:0], asked)
    with pytest.raises(ValueError, match="of one backbone"):
        answers(train, ids, asked[:, :3])
