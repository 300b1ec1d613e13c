"""How are attribution priors made, in all but the number of masks?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.label_scorer.settings import LabelScorerSettings
from models.label_scorer.training_settings import LabelScorerTraining
from xai.fits import SHAPLEY_FIT, CapFit, LimeFit, ShapleyFit
from xai.masks import MASKING, MOST_UNITS, Masking

STATED = "meta-llama/Meta-Llama-3-8B-Instruct"  # the language model of the CAP paper


class ScorerSource(BaseModel):
    """Which causal language model says p of a label: one by `name`, or a small Llama that this project trains (`train`).

    A trained one sees exactly the texts that the target's recipe is trained on, under the same labels, wrong ones too: one per
    selection of shots, share and label noise. One by name is used as it is, for every selection.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = Field(default=None, description="hub name or folder of a causal language model")
    revision: str | None = Field(default=None, description="commit or tag of a hub model")
    train: LabelScorerTraining | None = Field(default=None, description="settings of the small one that is trained here")
    threads: int = Field(default=1, ge=1, description="of its training; part of what makes it repeatable")

    @model_validator(mode="after")
    def _one_of_both(self) -> ScorerSource:
        if (self.name is None) == (self.train is None):
            raise ValueError(
                "give either scorer.name (hub name or folder) or scorer.train (settings of a small one), not both and not none"
            )
        if self.revision is not None and self.name is None:
            raise ValueError("scorer.revision belongs to scorer.name; a scorer that is trained here has none")
        return self


class ShapSettings(BaseModel):
    """The SHAP prior. `kernel`: `unbiased` divides the Shapley kernel by the chance of drawing each mask, so that many masks lead to the
    Shapley value; `literal` weighs drawn masks by the kernel alone, as METHODS 9 has it, which is biased for any keep-probability."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enumerate_up_to: int = Field(
        default=SHAPLEY_FIT.enumerate_up_to, ge=0, le=MOST_UNITS, description="texts of at most so many words are asked about every subset"
    )
    kernel: Literal["unbiased", "literal"] = "unbiased"


class PriorSettings(BaseModel):
    """All choices of METHODS 5 and 9 about priors except n, the number of masks, which is a recipe's own (`PriorRecipe.n`).

    Every recipe's n makes its own generation of silver.priors beside the others, so that one run can hold n = 50, 100 and 200; these
    settings are one per dataset. Clipping at 0 and fusion are not here: silver.priors holds raw values, and what a training makes of them
    is said by its recipe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scorer: ScorerSource = ScorerSource(name=STATED)
    scoring: LabelScorerSettings = Field(default=LabelScorerSettings(), description="prompt, what p of a label is, precision")
    keep_probability: float = Field(
        default=MASKING.keep_probability, ge=0.05, lt=1.0, description="(choice) chance of each word to be shown"
    )
    cap: CapFit = CapFit()
    lime: LimeFit = LimeFit()
    shap: ShapSettings = ShapSettings()
    ig_steps: int = Field(default=8, ge=1, description="(choice) midpoints of the IG prior")
    seed: int = Field(default=0, ge=0, lt=2**63, description="draws the masks, with the example's id")
    commit_texts: int = Field(default=1000, ge=1, exclude=True, description="texts between two commits: what a kill can cost")

    @model_validator(mode="after")
    def _one_prompt(self) -> PriorSettings:
        own = self.scorer.train
        if own is not None and "prompt" in own.model_fields_set and own.prompt != self.scoring.prompt:
            raise ValueError("scorer.train.prompt must be scoring.prompt, which it is trained for: leave it out of scorer.train")
        return self

    @property
    def training(self) -> LabelScorerTraining | None:
        """Settings of the scorer to be trained, with the prompt it will be asked; None for one by name."""
        own = self.scorer.train
        return None if own is None else own.model_copy(update={"prompt": self.scoring.prompt})

    @property
    def shapley(self) -> ShapleyFit:
        """The fit behind `shap`, which knows how masks are drawn."""
        drawn = self.keep_probability if self.shap.kernel == "unbiased" else None
        return ShapleyFit(enumerate_up_to=self.shap.enumerate_up_to, keep_probability=drawn)

    def masking(self, n: int) -> Masking:
        """How masks are drawn for a recipe's n, at least 3."""
        return Masking(n=n, keep_probability=self.keep_probability)
