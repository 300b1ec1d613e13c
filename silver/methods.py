"""How are attributions computed that have a choice: under which masks, fits and steps, and at what price in forwards?"""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xai.fits import CapFit, LimeFit, ShapleyFit
from xai.masks import Masking
from xai.presets import Baseline

FROM_DRAWN_MASKS = ("lime", "cap")
DRAWN = (*FROM_DRAWN_MASKS, "kernel_shap")  # their values have a sampling error each, where there are too many units to list all masks


class MethodSettings(BaseModel):
    """What the methods beyond attention are told; part of what identifies rows of silver.attributions, all of it for every method.

    `masks`: one draw per example, shared by LIME, KernelSHAP and CAP, the same under every adapter. `ig_steps`: midpoints on the path
    of integrated gradients. `baseline`: what stands for a hidden unit: of words `mask`, the tokenizer's mask token, or `drop`, nothing; of
    patches `mean` (where it is left out), `zero`, `blur` or `drop`, whose picture integrated gradients start from (zero for `drop`).
    `shapley`: its keep_probability is that of the masks, which leads to the Shapley value; null is METHODS 9 to the letter, the Shapley
    kernel alone over masks that were not drawn by it, which is biased.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    masks: Masking = Field(default=Masking(), description="how masks are drawn")
    lime: LimeFit = Field(default=LimeFit(), description="how LIME's line is fitted")
    shapley: ShapleyFit = Field(default=ShapleyFit(keep_probability=Masking().keep_probability))
    cap: CapFit = Field(default=CapFit(), description="how CAP's scores are fitted")
    ig_steps: int = Field(default=32, ge=1)
    baseline: Baseline = "mask"
    seed: int = Field(default=0, ge=0, description="of the masks")

    @model_validator(mode="after")
    def _one_draw(self) -> MethodSettings:
        told, drawn = self.shapley.keep_probability, self.masks.keep_probability
        if told is not None and told != drawn:
            raise ValueError(
                f"shapley.keep_probability must be that of the masks, {drawn:g}, or null, found {told:g}: it says how they were drawn. "
                f"Set both"
            )
        return self


METHOD_SETTINGS = MethodSettings()


def forwards_per_example(methods: Collection[str], n_units: int, settings: MethodSettings) -> int:
    """Model calls for one example of `n_units` units under one adapter, each distinct one once, all of `methods` together.

    The most that can be: masks that are drawn twice, or are among those of occlusion, are asked once. A step of integrated gradients counts
    as one, and costs about three: its gradient goes back through the model.
    """
    drawn = bool({*FROM_DRAWN_MASKS} & set(methods))
    enumerated = n_units <= settings.shapley.enumerate_up_to
    masks: int = n_units if "occlusion" in methods else 0
    if drawn or ("kernel_shap" in methods and not enumerated):
        masks += settings.masks.n - 1
    if "kernel_shap" in methods:
        masks = int(2**n_units) - 1 if enumerated else masks + 1  # all but the intact example; or the draw and the empty mask
    masks = min(masks, int(2 ** min(n_units, 32)) - 1)  # no more than there are
    return 1 + masks + (settings.ig_steps if "ig" in methods else 0) + ("attention_rollout" in methods)
