"""Under which cell does the ledger keep a variant of a stage?"""

from __future__ import annotations

import pytest

from lake.fill import Stage, Variant
from lake.ledger import Cell
from ood.specs import PREDICTIONS


@pytest.mark.parametrize(
    ("variant", "cell"),
    [
        ({"adapter_id": "a", "corruption": "fog", "severity": 3}, Cell("a", "fog", 3)),
        ({"attack": "typos", "severity": 2}, Cell("*", "typos", 2)),  # so that an attack asked for later costs itself alone
        ({"adapter_id": "a", "method": "attention"}, Cell("a", "*", 0)),
        ({"backbone": "b"}, Cell("*", "*", 0)),
    ],
)
def test_a_variant_belongs_to_the_cell_of_its_adapter_and_of_its_corruption_or_attack(variant: Variant, cell: Cell) -> None:
    assert Stage(PREDICTIONS, "s", (variant,), lambda frame: frame).cell(variant) == cell
