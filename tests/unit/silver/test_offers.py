"""Which folders below `adapters.folders` are offered as adapters?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.errors import MissingInputError
from silver.adapters.offers import foreign_offers


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
