"""Which cells does a configuration of corruptions stand for?"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ood.corruptions import CORRUPTIONS, IMAGENET_C, KI
from ood.settings import CLEAN, CorruptionSettings


def test_the_default_is_the_studys_three_corruptions_at_three_severities_behind_the_clean_input() -> None:
    cells = CorruptionSettings().cells()
    assert cells[0] == CLEAN
    assert sorted(cells[1:]) == sorted((name, severity) for name in KI for severity in (1, 2, 3))


def test_sets_and_names_mix_and_stand_in_the_rooms_order_once() -> None:
    found = CorruptionSettings(names=("ki_contrast", "all", "fog")).names
    assert found == tuple(record.name for record in CORRUPTIONS if record.name != "none")
    assert set(found) == {*KI, *IMAGENET_C}


def test_clean_is_always_there_and_never_twice() -> None:
    assert CorruptionSettings(names=("none", "ki_contrast"), severities=(1,)).cells() == (CLEAN, ("ki_contrast", 1))
    assert CorruptionSettings(names=()).cells() == (CLEAN,)


def test_a_severity_that_a_corruption_lacks_is_left_out_for_it_alone() -> None:
    cells = CorruptionSettings(names=("ki_contrast", "fog"), severities=(3, 5)).cells()
    assert sorted(cells[1:]) == [("fog", 3), ("fog", 5), ("ki_contrast", 3)]


@pytest.mark.parametrize(("given", "message"), [({"names": ["ki_contrasts"]}, "did you mean ki_contrast"), ({"sead": 1}, "Extra inputs")])
def test_what_is_unknown_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CorruptionSettings.model_validate(given)


def test_a_severity_that_no_chosen_corruption_has_is_refused_instead_of_vanishing() -> None:
    with pytest.raises(ValueError, match=r"severities must be among \[1, 2, 3\].*found \[9\]"):
        CorruptionSettings(names=("ki",), severities=(1, 9))
    assert len(CorruptionSettings(names=("all",), severities=(5,)).cells()) == 1 + 15  # KI's three end at 3, which is no fault
