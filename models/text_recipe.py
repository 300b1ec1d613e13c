"""What defines one text adapter before it is trained?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.training_recipe import TrainingRecipe

Source = Literal["cap", "ig", "lime", "shap"]

# What only LoRA reads; with `tuning: full` none of it decides anything.
OF_LORA = frozenset({"rank", "alpha", "use_dora", "use_rslora", "dropout", "targets", "bias"})
FULL_LEARNING_RATE = 2e-5  # (choice)


class PriorRecipe(BaseModel):
    """Which attribution prior steers the training, and how hard (METHODS 5: CE + beta * ||a_p - a_s||^2).

    `sources`: any subset of cap, ig, lime, shap, whose order does not matter. `control`: `shuffled` moves the fused prior's numbers to
    other words of the text; `random` knows nothing, and has no sources. `fusion` and `n` are what `xai.priors.Fusion.way` and
    `xai.masks.Masking.n` are, with the same values allowed. Sources, control, fusion and n say what the prior was made of and are read by
    whoever makes it; the numbers themselves come with the training data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[Source, ...] = ()
    control: Literal["shuffled", "random"] | None = None
    fusion: Literal["mean", "max"] = Field(default="mean", description="how sources become one prior, word by word")
    beta: float = Field(default=1.0, ge=0, allow_inf_nan=False, description="weight of the attribution loss; 0 is cross-entropy alone")
    ig_steps: int = Field(default=8, ge=1, description="(choice) midpoints of the integrated gradients in the loss")
    n: int = Field(default=100, ge=3, description="masks behind the priors, the full text included; identity only")

    @field_validator("sources")
    @classmethod
    def _sorted(cls, value: tuple[Source, ...]) -> tuple[Source, ...]:
        if len(set(value)) != len(value):
            raise ValueError(f"sources must not repeat, found {', '.join(value)}")
        return tuple(sorted(value))

    @model_validator(mode="after")
    def _has_an_origin(self) -> Self:
        if (self.control == "random") == bool(self.sources):
            raise ValueError(f"a prior needs sources, a random one none; found control {self.control} and sources {list(self.sources)}")
        return self

    @property
    def arm(self) -> str:
        """The prior's name in tables: `cap+ig`, `shuffled:cap+ig`, `random`."""
        return ":".join(part for part in (self.control, "+".join(self.sources)) if part)


class TextRecipe(TrainingRecipe):
    """How one text adapter is trained: what `TrainingRecipe` says, by cross-entropy (`ce`) or steered by a prior (`cap_hybrid`).

    `tuning`: `lora`, which `cap_hybrid` takes without DoRA alone, or `full`, which trains every weight and reads nothing of LoRA's
    fields. `shots`: examples kept per label, those that hash lowest with `shots_seed`, so that 5 shots are among 10; a label with fewer
    keeps them all. The kept epoch is chosen on the whole validation split however few the shots (docs/decisions/0017).
    `label_noise`: share of the kept training examples, to the nearest whole number, that get a wrong label, by hash with
    `label_noise_seed`; validation stays true. `patience`: training stops after so many epochs in a row without a better accuracy on
    validation. `learning_rate`: 2e-5 with `tuning: full` where none is given, as usual for a pretrained encoder (1907.11692).
    """

    modality: Literal["text"] = Field(default="text", exclude=True, description="what the adapter reads; said by the dataset's reader")
    kind: Literal["ce", "cap_hybrid"] = Field(default="ce", description="`ce`: cross-entropy; `cap_hybrid`: steered by `priors` too")
    tuning: Literal["lora", "full"] = "lora"
    rank: int = Field(default=8, ge=1, description="rank of the LoRA matrices")
    priors: PriorRecipe | None = Field(default=None, description="the prior that steers; null with `ce`")
    shots: int | None = Field(default=None, ge=1)
    shots_seed: int = Field(default=0, ge=0, lt=2**63, description="chooses the shots, apart from `seed`")
    label_noise: float = Field(default=0.0, ge=0, lt=1)
    label_noise_seed: int = Field(default=0, ge=0, lt=2**63, description="chooses the wrong labels, apart from `seed`")
    patience: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _full_tuning_has_its_own_learning_rate(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("tuning") == "full":
            return {"learning_rate": FULL_LEARNING_RATE, **value}
        return value

    @model_validator(mode="after")
    def _priors_belong_to_cap_hybrid(self) -> Self:
        if (self.kind == "cap_hybrid") != (self.priors is not None):
            found = "none" if self.priors is None else self.priors.arm
            raise ValueError(f"recipe {self.name}: kind cap_hybrid needs priors and ce has none, found {self.kind} with priors {found}")
        return self

    @model_validator(mode="after")
    def _steered_gradients_are_derivatives(self) -> Self:
        if self.kind == "cap_hybrid" and self.tuning == "lora" and self.use_dora:
            raise ValueError(
                f"recipe {self.name}: kind cap_hybrid needs use_dora: false, found DoRA, under which peft's gradient of the attribution "
                "loss is not its derivative (docs/decisions/0017). Set use_dora: false, for the arms that it is compared with too, or "
                "tuning: full"
            )
        return self

    @property
    def arm(self) -> str:
        """The arm of an ablation that this is: `none`, or the prior's name."""
        return "none" if self.priors is None else self.priors.arm

    def deciding(self) -> dict[str, Any]:
        """Without what is not read: LoRA's fields under full tuning, seeds of what is not drawn."""
        unread = set(OF_LORA) if self.tuning == "full" else set()
        unread |= {"shots_seed"} if self.shots is None else set()
        unread |= set() if self.label_noise else {"label_noise_seed"}
        return {key: value for key, value in super().deciding().items() if key not in unread} | {"modality": "text"}


@dataclass(frozen=True)
class Choice:
    """Which examples of adapter_train a training sees, and under which labels (models.text_selection). Seeds of what is not drawn are 0,
    so that recipes which choose alike have equal choices."""

    train_share: float = 1.0
    shots: int | None = None
    shots_seed: int = 0
    label_noise: float = 0.0
    label_noise_seed: int = 0

    @classmethod
    def of(cls, recipe: TextRecipe) -> Self:
        """The recipe's choice."""
        return cls(
            recipe.train_share,
            recipe.shots,
            0 if recipe.shots is None else recipe.shots_seed,
            recipe.label_noise,
            recipe.label_noise_seed if recipe.label_noise else 0,
        )


def twin_of(recipe: TextRecipe) -> TextRecipe:
    """The cross-entropy-only twin on the same examples with the same seed, of which an IG prior is read (METHODS 5)."""
    plain = recipe.model_dump(exclude={"name", "kind", "priors"})
    return TextRecipe.model_validate({**plain, "name": f"{recipe.name[:95]}-twin"})
