"""Does a key that is given leave the others at KI's values?"""

from __future__ import annotations

from gold.settings import GoldSettings

# METHODS 4: XGBoost_Tuned 300 trees / depth 4 / lr 0.05 / subsample 0.7 / colsample 0.7 / L1 0.5 / L2 2 / gamma 0.1 / min_child_weight 3
TUNED = {
    "trees": 300, "depth": 4, "learning_rate": 0.05, "subsample": 0.7, "colsample": 0.7, "l1": 0.5, "l2": 2.0, "gamma": 0.1,
    "min_child_weight": 3.0,
}  # fmt: skip


def test_fewer_trees_of_the_tuned_booster_leave_its_other_values_tuned() -> None:
    assert GoldSettings().boost_tuned.model_dump() == TUNED
    assert GoldSettings.model_validate({"boost_tuned": {"trees": 40}}).boost_tuned.model_dump() == TUNED | {"trees": 40}
    assert GoldSettings.model_validate({"boost": {"trees": 40}}).boost.depth == 6  # the plain one has its own
