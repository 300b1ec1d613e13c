"""Does gold.cap_hybrid_arms compare like with like, and call a difference only by its rule?"""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from gold.frames import Frames
from gold.steering.pairs import mean_of, verdict_of
from gold.steering.recipes import described
from gold.tables import cap_hybrid_arms
from models.text_recipe import TextRecipe
from tests.unit.gold.steering_frames import recipe

WHICH_PRIOR_HELPED = """
SELECT setting, priors, fusion, over_shuffled, over_shuffled_se, n_pairs_shuffled, shuffled_control, verdict_shuffled
FROM gold.cap_hybrid_arms
WHERE metric = 'accuracy' AND shuffled_control IS NOT NULL
ORDER BY setting, over_shuffled DESC NULLS LAST, priors
"""


def training(*rows: tuple[TextRecipe, float] | tuple[TextRecipe, float, float], logistic: float | None = None) -> pd.DataFrame:
    """Rows of gold.cap_hybrid_training: a recipe, its accuracy, and its sufficiency where it matters."""
    records = []
    for own, accuracy, *rest in rows:
        about = described(own) | dict.fromkeys(cap_hybrid_arms.METRICS) | {"scorer_name": "none", "leaky_prior": None}
        records.append(about | {"accuracy": accuracy, "sufficiency": rest[0] if rest else None})
    if logistic is not None:
        like = records[0] | dict.fromkeys(cap_hybrid_arms.METRICS) | dict.fromkeys(("fusion", "tuning", "variant"), "none")
        records.append(
            like | {"priors": "logistic_regression", "pair_id": None, "beta": 0.0, "ig_steps": 0, "seed": 0, "accuracy": logistic}
        )
    return pd.DataFrame(records).astype(dict.fromkeys(cap_hybrid_arms.METRICS, "float64"))


def built(table: pd.DataFrame, metric: str = "accuracy") -> pd.DataFrame:
    found = cap_hybrid_arms.build(Frames("intents", built={"cap_hybrid_training": table}))
    return found[found["metric"] == metric].set_index("priors")


def arm(accuracies: tuple[float, ...], name: str, sources: str | None = None, control: str | None = None, **given: object) -> list[tuple]:
    return [(recipe(f"{name}{seed}", sources, control, seed=seed, **given), value) for seed, value in enumerate(accuracies)]


THREE = training(
    *arm((0.70, 0.72, 0.74), "none"),
    *arm((0.74, 0.78, 0.78), "cap", "cap"),
    *arm((0.71, 0.73, 0.76), "moved", "cap", "shuffled"),
    *arm((0.60, 0.60, 0.60), "moved-all", "cap+ig", "shuffled"),
    logistic=0.80,
)


def test_an_arm_is_compared_in_pairs_of_one_seed() -> None:
    found = built(THREE).loc["cap"]
    assert found["mean"] == pytest.approx(2.30 / 3)  # 0.7667, sd 0.023094
    assert (found["standard_error"], found["n_seeds"]) == (pytest.approx(0.0133333, abs=1e-6), 3)
    # 0.04, 0.06, 0.04: mean 0.046667, sd 0.011547, se 0.0066667: 7 standard errors, beyond the 4.303 of two degrees of freedom
    assert found["over_none"] == pytest.approx(0.0466667, abs=1e-6) and found["over_none_se"] == pytest.approx(0.0066667, abs=1e-6)
    assert (found["n_pairs_none"], found["verdict_none"]) == (3, "better")
    # 0.03, 0.05, 0.02: mean 0.033333, sd 0.0152753, se 0.0088192: 3.78 standard errors, which three pairs do not tell from 0
    assert found["over_shuffled"] == pytest.approx(0.0333333, abs=1e-6) and found["over_shuffled_se"] == pytest.approx(0.0088192, abs=1e-6)
    assert (found["shuffled_control"], found["verdict_shuffled"]) == ("shuffled:cap", "no evidence")
    # -0.06, -0.02, -0.02 against the one fit on the same texts
    assert found["over_logistic"] == pytest.approx(-0.0333333, abs=1e-6) and found["n_pairs_logistic"] == 3
    assert not found["beats_logistic_regression"] and found["verdict_logistic"] == "no evidence"
    assert found["reason"] is None


def test_arm_none_and_controls_are_not_compared_with_themselves() -> None:
    found = built(THREE)
    assert found.loc["none", "over_none":"verdict_shuffled"].drop(["n_pairs_none", "n_pairs_shuffled"]).isna().all()
    assert found.loc["shuffled:cap", "n_pairs_none"] == 3 and found.loc["shuffled:cap", "n_pairs_shuffled"] == 0
    assert found.loc["logistic_regression", "n_seeds"] == 1 and found.loc["logistic_regression", "beats_logistic_regression"] is pd.NA
    assert found.loc["logistic_regression", "reason"].startswith("one training has no standard error; none: 0 pairs, a verdict needs 3")


