"""Which line through p(target) of drawn masks fits best near the intact input?"""

from __future__ import annotations

from xai.estimate import Estimate
from xai.fits.lime import LIME_FIT, LimeFit, fit_lime
from xai.records import Method
from xai.units import BatchIncluded, Keep
from xai.value import Value, evaluated

METHOD = Method(
    name="lime",
    modalities=("image", "text"),
    category="perturbation",
    needs="value",
    unit="p(target)",
    paper="Ribeiro et al. 2016; METHODS 9",
    direction="signed",
    forwards="n",
)


def lime(value: Value, masks: Keep, included: BatchIncluded, settings: LimeFit = LIME_FIT) -> Estimate:
    """LIME's slopes of p(target) under drawn masks: p per unit, unbounded, higher speaks for the target; 0 on excluded units.

    `masks` come from `xai.masks.drawn_masks` with the same `included`, `value` fixes target and baseline. `xai.fits.fit_lime` says what
    is solved and what `error` is, and does it from p alone. Raises ValueError on masks that do not fit.
    """
    return fit_lime(masks, evaluated(value, masks), included, settings).single()
