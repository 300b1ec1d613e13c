"""A small lake made once, read by all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_lake import write_small_lake


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake ü # 5%")  # every path that is legal must work
    write_small_lake(root)
    return root
