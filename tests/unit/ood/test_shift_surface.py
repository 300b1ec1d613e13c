"""Do pictures and texts offer the pipeline one surface: the settings of their changes, their cells, and rows for people?"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lake.fill import Inputs
from lake.identity import settings_id
from models.backbone_record import TextBackbone
from models.text_backbone import resolve_text_backbone
from models.text_scoring import TextScoring
from ood.attack_settings import AttackSettings
from ood.attacks import ATTACKS
from ood.build import ood_settings
from ood.picture_shifts import PictureShifts
from ood.settings import CLEAN, CorruptionSettings
from ood.shift import Shifts
from ood.shift_rows import shift_rows
from ood.text_shifts import TextShifts
from tests.text_folders import save_family
from tests.unit.ood.attack_world import KEYWORDS
from tests.unit.ood.toy_adapters import ToyScoring, scoring
from xai.worlds.grammar import keeps_label

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LABELS = ("set", "cancel", "silent")
BACKBONE = TextBackbone("toy", Path(), None, "0" * 64, "bert", "cls", 8, 1, 64, ())
TEXTS = TextShifts(TextScoring(BACKBONE, "float32", 4), AttackSettings(seed=5), KEYWORDS, LABELS)


@dataclass(frozen=True)
class Fixed(ToyScoring):
    """Settings without versions of libraries, so that their hash can be written down."""

    def settings(self) -> dict[str, object]:
        return {"backbone_sha256": "0" * 64, "engine": 3}


def nothing() -> DataFrame:
    raise AssertionError("no test here reads examples")


META = Inputs("d", "e" * 16, "which ones", nothing, 0)
TOY = scoring()
FIXED = Fixed(TOY.backbone, TOY.preprocessing, TOY.limits, "float32", 4)


def test_the_rows_of_pictures_that_lakes_hold_keep_their_settings_id() -> None:
    """Written down from the version before texts: another hash would compute every lake's rows again."""
    own = ood_settings(META, FIXED, PictureShifts(FIXED, CorruptionSettings(seed=5)))
    assert own == {"backbone_sha256": "0" * 64, "engine": 3, "examples": "e" * 16, "apply_at": "model", "seed": 5}
    assert settings_id(own) == "0d6c28caf66731da"
    at_original = PictureShifts(FIXED, CorruptionSettings(apply_at="original", names=("fog",)))
    assert settings_id(ood_settings(META, FIXED, at_original)) == "cbcef09d6835d081"


def test_every_thing_that_decides_an_edit_and_nothing_else_is_part_of_the_settings_of_texts() -> None:
    own = ood_settings(META, TEXTS.scoring, TEXTS)
    assert own.items() >= TEXTS.scoring.settings().items() and own["examples"] == META.settings_id
    fewer = replace(TEXTS, attacks=AttackSettings(seed=5, names=("typos",), severities=(2,)))
    assert settings_id(ood_settings(META, fewer.scoring, fewer)) == settings_id(own)
    others = (
        replace(TEXTS, attacks=AttackSettings(seed=6)),
        replace(TEXTS, keywords=KEYWORDS.model_copy(update={"neutral": ("the",)})),
        replace(TEXTS, keeps_label=keeps_label),
        replace(TEXTS, scoring=TextScoring(BACKBONE, "bfloat16", 4)),
    )
    found = {settings_id(ood_settings(META, other.scoring, other)) for other in others}
    assert len(found | {settings_id(own)}) == 1 + len(others)


def test_another_version_of_the_edits_makes_new_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    before = TEXTS.settings()
    monkeypatch.setattr("ood.text_shifts.ENGINE", 0)
    assert settings_id(TEXTS.settings()) != settings_id(before)


@pytest.mark.parametrize("shifts", [PictureShifts(TOY, CorruptionSettings(names=("fog",))), TEXTS], ids=["pictures", "texts"])
def test_clean_comes_first_and_every_other_cell_is_a_row_for_people(shifts: Shifts) -> None:
    cells = shifts.cells()
    assert cells[0] == CLEAN and len(cells) == len(set(cells)) > 1
    rows = shift_rows(shifts)
    assert list(zip(rows["corruption"], rows["severity"], strict=True)) == list(cells[1:])
    assert [shifts.value(*cell) for cell in cells[1:]] == rows["value"].tolist()
    assert shifts.value(*CLEAN) is None
    assert rows["parameter"].str.len().min() > 0 and rows["expected_impact"].str.len().min() > 0
    with pytest.raises(ValueError, match="is called 'foggy'"):
        shifts.by_name("foggy")


def test_the_rows_of_attacks_are_those_of_their_records() -> None:
    # typos touches 10, 20, 40 % of the words (METHODS 6); KI's words for three severities are shallow, medium, heavy
    rows = shift_rows(replace(TEXTS, attacks=AttackSettings(names=("typos",)))).to_dict("records")
    parameter = "share of words touched (at least one per severity)"
    assert [tuple(row.values()) for row in rows] == [
        ("typos", 1, parameter, 0.1, "shallow"), ("typos", 2, parameter, 0.2, "medium"), ("typos", 3, parameter, 0.4, "heavy"),
    ]  # fmt: skip
    assert len(shift_rows(TEXTS)) == 3 * len(ATTACKS)
    [own] = shift_rows(replace(TEXTS, attacks=AttackSettings(names=())), ("natural:site",)).to_dict("records")
    assert own == {
        "corruption": "natural:site", "severity": 1, "parameter": None, "value": None, "expected_impact": "data of the user's own",
    }  # fmt: skip


def test_attacks_with_the_grammars_proof_ship_to_workers_and_edit_as_before(tmp_path: Path) -> None:
    backbone = resolve_text_backbone(str(save_family(tmp_path / "bert", "bert")))
    shifts = replace(TEXTS, scoring=TextScoring(backbone, "float32", 4), keeps_label=keeps_label)
    shipped = pickle.loads(pickle.dumps(shifts))  # noqa: S301  # our own bytes, as Spark ships them
    assert shipped == shifts and shipped.keeps_label is keeps_label
    for name, severity in shifts.cells():
        assert shipped.attacked("set an alarm", "set", "e", name, severity) == shifts.attacked("set an alarm", "set", "e", name, severity)
