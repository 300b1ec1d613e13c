"""Toy models whose answers are known by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from xai.value import Value


def linear_value(weights: np.ndarray) -> Value:
    """p(keep) = sum of the weights [batch, units] of the visible units, so that the weights are the true attribution."""

    def value(keep: np.ndarray) -> np.ndarray:
        return np.einsum("bmu,bu->bm", keep.astype(np.float64), np.asarray(weights, dtype=np.float64))

    return value


@pytest.fixture
def linear() -> Callable[[np.ndarray], Value]:
    return linear_value
