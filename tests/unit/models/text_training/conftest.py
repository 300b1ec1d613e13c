"""A tiny backbone and one adapter of every kind and tuning, trained once for the tests of this folder."""

from __future__ import annotations

import pytest

from models.backbone_record import TextBackbone
from models.trained_adapter import Trained
from tests.text_training_worlds import HOW, KINDS, tiny, trained


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> TextBackbone:
    return tiny(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="session")
def zoo(backbone: TextBackbone, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Trained]:
    root = tmp_path_factory.mktemp("zoo")
    return {(kind, tuning): trained(backbone, root / f"{kind}-{tuning}", HOW[kind](tuning=tuning)) for kind, tuning in KINDS}
