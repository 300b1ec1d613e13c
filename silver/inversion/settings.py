"""Of how many examples is it asked whether explanations are used or merely told, of which methods, and with how many pokes?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.pokes import MAGNITUDE
from silver.methods import MethodSettings
from xai.presets import BASELINES, Baseline

Control = Literal["random", "output_echo"]
CONTROLS: tuple[Control, ...] = ("random", "output_echo")


class PokingSettings(BaseModel):
    """Reliance R, faithfulness F, inversion score and Reproduce-by-Poking: metric_group `inversion` of silver.explanation_metrics.

    `n`: of the explained examples those of the `n` smallest ids, which are hashes of their contents. `methods`: of `explanations.methods`;
    null: all of them. `controls`: what is scored beside them; `random` draws anew for every poke, `output_echo` tells p(target) alone.
    `pokes`: of the whole input, for R. `repeats`: pokes of each unit alone, for Reproduce-by-Poking at the clean input. `strength`: lambda
    of Reproduce-by-Poking, scale-free. `magnitude`: of a poke, as a share of a pixel (not below that share of the training sd) or of the
    length of a word's embedding. `p`: order of the inversion score. `baseline`: what stands for the hidden unit in F; null: `mean` for
    pictures, for texts that of `method_settings`. `seed`: of the pokes, which are the same under every adapter.

    Forwards of one example of N units under one adapter: 3 + pokes + repeats N + N with attention and controls; a method that asks p under
    m masks adds up to m (1 + pokes + repeats N), occlusion (1 + pokes)(N + 1) + repeats N. Another `n`, or any other key but `methods` and
    `controls`, makes all rows anew.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    n: int = Field(default=64, ge=1)
    methods: tuple[str, ...] | None = None
    controls: tuple[Control, ...] = CONTROLS
    pokes: int = Field(default=20, ge=2)
    repeats: int = Field(default=3, ge=1)
    magnitude: float = Field(default=MAGNITUDE, gt=0, le=1)
    strength: float = Field(default=1.0, ge=0)
    p: float = Field(default=2.0, gt=0)
    baseline: Baseline | None = None
    seed: int = Field(default=0, ge=0)

    @field_validator("methods", "controls")
    @classmethod
    def _none_twice(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError(f"none may stand twice, got {', '.join(value)}")
        return value

    def defining(self) -> dict[str, object]:
        """What defines a row: all but which methods and controls have one."""
        return self.model_dump(mode="json", exclude={"methods", "controls"})


def check_inversion(asked: PokingSettings, methods: tuple[str, ...], modality: str) -> None:
    """Raises ValueError when a method is asked that is not among the explained `methods`, or a baseline that this modality has not."""
    if alien := [method for method in asked.methods or () if method not in methods]:
        raise ValueError(
            f"explanations.inversion.methods: {', '.join(alien)} must be among explanations.methods, found there {', '.join(methods)}"
        )
    if asked.baseline is not None and asked.baseline not in BASELINES[modality]:
        raise ValueError(
            f"explanations.inversion.baseline: {modality} inputs have {', '.join(BASELINES[modality])}, found {asked.baseline}"
        )


def removed_by(asked: PokingSettings, method_settings: MethodSettings, column: str) -> tuple[Baseline, Baseline]:
    """What stands for a hidden unit of inputs in this column, image or text: in F, and under the masks of a method."""
    own = method_settings.baseline
    masked: Baseline = own if own in BASELINES[column] else "mean"  # pictures that are asked for attention alone name none
    return asked.baseline or masked, masked
