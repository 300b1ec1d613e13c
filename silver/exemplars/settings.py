"""Which heads name training examples, how many, and which examples may not be named?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.provenance.training import ProvenanceTraining
from silver.exemplars.specs import KNN
from xai.attribution import METHODS
from xai.inversion import OUTPUT_ECHO

TAKEN = frozenset({KNN, OUTPUT_ECHO, *(method.name for method in METHODS)})


class HeadSettings(BaseModel):
    """A provenance network over the frozen embeddings of the backbone: a class head, and an index head over the training examples."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40, description="its own, no attribution method's and not knn")
    variant: Literal["class_conditional", "two_branch", "single_branch"] = Field(
        default="class_conditional",
        description="chooses among the training examples of the class that it tells, or among all with layers of its own, or on the class "
        "head's layers",
    )
    seed: int = Field(default=0, ge=0, description="of weights and the order of training")
    hidden: int = Field(default=256, ge=1, description="width of the layer over the embedding, and of the index head's own")
    training: ProvenanceTraining = Field(default=ProvenanceTraining(), description="loss, optimiser and epochs; without `shift`")

    @field_validator("name")
    @classmethod
    def _no_method(cls, value: str) -> str:
        if value in TAKEN:
            raise ValueError(f"a head's name stands beside those of methods, and {value!r} is taken; {KNN} is always computed")
        return value

    @field_validator("training")
    @classmethod
    def _of_vectors(cls, value: ProvenanceTraining) -> ProvenanceTraining:
        if value.shift:
            raise ValueError(f"training.shift moves pictures, and an embedding is none; found {value.shift}, leave it out")
        return value


class ExemplarSettings(BaseModel):
    """Which training examples stand behind each meta example: silver.heads, silver.exemplars, and metric_group `provenance` of
    silver.explanation_metrics. Without a head nothing is computed; with one, the nearest neighbours are asked too, as head `knn`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heads: tuple[HeadSettings, ...] = Field(default=(), description="provenance networks, each with a name of its own")
    k: int = Field(default=5, ge=1, description="training examples named per example; more are more rows, those that are there stay")
    withdrawn: tuple[str, ...] = Field(
        default=(), description="example_ids of training examples that are named no more, although heads have learned from them"
    )

    @model_validator(mode="after")
    def _names_differ(self) -> ExemplarSettings:
        names = [head.name for head in self.heads]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"names of heads must differ, found {', '.join(twice)} more than once")
        return self
