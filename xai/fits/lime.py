"""Which line fits p best near the intact input?"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from xai.estimate import Estimate, Packed, PackedP, checked, fitted
from xai.fits.least_squares import X, ridge
from xai.ragged import Group
from xai.units import BatchIncluded, Keep, Probability, Probability64


class LimeFit(BaseModel):
    """How LIME's line is fitted; part of the settings that identify a row.

    `ridge`: penalty λ on the squared slopes. `width`: of the kernel, in shares of units removed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ridge: float = Field(default=1.0, gt=0.0)
    width: float = Field(default=0.25, gt=0.0)


LIME_FIT = LimeFit()


def fit_lime(keep: Keep, p: Probability, included: BatchIncluded, settings: LimeFit = LIME_FIT) -> Estimate:
    """Slopes of a weighted ridge of p on visibility with a free, unpenalised intercept: p per unit, higher speaks for the target.

    A mask's weight is sqrt(exp(-d² / width²)), d = share of the included units removed, and multiplies its squared residual, as in the
    `lime` package; captum's exp(-d² / (2 width²)) is the same number in the same place. We differ from both in d (theirs: a cosine or
    Euclidean distance). A text of one word, always shown whole, has slope 0. Nothing is clipped. Errors are the delete-one jackknife
    over drawn masks. Raises ValueError on shapes that do not fit. Source: Ribeiro et al. 2016; METHODS 9.
    """
    answers = checked(keep, p, included)

    def fit(group: Group, known: Probability64) -> tuple[Packed, Packed]:
        x = group.of_masks(keep).astype(np.float64)
        return ridge(x, known[group.rows], proximity(x, settings.width), settings.ridge, intercept=True)

    return fitted(answers, included, fit)


def proximity(x: X, width: float) -> PackedP:
    """sqrt(exp(-d² / width²)) of masks [group, masks, size], d = share removed: 1 for the intact input, falling with what is hidden."""
    removed = 1.0 - x.mean(axis=2)
    weights: PackedP = np.exp(-0.5 * (removed / width) ** 2)
    return weights
