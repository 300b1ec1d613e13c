"""What does the verb answer on shifted data of the user's own, and how much work does it do for it?"""

from __future__ import annotations

import math

import pytest

from lake.rows import ERROR_COLUMNS
from ood.natural import expose_natural
from ood.picture_shifts import PictureShifts
from ood.score import Exposure
from ood.settings import CorruptionSettings
from ood.specs import PREDICTIONS
from tests.unit.ood.toy_adapters import ADAPTERS, ToyScoring, batch, identity, scoring

NATURAL = "natural:camera"
VARIANTS = tuple({"adapter_id": adapter.adapter_id, "corruption": NATURAL, "severity": 1} for adapter in ADAPTERS)


def exposed(levels: list[int], labels: list[int], todo: list[list[int]], toy: ToyScoring) -> list[dict[str, object]]:
    plan = Exposure(toy, ADAPTERS, PictureShifts(toy, CorruptionSettings()), identity(*VARIANTS))
    made = list(expose_natural(iter([batch(levels, labels, todo)]), plan))
    assert all(part.schema == PREDICTIONS.arrow_schema(ERROR_COLUMNS) for part in made)
    return [row for part in made for row in part.to_pylist()]


def test_each_adapter_answers_the_input_as_it_is_once_and_nothing_is_flipped_or_kept() -> None:
    toy = scoring()
    rows = {(row["example_id"], row["adapter_id"]): row for row in exposed([255, 0], [0, 0], [[0, 1], [0, 1]], toy)}
    # white has mean 1: bright's logits are (5, -5), so 0 at 1 / (1 + exp(-10)); black is their opposite, and dark the opposite of bright
    told = {key: (row["predicted_id"], row["is_correct"]) for key, row in rows.items()}
    assert told == {
        ("e0", "bright"): (0, True), ("e1", "bright"): (1, False), ("e0", "dark"): (1, False), ("e1", "dark"): (0, True),
    }  # fmt: skip
    for row in rows.values():
        assert row["confidence"] == pytest.approx(1 / (1 + math.exp(-10)), rel=1e-6)
        assert (row["corruption"], row["severity"], row["parameter"], row["flipped"], row["error_code"]) == (NATURAL, 1, None, None, None)
    assert toy.calls == [("bright", 2), ("dark", 2)]  # no clean pass besides


def test_what_is_not_asked_for_is_not_given_and_an_adapter_without_work_is_not_asked() -> None:
    toy = scoring()
    rows = exposed([255, 0], [0, 1], [[], [1]], toy)
    assert [(row["example_id"], row["adapter_id"]) for row in rows] == [("e1", "dark")]
    assert [name for name, _ in toy.calls] == ["dark"]
    assert exposed([255], [0], [[]], toy) == []


def test_logits_that_are_not_finite_make_a_rejected_row_alone() -> None:
    rows = exposed([255, 100], [0, 0], [[0], [0]], scoring(nonfinite_above=0.9))
    assert [(row["example_id"], row["error_code"], row["is_correct"]) for row in rows] == [("e0", "nonfinite", None), ("e1", None, False)]
