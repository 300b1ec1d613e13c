"""Which choices define gold's numbers? KI's defaults (METHODS 4), each in one place; a YAML file says only what differs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, field_validator, model_serializer


class Frozen(BaseModel):  # no docstring: the documentation of every record would repeat it
    model_config = ConfigDict(frozen=True, extra="forbid")


class ForestSettings(Frozen):
    """KI's random forest; classes are balanced."""

    trees: int = Field(default=200, ge=1)
    depth: int = Field(default=12, ge=1)
    min_split: int = Field(default=5, ge=2)
    min_leaf: int = Field(default=2, ge=1)


class BoostSettings(Frozen):
    """KI's XGBoost; `scale_pos_weight` is always n_negative / n_positive of the rows it is fitted on."""

    trees: int = Field(default=200, ge=1)
    depth: int = Field(default=6, ge=1)
    learning_rate: float = Field(default=0.1, gt=0)
    subsample: float = Field(default=0.8, gt=0, le=1)
    colsample: float = Field(default=0.8, gt=0, le=1)
    l1: float = Field(default=0.1, ge=0)
    l2: float = Field(default=1.0, ge=0)
    gamma: float = Field(default=0.0, ge=0)
    min_child_weight: float = Field(default=1.0, ge=0)


class LogisticSettings(Frozen):
    """KI's logistic regression; classes are balanced, `c` is the inverse of the L2 strength."""

    c: float = Field(default=0.1, gt=0)
    max_iter: int = Field(default=1000, ge=1)


class SteeringSettings(Frozen):
    """How priors and steered trainings of texts are summed up.

    `pairs`: most confusable class pairs that are looked into. `top_words`: words listed per class and source. `least_share`: of a class's
    training texts that must hold a word for it to be the class's. `min_pairs`: pairs of trainings below which there is no verdict.
    `max_words`: texts of more words have no part in the tables about priors. `max_attributions`: rows of self-attributions that are read;
    beyond that a share of the texts by content hash.
    """

    pairs: int = Field(default=10, ge=1)
    top_words: int = Field(default=10, ge=1)
    least_share: float = Field(default=0.05, ge=0, le=1)
    min_pairs: int = Field(default=3, ge=2)
    max_words: int = Field(default=512, ge=1)
    max_attributions: int = Field(default=200_000, ge=1)


def _tuned() -> BoostSettings:
    return BoostSettings(
        trees=300, depth=4, learning_rate=0.05, subsample=0.7, colsample=0.7, l1=0.5, l2=2.0, gamma=0.1, min_child_weight=3.0
    )


class GoldSettings(Frozen):
    """Everything that defines a gold row besides its inputs.

    `max_rows` bounds the frame given to one task; `min_n` is the least number of rows and of examples below which a
    statistic is null; `method` names the attribution whose metrics are the features.
    """

    seed: int = 42
    method: str = "attention"
    protocols: tuple[Literal["ki", "grouped"], ...] = ("ki", "grouped")
    max_rows: int = Field(default=2_000_000, ge=1)
    min_n: int = Field(default=10, ge=3)
    n_folds: int = Field(default=5, ge=2)
    test_share: float = Field(default=0.2, gt=0, le=0.5)
    confidence_level: float = Field(default=0.95, gt=0, lt=1)
    bootstrap_resamples: int = Field(default=200, ge=20)
    permutation_repeats: int = Field(default=20, ge=1)
    permutation_model: Literal["RandomForest", "XGBoost", "XGBoost_Tuned", "LogisticRegression"] = "XGBoost"
    n_jobs: int = Field(default=1, ge=1)
    forest: ForestSettings = Field(default_factory=ForestSettings)
    boost: BoostSettings = Field(default_factory=BoostSettings)
    boost_tuned: BoostSettings = Field(default_factory=_tuned)
    logistic: LogisticSettings = Field(default_factory=LogisticSettings)
    steering: SteeringSettings = Field(default_factory=SteeringSettings)

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `steering` where it is the default: settings from before there were texts keep their hash."""
        written: dict[str, Any] = handler(self)
        if self.steering == SteeringSettings():
            written.pop("steering", None)
        return written

    @field_validator("boost_tuned", mode="before")
    @classmethod
    def _over_its_own_defaults(cls, value: Any) -> Any:
        """Keys that are given change KI's tuned values; without this the others would fall back to those of `boost`."""
        return _tuned().model_dump() | value if isinstance(value, dict) else value
