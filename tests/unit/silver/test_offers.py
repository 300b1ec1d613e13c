"""Which folders below `adapters.folders` are offered as adapters, and what is told of one?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.errors import MissingInputError
from models.text_recipe import TextRecipe
from models.text_scoring import TextScoring
from silver.adapters.offers import Offer, Zoo, foreign_offers, judge
from silver.settings import AdapterSettings
from tests.text_training_worlds import LABELS, recipe, tiny, trained


def test_every_folder_and_link_is_offered_but_hidden_ones_and_files(tmp_path: Path) -> None:
    for name in ("second", "first", ".cache", "_third"):
        (tmp_path / name).mkdir()
    (tmp_path / "note.txt").write_text("no adapter")
    (tmp_path / "link").symlink_to(tmp_path / "first")
    (tmp_path / ".hidden").symlink_to(tmp_path / "first")
    assert [offer.name for offer in foreign_offers([str(tmp_path)])] == ["_third", "first", "link", "second"]


def test_a_folder_that_is_not_there_is_missing_input(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"adapters\.folders"):
        foreign_offers([str(tmp_path / "nowhere")])


def test_a_text_model_trained_whole_is_registered_like_an_adapter_without_rank_alpha_or_scale(tmp_path: Path) -> None:
    backbone = tiny(tmp_path / "b")
    rows = {}
    for tuning in ("lora", "full"):
        result = trained(backbone, tmp_path / "adapters" / "texts" / tuning, recipe(tuning=tuning, epochs=1))
        zoo = Zoo("texts", LABELS, TextScoring(backbone, "float32", 8), AdapterSettings(), tmp_path)
        row, ready = judge(Offer(result.folder, zoo.store, tuning), zoo, set())
        assert row["status"] == "ready" and ready is not None, row["reason"]
        rows[tuning] = row
        # what the adapter was trained from can be read back from the row
        assert TextRecipe.model_validate_json(row["recipe_settings"]).deciding() == recipe(tuning=tuning, epochs=1).deciding()
    assert [rows["lora"][name] for name in ("rank", "alpha", "update_scale", "recipe")] == [4, 8.0, 4.0, "ce"]
    assert [rows["full"][name] for name in ("rank", "alpha", "update_scale", "recipe")] == [None, None, None, "ce"]
    assert rows["full"]["trainable_share"] == 1.0 > rows["lora"]["trainable_share"]
