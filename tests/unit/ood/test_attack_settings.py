"""Do the settings of attacks name existing cells only, each once?"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ood.attack_settings import AttackSettings
from ood.attacks import ATTACKS, CHARACTER, KEYWORD
from ood.settings import CLEAN


def test_all_attacks_at_all_severities_behind_the_clean_text_are_the_default() -> None:
    assert AttackSettings().names == (*KEYWORD, *CHARACTER)
    assert AttackSettings().cells() == (CLEAN, *((record.name, severity) for record in ATTACKS for severity in (1, 2, 3)))
    assert AttackSettings(names=()).cells() == (CLEAN,)


def test_sets_and_names_become_members_in_the_order_of_the_room_each_once() -> None:
    settings = AttackSettings(names=("typos", "keyword", "keyword_deletion"), severities=(1, 3))
    assert settings.names == (*KEYWORD, "typos")
    assert settings.cells() == (CLEAN, *((name, severity) for name in (*KEYWORD, "typos") for severity in (1, 3)))


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="did you mean typos"):
        AttackSettings(names=("typo",))
    with pytest.raises(ValidationError, match=r"severities must be among \[1, 2, 3\] for these attacks, found \[4\]"):
        AttackSettings(severities=(4,))
    with pytest.raises(ValidationError, match="Extra inputs"):
        AttackSettings.model_validate({"tries": 3})
