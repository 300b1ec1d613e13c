"""Are the training examples that are named of the class that the model tells?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from xai.records import Metric
from xai.units import PerExample

EXEMPLAR_AGREEMENT = Metric(
    "exemplar_agreement", "provenance", "none", 0.0, 1.0, "share of those named", "Provenance Networks (arXiv 2510.03361), our reading"
)


def exemplar_agreement(
    labels: Int[NDArray[np.integer], "*batch k"],
    predicted: Int[NDArray[np.integer], "*batch"] | np.integer,
    there: Bool[NDArray[np.bool_], "*batch k"],
) -> PerExample:
    """Share of the named training examples (`there`) whose class is the predicted one: 1 all, 0 none. Null (NaN) without any.

    The true class is not asked for: an answer that no neighbour shares is doubtful before anybody knows whether it is wrong.
    """
    same = (labels == np.asarray(predicted)[..., None]) & there
    n = there.sum(axis=-1)
    return np.asarray(same.sum(axis=-1) / np.where(n > 0, n, np.nan))