def test_without_shuffled_priors_of_the_same_sources_those_of_most_sources_stand_in() -> None:
    rows = training(
        *arm((0.7, 0.8, 0.9), "lime", "lime"),
        *arm((0.6, 0.6, 0.6), "one", "cap", "shuffled"),
        *arm((0.5,) * 3, "two", "cap+ig", "shuffled"),
    )
    found = built(rows).loc["lime"]
    assert found["shuffled_control"] == "shuffled:cap+ig" and found["over_shuffled"] == pytest.approx(0.3)
    # 0.2, 0.3, 0.4 would be "better", but these are not the arm's own numbers
    assert pd.isna(found["verdict_shuffled"]) and found["n_pairs_shuffled"] == 3
    assert "shuffled: the control has other sources" in found["reason"]


def test_pairs_differ_in_nothing_but_the_prior() -> None:
    rows = training(
        *arm((0.9,), "cap", "cap", beta=0.5), *arm((0.1,), "other-beta", "cap", "shuffled", beta=2.0),
        *arm((0.2,), "longer", epochs=3), *arm((0.3,), "fewer", shots=5),
    )  # fmt: skip
    found = built(rows).loc["cap"]
    assert (found["n_pairs_none"], found["n_pairs_shuffled"], found["shuffled_control"]) == (0, 0, None)
    assert found["reason"] == (
        "one training has no standard error; none: 0 pairs, a verdict needs 3; shuffled: 0 pairs, a verdict needs 3; "
        "logistic: 0 pairs, a verdict needs 3"
    )


def test_one_seed_has_a_difference_and_neither_standard_error_nor_verdict() -> None:
    found = built(training(*arm((0.7,), "none"), *arm((0.8,), "cap", "cap"), logistic=0.75)).loc["cap"]
    assert found["over_none"] == pytest.approx(0.1) and pd.isna(found["over_none_se"]) and pd.isna(found["standard_error"])
    assert found["verdict_none"] is None and found["n_pairs_none"] == 1
    assert found["beats_logistic_regression"]  # 0.8 is above 0.75, which says nothing of chance
    assert "none: 1 pairs, a verdict needs 3" in found["reason"]


def test_lower_sufficiency_is_better() -> None:
    names = [("none", None, (0.5, 0.52, 0.54)), ("cap", "cap", (0.3, 0.32, 0.35))]
    rows = [
        (recipe(f"{name}{seed}", sources, seed=seed), 0.5, value) for name, sources, values in names for seed, value in enumerate(values)
    ]
    found = built(training(*rows), "sufficiency").loc["cap"]
    assert (found["direction"], found["verdict_none"]) == ("lower", "better") and found["over_none"] < 0
    assert found["beats_logistic_regression"] is pd.NA  # accuracy alone is compared so


def test_a_metric_that_no_training_has_is_a_row_with_its_reason() -> None:
    found = built(THREE, "comprehensiveness").loc["cap"]
    assert pd.isna(found["mean"]) and found["n_seeds"] == 0 and found["n"] == 3
    assert found["reason"].startswith("no training has this metric")


def test_a_leaky_scorer_marks_its_arm() -> None:
    table = THREE.assign(leaky_prior=[True if name == "cap" else None if name == "none" else False for name in THREE["priors"]])
    found = built(table)["leaky_prior"]
    assert found["cap"] and found["none"] is pd.NA and not found["shuffled:cap"]


def test_a_verdict_needs_pairs_and_an_interval_without_zero() -> None:
    # three pairs: 2.5 standard errors are no evidence at 95 %, and are at 80 % (t = 1.886)
    differences = [0.06, 0.02, 0.02]
    assert mean_of(differences).standard_error == pytest.approx(0.0133333, abs=1e-6)
    assert verdict_of(differences, True, 0.95, 3) == "no evidence" and verdict_of(differences, True, 0.8, 3) == "better"
    assert verdict_of(differences, False, 0.8, 3) == "worse" and verdict_of([-0.1, -0.11, -0.1], True, 0.95, 3) == "worse"
    assert verdict_of(differences, True, 0.8, 4) is None and verdict_of([], True, 0.95, 3) is None
    assert verdict_of([0.0, 0.0, 0.0], True, 0.95, 3) == "no evidence"


def test_one_query_says_which_prior_helped_by_how_much_against_shuffled_priors() -> None:
    table = cap_hybrid_arms.build(Frames("intents", built={"cap_hybrid_training": THREE}))
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA gold")
        connection.register("frame", table)
        connection.execute("CREATE VIEW gold.cap_hybrid_arms AS SELECT * FROM frame")
        found = connection.execute(WHICH_PRIOR_HELPED).df()
    assert found.values.tolist() == [
        ["full", "cap", "mean", pytest.approx(0.0333333, abs=1e-6), pytest.approx(0.0088192, abs=1e-6), 3, "shuffled:cap", "no evidence"]
    ]


def test_without_trainings_there_is_no_arm() -> None:
    assert len(cap_hybrid_arms.build(Frames("pets"))) == 0
