"""What does each unit add to p(target) on average over all orders in which units can appear?"""

from __future__ import annotations

from xai.estimate import Estimate
from xai.fits.design import SHAPLEY_FIT, ShapleyFit, shapley_design
from xai.fits.shapley import fit_shapley
from xai.records import Method
from xai.units import BatchIncluded, Keep
from xai.value import Value, evaluated

METHOD = Method(
    name="kernel_shap",
    modalities=("image", "text"),
    category="perturbation",
    needs="value",
    unit="p(target)",
    paper="Lundberg and Lee 2017; METHODS 9",
    direction="signed",
    forwards="2^N up to 10 units, else n + 1",
)


def kernel_shap(value: Value, masks: Keep, included: BatchIncluded, settings: ShapleyFit = SHAPLEY_FIT) -> Estimate:
    """Shapley values of p(target): they sum to p(everything) - p(nothing); higher speaks for the target; 0 on excluded units.

    Exact for short examples, whose every coalition is asked; for others from `masks` of `xai.masks.drawn_masks` and the empty mask.
    `value` fixes target and baseline and should be deduplicated, since examples of one batch need unlike numbers of masks.
    `xai.fits.fit_shapley` says what is solved and what `error` is. Raises ValueError on masks that do not fit.
    """
    design = shapley_design(masks, included, settings)
    return fit_shapley(design, evaluated(value, design.keep), included, settings).single()
