"""Does the row about a new adapter's scoring find a difference where there is one?"""

from __future__ import annotations

import pandas as pd

from benchmarks import arrival


def test_a_risk_that_differs_and_a_row_that_is_missing_are_counted() -> None:
    one = arrival.risks(arrival.clean_rows(3, 1, 0), arrival.trained(60))
    assert len(one) == 3 * len(arrival.CELLS) and one["risk"].between(0, 1).all()
    assert arrival.differing(one, one.sample(frac=1, random_state=0)) == 0
    other = one.copy()
    other.loc[4, "risk"] += 1e-16 + other.loc[4, "risk"] * 2**-52
    assert arrival.differing(one, other) == 1
    assert arrival.differing(one, one.iloc[1:]) > 0
    assert arrival.differing(one, pd.concat([one, one.iloc[:1].assign(example_id="new")])) > 0
