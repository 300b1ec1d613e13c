"""Do our numbers equal those of libraries and of slow twins that know nothing of ours?"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.metrics import auc

from xai.attribution import attention
from xai.metrics import comprehensiveness, deletion, entropy, gini, insertion, sufficiency

SIZES = [2, 7, 16, 25, 256]


@pytest.fixture(params=SIZES)
def maps(request: pytest.FixtureRequest) -> np.ndarray:
    return np.random.default_rng(request.param).standard_t(2, size=(5, request.param))


@pytest.fixture
def value():
    """Interacting units: p = logistic of a quadratic form, far from additive, one p per mask in a plain loop."""
    rng = np.random.default_rng(9)
    pairs = rng.normal(size=(5, 256, 256)) / 16

    def p(row: int, mask: np.ndarray) -> float:
        n = len(mask)
        return 1 / (1 + math.exp(-float(mask @ pairs[row, :n, :n] @ mask)))

    return lambda keep: np.array([[p(row, mask.astype(float)) for mask in masks] for row, masks in enumerate(keep)])


def test_entropy_equals_scipys_in_base_n(maps) -> None:
    np.testing.assert_allclose(entropy(maps), scipy.stats.entropy(np.abs(maps), base=maps.shape[1], axis=1), atol=1e-12)


def test_gini_equals_half_the_relative_mean_absolute_difference(maps) -> None:
    size = np.abs(maps)
    differences = np.abs(size[:, :, None] - size[:, None, :]).mean(axis=(1, 2))
    np.testing.assert_allclose(gini(maps), differences / (2 * size.mean(axis=1)), atol=1e-12)


def test_areas_equal_sklearns_over_masks_made_one_by_one(maps, value) -> None:
    n = maps.shape[1]
    step = max(1, n // 10)
    stops = [*range(0, n, step), n]
    for row, order in enumerate(np.argsort(-maps, axis=1)):
        removed, revealed = np.ones((5, len(stops), n), dtype=bool), np.zeros((5, len(stops), n), dtype=bool)
        for point, stop in enumerate(stops):
            removed[row, point, order[:stop]] = False
            revealed[row, point, order[:stop]] = True
        x = [stop / n for stop in stops]
        assert deletion(maps, value).area[row] == pytest.approx(auc(x, value(removed)[row]), abs=1e-12)
        assert insertion(maps, value).area[row] == pytest.approx(auc(x, value(revealed)[row]), abs=1e-12)


def test_comprehensiveness_and_sufficiency_equal_sets_of_words_taken_one_by_one(maps, value) -> None:
    n = maps.shape[1]
    everything = set(range(n))

    def p(row: int, visible: set[int]) -> float:
        return value(np.array([[[unit in visible for unit in range(n)]]] * 5))[row, 0]

    for row in range(5):
        best = sorted(range(n), key=lambda unit: -maps[row, unit])
        tops = [set(best[: math.ceil(n * percent / 100)]) for percent in (1, 5, 10, 20, 50)]
        intact = p(row, everything)
        lost = sum(intact - p(row, everything - top) for top in tops) / 5
        kept = sum(intact - p(row, top) for top in tops) / 5
        assert comprehensiveness(maps, value)[row] == pytest.approx(lost, abs=1e-12)
        assert sufficiency(maps, value)[row] == pytest.approx(kept, abs=1e-12)


def test_attention_is_the_cls_row_of_torchs_averaged_attention() -> None:
    torch.manual_seed(0)
    layer, tokens = torch.nn.MultiheadAttention(24, 4, batch_first=True).eval(), torch.randn(3, 10, 24)
    with torch.no_grad():
        heads = layer(tokens, tokens, tokens, average_attn_weights=False)[1]
        mean = layer(tokens, tokens, tokens, average_attn_weights=True)[1]
    to_units = mean[:, 0, 2:].double()
    expected = (to_units / to_units.sum(-1, keepdim=True)).numpy()
    np.testing.assert_allclose(attention(heads[:, :, 0].numpy(), 2), expected, rtol=1e-6)  # torch averages in float32
