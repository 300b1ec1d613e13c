"""Does gold say how well scores tell inputs of no class from the others, for every adapter, arm and logistic regression?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gold.frames import Frames
from gold.linear_baseline import scores
from gold.separations import SCORES, SEPARATIONS, of_adapter
from gold.statistics import separation
from gold.steering.recipes import Choice
from gold.steering.selections import trained_on
from gold.tables import cap_hybrid_arms, cap_hybrid_training, out_of_scope
from tests.unit.gold.steering_frames import cells, examples, frames, pooled, recipe, trainings

# Two classes along two axes; inputs of no class lie between them. o4 has no embedding.
TEXTS = examples(
    ("t1", "adapter_train", 0, "off", pooled(1, 0)), ("t2", "adapter_train", 0, "off please", pooled(2, 0)),
    ("t3", "adapter_train", 1, "on", pooled(0, 1)), ("t4", "adapter_train", 1, "on please", pooled(0, 3)),
    ("m1", "meta", 0, None, pooled(5, 0.5)), ("m2", "meta", 1, None, pooled(0.1, 5)), ("m3", "meta", 1, None, pooled(5, 0.5)),
    ("o1", "outside", 2, None, pooled(1, 1)), ("o2", "outside", 2, None, pooled(5, 0.5)), ("o3", "outside", 2, None, pooled(2, 3)),
    ("o4", "outside", 2, None, None),
)  # fmt: skip


def apart(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """(adapter, score, auroc) of 3 meta examples and 2 of no class."""
    found = [(adapter, score, 3, 2, auroc, 0.1, 0.5, None) for adapter, score, auroc in rows]
    return pd.DataFrame(found, columns=list(SEPARATIONS))


def test_a_separation_is_what_the_pairs_say() -> None:
    found = separation([3.0, 4.0, 4.0], [1.0, 4.0])
    # below each inside one: 1/2, 3/4, 3/4 of the outside ones; above each outside one: 1, 1/3 of the inside ones; means 2/3
    assert found.auroc == pytest.approx(2 / 3, abs=1e-15)
    # sample variances 1/48 and 2/9: sqrt(1/144 + 1/9) = sqrt(17)/12
    assert found.standard_error == pytest.approx(np.sqrt(17) / 12, abs=1e-15)
    # of three, 95 % are all three: from 3 up, where one of two outside ones lies
    assert (found.n_in, found.n_out, found.fpr95, found.reason) == (3, 2, 0.5, None)


def test_of_twenty_one_may_be_lost_at_95_percent() -> None:
    inside = np.arange(1.0, 21.0)
    assert separation(inside, [1.0, 2.0, 1.5, 30.0]).fpr95 == 0.5  # from 2 up
    assert separation(inside[:19], [1.0, 2.0, 1.5, 30.0]).fpr95 == 1.0  # of nineteen none: from 1 up
    assert separation(np.arange(1.0, 101.0), [5.5, 6.0]).fpr95 == 0.5  # ceil(0.95 * 100) in binary is 95 or 96


def test_what_cannot_be_said_is_null_with_a_reason() -> None:
    assert separation([np.nan], [1.0]).reason == "no inside example with a score"
    assert separation([1.0], []).reason == "no outside example with a score" and separation([1.0], []).auroc is None
    one = separation([2.0, np.nan], [1.0, 0.0])
    assert (one.n_in, one.auroc, one.standard_error) == (1, 1.0, None) and "two examples of either kind" in str(one.reason)
    same = separation([1.0, 1.0], [1.0, 1.0])
    assert (same.auroc, same.standard_error, same.fpr95) == (0.5, 0.0, 1.0)


def test_every_score_counts_towards_its_surer_end() -> None:
    sure = {"confidence": 0.9, "margin": 0.8, "softmax_entropy": 0.1, "energy": -5.0, "pnorm_logit": 0.9}
    unsure = {"confidence": 0.4, "margin": 0.1, "softmax_entropy": 0.9, "energy": -1.0, "pnorm_logit": 0.2}
    rows = pd.DataFrame([{"adapter_id": "a", "is_outside": own is unsure, **own} for own in (sure, sure, unsure)])
    found = of_adapter(rows)
    assert tuple(found.columns) == SEPARATIONS and found["score"].tolist() == list(SCORES)
    assert found["auroc"].tolist() == [1.0] * 5 and set(found["fpr95"]) == {0.0}
    assert set(zip(found["n_in"], found["n_out"], strict=True)) == {(2, 1)}
    # one label has no entropy: that score alone says nothing
    lone = of_adapter(rows.assign(softmax_entropy=np.nan)).set_index("score")
    assert np.isnan(lone.loc["softmax_entropy", "auroc"]) and lone.loc["energy", "auroc"] == 1.0


def test_scores_of_probabilities() -> None:
    found = scores(np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]))
    assert found["confidence"].tolist() == [0.5, 1.0] and found["margin"].tolist() == [0.0, 1.0]
    assert found["softmax_entropy"] == pytest.approx([np.log(2) / np.log(3), 0.0])
    lone = scores(np.ones((2, 1)))
    assert lone["margin"].tolist() == [1.0, 1.0] and np.isnan(lone["softmax_entropy"]).all()


def test_an_adapter_has_its_recipe_and_a_foreign_one_says_that_it_has_none() -> None:
    own = {"a": recipe("steered", "cap", beta=0.5, seed=3, shots=5, shots_seed=7), "f": None}
    made = frames(trainings=trainings(own), separations=apart(("a", "confidence", 0.8), ("a", "energy", 0.7), ("f", "confidence", 0.6)))
    found = out_of_scope.build(made).set_index(["adapter_id", "score"])
    about = ["setting", "shots_seed", "priors", "fusion", "beta", "n_perturbations", "seed", "tuning"]
    assert found.loc[("a", "energy"), about].tolist() == ["5-shot", 7, "cap", "mean", 0.5, 100, 3, "lora"]
    assert found.loc[("a", "energy"), ["direction", "auroc", "n"]].tolist() == ["lower", 0.7, 5]
    foreign = found.loc[("f", "confidence")]
    assert foreign[["setting", "shots_seed", "direction", "auroc"]].tolist() == ["none", 0, "higher", 0.6]
    assert foreign[["priors", "fusion", "beta", "seed", "tuning"]].isna().all()


def test_logistic_regression_stands_beside_them_per_choice_of_texts() -> None:
    made = frames(trainings=trainings({"a": recipe(), "b": recipe("few", shots=1)}), examples=TEXTS)
    found = out_of_scope.build(made)
    assert set(found["setting"]) == {"full", "1-shot"} and set(found["score"]) == {"confidence", "margin", "softmax_entropy"}
    confident = found.set_index(["setting", "score"]).loc[("full", "confidence")]
    # m1 and m3 are as sure as o2, whose embedding is theirs, m2 is surer; o1 and o3 lie in between: (3 + 2 + 3) of 9 pairs
    assert confident[["adapter_id", "priors", "auroc"]].tolist() == ["none", "logistic_regression", pytest.approx(8 / 9)]
    assert confident[["n_in", "n_out", "fpr95"]].tolist() == [3, 3, pytest.approx(1 / 3)]


def test_pictures_have_rows_where_they_have_inputs_of_no_class_and_none_without() -> None:
    adapters = pd.DataFrame([dict.fromkeys(Frames("pets").adapters.columns) | {"adapter_id": "a", "name": "r4", "seed": 2}])
    linear = trained_on(TEXTS.assign(text=None), [Choice()], 2)
    found = out_of_scope.build(Frames("pets", adapters=adapters, separations=apart(("a", "confidence", 0.8)), linear=linear))
    assert found[found["adapter_id"] == "a"][["name", "seed", "setting"]].values.tolist() == [["r4", 2, "none"]]
    assert found[found["adapter_id"] == "none"]["setting"].tolist() == ["full"] * 3
    assert len(out_of_scope.build(Frames("pets", adapters=adapters))) == 0


def test_the_auroc_is_one_more_figure_of_a_training_and_one_more_metric_of_the_arms() -> None:
    arms = (("n", None, (0.6, 0.7)), ("c", "cap", (0.7, 0.9)))
    seeds = {f"{name}{seed}": recipe(f"{name}{seed}", sources, seed=seed) for name, sources, _ in arms for seed in (0, 1)}
    figures = [(f"{name}{seed}", auroc) for name, _, found in arms for seed, auroc in enumerate(found)]
    given = apart(*((name, score, auroc) for name, auroc in figures for score in ("energy", "confidence")))
    given.loc[given["score"] == "energy", "auroc"] = 0.1
    rows = cells(*((name, "none", 0, 10, 9) for name in seeds))
    training = cap_hybrid_training.build(frames(rows, trainings=trainings(seeds), examples=TEXTS, separations=given))
    own = training.set_index("adapter_id")
    assert own.loc[list(seeds), "auroc_outside"].tolist() == [0.6, 0.7, 0.7, 0.9]
    assert own.loc["none", "auroc_outside"] == pytest.approx(8 / 9)
    compared = cap_hybrid_arms.build(Frames("intents", built={"cap_hybrid_training": training}))
    cap = compared[compared["metric"] == "auroc_outside"].set_index("priors").loc["cap"]
    # 0.8 ± 0.1; against none 0.1 and 0.2: 0.15 ± 0.05; against logistic regression 0.8 - 5/6
    assert cap[["direction", "mean", "standard_error", "n_seeds"]].tolist() == ["higher", pytest.approx(0.8), pytest.approx(0.1), 2]
    assert cap[["over_none", "over_none_se", "n_pairs_none"]].tolist() == [pytest.approx(0.15), pytest.approx(0.05), 2]
    assert cap["over_logistic"] == pytest.approx(0.8 - 8 / 9)


def test_without_inputs_of_no_class_trainings_and_arms_are_as_before() -> None:
    rows = cells(("a", "none", 0, 10, 9))
    plain = frames(rows, trainings=trainings({"a": recipe()}), examples=TEXTS[TEXTS["split"] != "outside"])
    training = cap_hybrid_training.build(plain)
    assert training["auroc_outside"].isna().all() and not training["reason"].str.contains("no class").any()
    assert "auroc_outside" not in set(cap_hybrid_arms.build(Frames("intents", built={"cap_hybrid_training": training}))["metric"])
    unscored = cap_hybrid_training.build(
        frames(rows, trainings=trainings({"a": recipe()}), examples=TEXTS, separations=apart(("other", "confidence", 0.5)))
    )
    assert "no answers to inputs of no class" in unscored.set_index("adapter_id").loc["a", "reason"]
