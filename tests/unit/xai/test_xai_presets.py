"""Presets say what METHODS 2 and 9 say, and refuse what they do not know."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from lake.identity import settings_id
from silver.settings import ExplanationSettings
from xai.presets import DEFAULT, DEFAULT_TEXT, DROP_TEXT, FAMILIES, KI, PRESETS, Preset


def test_ki_is_the_study_and_the_default_has_one_baseline() -> None:
    assert KI.model_dump() == {
        "name": "ki",
        "step": None,
        "deletion_baseline": "mean",
        "insertion_baseline": "zero",
        "spacing": "even",
        "entropy_epsilon": 1e-10,
    }
    for preset, baseline in ((DEFAULT, "mean"), (DEFAULT_TEXT, "mask"), (DROP_TEXT, "drop")):
        assert preset.deletion_baseline == preset.insertion_baseline == baseline
        assert (preset.step, preset.spacing, preset.entropy_epsilon) == (None, "exact", 0.0)


def test_preset_names_are_unique() -> None:
    assert len({preset.name for preset in PRESETS}) == len(PRESETS) == 4


def test_a_step_is_a_tenth_of_the_units_and_at_least_one() -> None:
    n_units = np.array([1, 9, 10, 19, 25, 256], dtype=np.int64)
    np.testing.assert_array_equal(KI.steps(n_units), [1, 1, 1, 1, 2, 25])
    np.testing.assert_array_equal(Preset(name="mine", step=7).steps(n_units), [7] * 6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"step": 0},
        {"deletion_baseline": "black"},
        {"spacing": "log"},
        {"entropy_epsilon": -1e-9},
        {"entropy_epsilon": np.nan},
        {"steps": 3},
        {"families": ()},
        {"families": ("curves", "curves")},
        {"families": ("stability",)},
    ],
)
def test_unknown_keys_and_values_out_of_range_are_errors(wrong) -> None:
    with pytest.raises(ValidationError):
        Preset(name="mine", **wrong)


def test_a_preset_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        KI.step = 3


def test_settings_from_before_there_were_families_keep_their_hash() -> None:
    # Taken from the code as it was before the choice existed: picture rows of a lake stay the same rows.
    assert [settings_id(preset) for preset in (DEFAULT, KI)] == ["48e0a637281e968d", "6c9ef52e42f26aff"]
    assert settings_id(ExplanationSettings()) == "8303980fa1c0d2f6"


def test_families_are_a_set_and_part_of_the_settings_where_they_differ() -> None:
    assert DEFAULT_TEXT.families == FAMILIES and DEFAULT_TEXT.model_dump()["families"] == FAMILIES
    one, other = (Preset(name="mine", families=order) for order in (("removal", "complexity"), ("complexity", "removal")))
    assert one == other and settings_id(one) == settings_id(other) != settings_id(Preset(name="mine"))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_written_down_is_read_back(preset: Preset) -> None:
    assert Preset.model_validate(preset.model_dump(mode="json")) == preset
    assert Preset.model_validate_json(preset.model_dump_json()) == preset
