"""A small text backbone, two adapters over it, and a count of what they are asked: made once for the tests of methods."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from safetensors.torch import save_file

from models.classifier import new_classifier
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_scorer import TextScorer
from models.text_scoring import TextScoring
from models.texts import Texts
from tests.text_folders import save_family
from tests.unit.silver.text_rows import ORDERS, Recording


@pytest.fixture(scope="session")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("backbone")
    return Recording(resolve_text_backbone(str(save_family(folder / "roberta", "roberta"))), "float32", 4, (16, 32))


@pytest.fixture(scope="session")
def adapters(scoring: TextScoring, tmp_path_factory: pytest.TempPathFactory) -> tuple[ScoredAdapter, ...]:
    path = tmp_path_factory.mktemp("merged") / "m.safetensors"
    state = new_classifier(scoring.backbone, ["x", "y", "z"], seed=4).requires_grad_(False).state_dict()
    save_file({name: 20 * tensor.clone() for name, tensor in state.items() if name.startswith("classifier.")}, path)
    return tuple(ScoredAdapter(name, str(path), order) for name, order in ORDERS.items())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many texts went through each of a scorer's clean forwards."""
    counted: Counter[str] = Counter()
    for name in ("logits", "explain", "integrated_gradients", "attention_maps"):
        real = getattr(TextScorer, name)

        def counting(self: TextScorer, texts: Texts, *more: Any, _real: Any = real, _name: str = name) -> Any:
            counted[_name] += len(texts)
            return _real(self, texts, *more)

        monkeypatch.setattr(TextScorer, name, counting)
    return counted
