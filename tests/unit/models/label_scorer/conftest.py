"""Language models written once, or for one test to damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.language_models import save


@pytest.fixture(scope="session")
def saved_lm(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """(kind="llama", chat=False, **configuration) -> folder, written once per session: do not change it."""
    folders: dict[str, Path] = {}

    def make(kind: str = "llama", chat: bool = False, **settings: Any) -> Path:
        key = repr((kind, chat, sorted(settings.items())))
        if key not in folders:
            folders[key] = save(tmp_path_factory.mktemp(kind), kind, chat, **settings)
        return folders[key]

    return make


@pytest.fixture
def fresh_lm(tmp_path: Path) -> Callable[..., Path]:
    """The same in a folder of the test's own, to be damaged."""

    def make(kind: str = "llama", chat: bool = False, **settings: Any) -> Path:
        return save(tmp_path / "model", kind, chat, **settings)

    return make
