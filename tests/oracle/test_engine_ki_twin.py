"""Are the engine's four figures those of the KI study's own code: unmerged DoRA, eager attention, pixels, one forward per step?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.engine import FIGURES, explained
from benchmarks.ki_twin import study
from benchmarks.material import SMALL_LABELS, TINY, decoded, pictures
from benchmarks.varied import Varied, varied
from models.images import Preprocessing, normalise
from models.scorer import load_scorer
from xai.presets import KI

PIXELS = normalise(decoded(pictures(6), 56), Preprocessing(size=56, resize_to=56))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Varied:
    made = varied(tmp_path_factory.mktemp("engine"), TINY, SMALL_LABELS, PIXELS)
    model: Any = made.unmerged.base_model.model
    model.set_attn_implementation("eager")
    return made


def test_entropy_gini_deletion_and_insertion_are_the_studys_for_pictures_in_a_batch_and_alone(case: Varied) -> None:
    together = study(case.unmerged, PIXELS, 14)
    alone = study(case.unmerged, PIXELS[:1], 14)
    found = explained(load_scorer(case.backbone, case.merged, "float32", 4), PIXELS, KI)
    for figure in FIGURES:
        # float32 on both sides over two layers; areas are sums of 17 probabilities, deletion is divided by one
        np.testing.assert_allclose(found[figure], together[figure], atol=2e-5, rtol=1e-4, err_msg=figure)
        np.testing.assert_allclose(alone[figure], together[figure][:1], atol=2e-5, rtol=1e-4, err_msg=figure)
        assert np.std(together[figure]) > 1e-4  # pictures differ, so agreement says something
