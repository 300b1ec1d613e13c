"""What did each unit give to the target's logit, on the way from nothing to the input?"""

from __future__ import annotations

import numpy as np

from xai.estimate import Estimate
from xai.records import Method
from xai.units import BatchIncluded, BatchUnits, finite_rows

METHOD = Method(
    name="ig",
    modalities=("image", "text"),
    category="gradient",
    needs="gradient",
    unit="logit of the target",
    paper="Sundararajan et al. 2017; METHODS 5 and 9",
    direction="signed",
    forwards="one per step, each with its gradient",
)


def ig(integrated: BatchUnits, included: BatchIncluded) -> Estimate:
    """Integrated gradients of the target's logit, summed into units: signed, unbounded, higher speaks for the target; error 0.

    `integrated` [batch, units] is what the model's gradients give along the path, midpoint rule (words: of the word embeddings, from zero,
    `models.text_scorer`; patches: of the pixels, from the baseline's picture, `models.image_path`). Over all units, and what gives its
    share but is no unit (special tokens), it sums to logit(x) - logit(baseline) up to the rule's error, which is no sampling error.
    Excluded units are 0; an example that is not finite is NaN, never 0. Raises ValueError when shapes differ.
    """
    if integrated.ndim != 2 or integrated.shape != included.shape:
        raise ValueError(f"ig needs integrated gradients of the shape of `included`, {included.shape}, got {integrated.shape}")
    known = finite_rows(integrated, included)
    unknown = np.where(known, 0.0, np.nan)
    values = np.where(included, np.where(known[:, None], integrated, np.nan), 0.0)
    return Estimate(values, np.where(included, unknown[:, None], 0.0), unknown).single()
