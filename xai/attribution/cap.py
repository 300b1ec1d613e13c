"""How strongly does each unit raise the label's score, by CAP's regression over drawn masks?"""

from __future__ import annotations

from xai.estimate import Estimate
from xai.fits.cap import CAP_FIT, CapFit, fit_cap
from xai.records import Method
from xai.units import BatchIncluded, Keep
from xai.value import Value, evaluated

METHOD = Method(
    name="cap",
    modalities=("image", "text"),
    category="perturbation",
    needs="value",
    unit="-1 / log p(target)",
    paper="CAP (Hybrid Attribution Priors for Explainable and Robust Model Training)",
    direction="signed",
    forwards="n",
)


def cap(value: Value, masks: Keep, included: BatchIncluded, settings: CapFit = CAP_FIT) -> Estimate:
    """CAP's scores α of p(target) under drawn masks: -1 / log p per unit, unbounded, higher speaks for the target; 0 if excluded.

    `masks` come from `xai.masks.drawn_masks` with the same `included`, `value` fixes target and baseline. `xai.fits.fit_cap` says what
    is solved, what `error` and `clipped` are, and does it from p alone. Raises ValueError on masks that do not fit.
    """
    return fit_cap(masks, evaluated(value, masks), included, settings).single()
