"""What does the verb of ood.predictions answer, and how much work does it do for it?"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

import ood.picture_shifts
from lake.rows import ERROR_COLUMNS
from ood.corruptions import by_name
from ood.picture_shifts import PictureShifts
from ood.score import Exposure, answers_of, expose
from ood.settings import CorruptionSettings
from ood.specs import PREDICTIONS
from tests.unit.ood.toy_adapters import ADAPTERS, ToyScoring, batch, identity, scoring

CELLS = (("none", 0), ("ki_contrast", 3), ("ki_gaussian_noise", 1))
VARIANTS = tuple({"adapter_id": adapter.adapter_id, "corruption": c, "severity": s} for adapter in ADAPTERS for c, s in CELLS)
ALL = list(range(len(VARIANTS)))


def exposure(toy: ToyScoring, corruptions: CorruptionSettings) -> Exposure:
    return Exposure(toy, ADAPTERS, PictureShifts(toy, corruptions), identity(*VARIANTS))


def exposed(
    levels: list[int], labels: list[int], todo: list[list[int]] | None = None, toy: ToyScoring | None = None
) -> list[dict[str, object]]:
    plan = exposure(toy or scoring(), CorruptionSettings(names=("ki_contrast", "ki_gaussian_noise")))
    given = batch(levels, labels, todo or [ALL] * len(levels))
    return [row for made in expose(iter([given]), plan) for row in made.to_pylist()]


def key(row: dict[str, object]) -> tuple[object, ...]:
    return row["example_id"], row["adapter_id"], row["corruption"], row["severity"]


def test_every_example_adapter_and_cell_gives_one_row_of_the_tables_schema() -> None:
    plan = exposure(scoring(), CorruptionSettings(names=("ki_contrast", "ki_gaussian_noise")))
    made = list(expose(iter([batch([255, 0], [0, 1], [ALL, ALL])]), plan))
    assert all(part.schema == PREDICTIONS.arrow_schema(ERROR_COLUMNS) for part in made)
    keys = [key(row) for part in made for row in part.to_pylist()]
    assert sorted(keys) == sorted((e, a.adapter_id, c, s) for e in ("e0", "e1") for a in ADAPTERS for c, s in CELLS)


def test_a_clean_row_is_worked_out_by_hand() -> None:
    row = next(row for row in exposed([255], [0]) if key(row) == ("e0", "bright", "none", 0))
    # mean 1: logits (5, -5), so label 0 at 1 / (1 + exp(-10))
    expected = {"predicted_id": 0, "is_correct": True, "flipped": False, "parameter": None, "error_code": None}
    assert {name: row[name] for name in expected} == expected
    assert row["confidence"] == pytest.approx(1 / (1 + math.exp(-10)), rel=1e-6)  # logits are float32


def test_flipped_is_right_when_clean_and_wrong_now() -> None:
    # Grey 140 of 255 is just above one half; contrast 0.15 (severity 3) pulls a picture to its own grey mean, so a flat one stays.
    # The noise of severity 1 hardly moves a mean. So nothing flips by itself: the label decides.
    rows = {key(row): row for row in exposed([255, 255], [0, 1])}
    for adapter, example, correct in (("bright", "e0", True), ("bright", "e1", False), ("dark", "e0", False), ("dark", "e1", True)):
        for corruption, severity in CELLS:
            row = rows[example, adapter, corruption, severity]
            assert (row["is_correct"], row["flipped"]) == (correct, False)


def test_a_corruption_that_darkens_flips_those_that_were_right_and_only_those(monkeypatch: pytest.MonkeyPatch) -> None:
    def black(image: np.ndarray, name: str, severity: int, rng: np.random.Generator) -> np.ndarray:
        return image if name == "none" else np.zeros_like(image)

    monkeypatch.setattr(ood.picture_shifts, "corrupt", black)  # a corruption whose effect is known: it turns every picture black
    rows = {key(row): row for row in exposed([255, 255], [0, 1])}
    cell = {(row["example_id"], row["adapter_id"]): row for row in rows.values() if row["corruption"] == "ki_contrast"}
    told = {key: (row["is_correct"], row["flipped"]) for key, row in cell.items()}
    # bright answers 0 to white and 1 to black; dark the opposite. e0 is 0, e1 is 1.
    assert told == {
        ("e0", "bright"): (False, True), ("e1", "bright"): (True, False), ("e0", "dark"): (True, False), ("e1", "dark"): (False, True),
    }  # fmt: skip
    assert not any(row["flipped"] for row in rows.values() if row["corruption"] == "none")


def test_each_picture_is_corrupted_once_per_cell_for_all_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, int]] = []
    real = ood.picture_shifts.corrupt

    def counted(image: np.ndarray, name: str, severity: int, rng: np.random.Generator) -> np.ndarray:
        made.append((name, severity))
        return real(image, name, severity, rng)

    monkeypatch.setattr(ood.picture_shifts, "corrupt", counted)
    toy = scoring()
    exposed([10, 200, 90], [0, 1, 0], toy=toy)
    assert sorted(made) == sorted(cell for cell in CELLS for _ in range(3))
    assert sorted(toy.calls) == sorted((adapter.adapter_id, 3) for adapter in ADAPTERS for _ in CELLS)


def test_what_is_not_asked_for_is_not_given_and_the_clean_answer_is_computed_all_the_same() -> None:
    toy = scoring()
    rows = exposed([255, 0], [0, 1], [[1], []], toy)  # one example, adapter bright under ki_contrast 3; nothing of the other
    assert [key(row) for row in rows] == [("e0", "bright", "ki_contrast", 3)]
    assert {name for name, _ in toy.calls} == {"bright"}  # an adapter without work is not asked
    assert len(toy.calls) == 2  # clean, for `flipped`, and the cell


def test_noise_belongs_to_the_example_not_to_its_neighbours_or_the_adapter() -> None:
    together = {key(row): row for row in exposed([120, 130, 140], [0, 1, 0])}
    noisy = [row for row in exposed([120], [0]) if row["corruption"] == "ki_gaussian_noise"]
    assert len(noisy) == 2
    for row in noisy:
        assert row == together[key(row)]
    bright, dark = (together["e0", adapter, "ki_gaussian_noise", 1] for adapter in ("bright", "dark"))
    # The same picture: the two adapters are each other's mirror, so they must be equally sure of opposite labels.
    assert bright["predicted_id"] != dark["predicted_id"] and bright["confidence"] == dark["confidence"]


def test_logits_that_are_not_finite_make_a_rejected_row_and_leave_the_neighbours_alone() -> None:
    rows = {key(row): row for row in exposed([255, 100], [0, 0], toy=scoring(nonfinite_above=0.9))}
    for (example, *_), row in rows.items():
        assert row["error_code"] == ("nonfinite" if example == "e0" else None)
        assert (row["predicted_id"] is None) == (example == "e0")


def test_the_parameter_is_that_of_the_corruption_at_this_severity() -> None:
    for row in exposed([100], [0]):
        expected = by_name(str(row["corruption"])).value(int(str(row["severity"])))
        assert row["parameter"] == expected, row["corruption"]
    assert {row["parameter"] for row in exposed([100], [0]) if row["corruption"] == "ki_contrast"} == {0.15}  # METHODS 3: 0.7 / 0.4 / 0.15


def test_an_answer_has_the_same_bits_alone_and_among_neighbours_in_every_memory_order() -> None:
    # Picking labels by name leaves the columns one behind the other in memory; numpy would then add a row's ten terms in another order
    # than for one row alone, and confidences differed in the last bit with the size of the Arrow batch.
    logits = np.random.default_rng(1).normal(size=(64, 10)).astype(np.float32)
    together = answers_of(np.asfortranarray(logits)).confidence
    alone = [answers_of(logits[row : row + 1]).confidence[0] for row in range(len(logits))]
    np.testing.assert_array_equal(together, alone)


def test_an_empty_batch_gives_nothing() -> None:
    plan = exposure(scoring(), CorruptionSettings())
    assert list(expose(iter([]), plan)) == []
    assert isinstance(batch([], [], []), pa.RecordBatch)
