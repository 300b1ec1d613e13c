"""How strongly does each word raise the label's score, by CAP's regression on -1 / log p?"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from xai.estimate import Estimate, Packed, checked, fitted
from xai.fits.least_squares import ridge
from xai.ragged import Group
from xai.units import BatchIncluded, Keep, Probability, Probability64


class CapFit(BaseModel):
    """How CAP scores are fitted; part of the settings that identify a row.

    `ridge`: penalty λ on the squared scores. `p_low`, `p_high`: p is clipped to this range first, for -1 / log p runs to 0 and infinity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ridge: float = Field(default=1.0, gt=0.0)
    p_low: float = Field(default=1e-6, gt=0.0, lt=1.0)
    p_high: float = Field(default=0.99, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _ordered(self) -> CapFit:
        if self.p_low >= self.p_high:
            raise ValueError(f"p_low must be below p_high, got {self.p_low} and {self.p_high}")
        return self


CAP_FIT = CapFit()


def fit_cap(keep: Keep, p: Probability, included: BatchIncluded, settings: CapFit = CAP_FIT) -> Estimate:
    """(MᵀM + λI) α = Mᵀz with z = -1 / log p, by Cholesky, no intercept: α per unit, unbounded, higher speaks for the label.

    `keep` are the rows of M (True = visible, the first all), `p` the label's probability under each, clipped to [p_low, p_high].
    Without an intercept a word that changes nothing still shares in z's level. `clipped` is the share of masks outside the range.
    Errors are the delete-one jackknife over drawn masks. Raises ValueError on shapes that do not fit. Source: CAP; METHODS 5 and 9.
    """
    answers = checked(keep, p, included)
    outside = ((answers < settings.p_low) | (answers > settings.p_high)).mean(axis=1)

    def fit(group: Group, known: Probability64) -> tuple[Packed, Packed]:
        z = -1.0 / np.log(np.clip(known[group.rows], settings.p_low, settings.p_high))
        return ridge(group.of_masks(keep).astype(np.float64), z, np.ones_like(z), settings.ridge, intercept=False)

    return fitted(answers, included, fit, outside)
