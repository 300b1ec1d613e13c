"""Which probe worlds are explained, how often, and under which pokes?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from xai.masks import Masking

WorldName = Literal["product", "linear", "adult", "shapes", "digits", "grammar"]


class SizeSettings(BaseModel):
    """`examples` are explained in each domain, beside each other under every psi; `trained_on` is how many a model learns from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tabular: int = Field(default=40, ge=2)
    image: int = Field(default=8, ge=2)
    text: int = Field(default=8, ge=2)


class InversionSettings(BaseModel):
    """Probe worlds: models trained where the truth is known, explained, poked, and tempted by an unused slot that echoes the output.

    `worlds`: none means that nothing is computed. `seeds`: of the models; intervals are over them. `psi`: how strongly the slot echoes, 0
    is the placebo. `pokes` of the whole input for R, `repeats` of each unit for Reproduce-by-Poking. `magnitude`: sd of a poke, share of a
    feature's size (of a word's embedding: of its norm). `p`: exponent of the inversion score. `masks`: of LIME and KernelSHAP.
    `enumerate_up_to`: units up to which Shapley values are exact. `sweep`: repeats and magnitudes whose scores gold.inversion_sweep shows,
    over `sweep_examples`. `adult`: folder of UCI Adult (train.csv, test.csv). `trained_on`: rows that a model learns from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    worlds: tuple[WorldName, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    examples: SizeSettings = SizeSettings()
    trained_on: int = Field(default=2000, ge=50)
    psi: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8)
    pokes: int = Field(default=20, ge=2)
    repeats: int = Field(default=3, ge=1)
    magnitude: float = Field(default=0.05, gt=0.0)
    p: float = Field(default=2.0, gt=0.0)
    masks: Masking = Masking(n=60)
    enumerate_up_to: int = Field(default=6, ge=0, le=10)
    ig_steps: int = Field(default=16, ge=1)
    background: int = Field(default=20, ge=1)
    sweep_repeats: tuple[int, ...] = (1, 3, 5, 10)
    sweep_magnitudes: tuple[float, ...] = (0.01, 0.05, 0.1)
    sweep_examples: int = Field(default=4, ge=0)
    level: float = Field(default=0.95, gt=0.0, lt=1.0)
    adult: str | None = None

    @field_validator("psi")
    @classmethod
    def _with_placebo(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if 0.0 not in value or len(set(value)) != len(value):
            raise ValueError(f"psi must hold 0, the placebo that others are measured against, and none twice, got {list(value)}")
        return tuple(sorted(value))

    @field_validator("seeds", "worlds")
    @classmethod
    def _distinct(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(value)) != len(value):
            raise ValueError(f"none may be named twice, got {list(value)}")
        return value
