"""Do the applications of provenance networks agree with scikit-learn and torch's autograd?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gold.provenance.causal import leave_out
from gold.provenance.frozen_head import fit_head


@pytest.mark.parametrize(("n", "d"), [(120, 8), (30, 50)], ids=["more examples than numbers", "fewer"])
def test_heads_fitted_without_some_examples_are_scikit_learns(n: int, d: int) -> None:
    rng = np.random.default_rng(3)
    labels = np.r_[np.arange(4), rng.integers(0, 4, n - 4)]
    features = (rng.standard_normal((4, d))[labels] + rng.standard_normal((n, d))).astype(np.float32)
    asked, targets = rng.standard_normal((5, d)).astype(np.float32), rng.integers(0, 4, 5)
    removed = np.stack([rng.choice(np.arange(4, n), (2, 5), replace=False) for _ in range(5)])
    l2 = 0.4

    def peer(kept: np.ndarray) -> np.ndarray:
        model = LogisticRegression(C=1 / l2, solver="newton-cg", tol=1e-8, max_iter=1000)
        return np.asarray(model.fit(features[kept].astype(np.float64), labels[kept]).predict_proba(asked))

    whole, found = peer(np.arange(n)), leave_out(fit_head(features, labels, 4, l2), asked, targets, removed)
    for t, r in np.ndindex(5, 2):
        expected = peer(np.setdiff1d(np.arange(n), removed[t, r]))[t, targets[t]] - whole[t, targets[t]]
        assert found[t, r] == pytest.approx(expected, abs=1e-5)  # what scikit-learn's own stopping leaves
    assert np.abs(found).max() > 1e-3
