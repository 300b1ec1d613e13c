"""Which provenance networks are trained on the dataset's pictures, and what is asked of them?"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt, field_validator, model_validator

from gold.provenance.arms import Arm, expanded
from models.provenance.training import ProvenanceTraining
from models.provenance.vae_training import VaeTraining

TRAINING = ProvenanceTraining(epochs=40, learning_rate=3e-3, shift=2)
Share = Annotated[float, Field(gt=0.0, le=1.0)]
ShareOrNone = Annotated[float, Field(ge=0.0, le=1.0)]
Application = Literal["robustness", "class_errors", "mislabels", "causal", "generation"]


def usable_seeds(value: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The seeds as they are; ValueError where generators would refuse one, or a network would be trained twice."""
    if value is not None and (not value or len(set(value)) != len(value) or min(value) < 0):
        raise ValueError(f"there must be a seed, none twice and none below 0, found {list(value)}")
    return value


class SeededArm(BaseModel):
    """A network and the seeds it is trained with; null: `seeds` of the study."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arm: Arm = Field(default=Arm(), description="the factors; in a file they stand beside `seeds`, lists are crossed")
    seeds: tuple[int, ...] | None = Field(default=None, description="its own; null: those of the study")

    _usable = field_validator("seeds")(usable_seeds)


class AdversarialSettings(BaseModel):
    """Attacks on the class head, within a bound on every pixel's change."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epsilons: tuple[NonNegativeFloat, ...] = Field(default=(0.05, 0.1, 0.2), description="largest change of a pixel, which is in 0..1")
    steps: int = Field(default=10, ge=1, description="of PGD, from a drawn start; one step is 2.5 epsilon / steps")
    examples: int = Field(default=500, ge=1, description="pictures of split meta that are attacked, those of the smallest ids")


class MislabelSettings(BaseModel):
    """Wrong labels put into the training set, to be found again."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    shares: tuple[Share, ...] = Field(default=(0.05, 0.1), description="share of training labels that are flipped")
    checked: tuple[Share, ...] = Field(
        default=(0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5), description="share of the training set that is looked at, worst first"
    )
    k: int = Field(default=10, ge=1, description="retrieved examples whose labels are compared with the example's own")


class CausalSettings(BaseModel):
    """Retraining without the retrieved examples, against retraining without random ones of the same class."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    k: tuple[PositiveInt, ...] = Field(default=(5, 20), min_length=1, description="examples taken out")
    examples: int = Field(default=60, ge=2, description="pictures of split meta, with the head retrained on frozen features")
    random_draws: int = Field(default=3, ge=1, description="of random sets of the same class")
    penalty: float = Field(default=1e-3, gt=0.0, description="L2 of the retrained head, per training example")
    whole_net_examples: int = Field(default=10, ge=0, description="pictures for which the whole network is retrained; 0: none")
    whole_net_subset: float = Field(default=0.1, gt=0.0, le=1.0, description="share of training pictures there")
    whole_net_k: int = Field(default=20, ge=1, description="examples taken out there")


class GenerationSettings(BaseModel):
    """A small VAE, with and without an index head."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subset: float = Field(default=0.3, gt=0.0, le=1.0, description="share of training pictures it learns from")
    generated: int = Field(default=64, ge=2, description="pictures drawn per seed that are judged")
    shown: int = Field(default=12, ge=1, description="of these as rows of gold.provenance_generated")
    training: VaeTraining = Field(default=VaeTraining(), description="of both, with equal first weights, batches and noise")


class ProvenanceSettings(BaseModel):
    """The conv net of the source on the pictures of split adapter_train, made grey and 28 x 28, judged on split meta.

    `arms`: a list of networks; a factor given as a list stands for one network each, several lists are crossed; `seeds` may differ per
    entry. Applications are asked of the first arm, and of those that differ from it in variant or teacher forcing alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    arms: tuple[SeededArm, ...] = Field(default=(), description="networks; none: nothing is computed")
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), description="of training and subsets; intervals are over them")
    training: ProvenanceTraining = Field(default=TRAINING, description="how each is trained; an arm's factors win")
    epoch_examples: int = Field(default=500, ge=1, description="training and meta pictures that are looked at after every epoch")
    applications: tuple[Application, ...] = Field(default=(), description="what is asked besides accuracy and membership")
    corruptions: tuple[str, ...] = Field(default=("ki",), description="robustness: names, or a group: ki, imagenet_c, all")
    wrong_conditions: tuple[ShareOrNone, ...] = Field(
        default=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5), description="class_errors: share of training inputs whose head is told a wrong class"
    )
    attacks: AdversarialSettings = Field(default=AdversarialSettings(), description="robustness: FGSM and PGD")
    mislabels: MislabelSettings = Field(default=MislabelSettings(), description="wrong labels")
    causal: CausalSettings = Field(default=CausalSettings(), description="the causal check")
    generation: GenerationSettings = Field(default=GenerationSettings(), description="traceable generation")
    resamples: int = Field(default=200, ge=20, description="bootstrap draws of membership inference's intervals")
    level: float = Field(default=0.95, gt=0.0, lt=1.0, description="of intervals")

    @field_validator("arms", mode="before")
    @classmethod
    def _crossed(cls, value: Any) -> Any:
        """Arms as a flat list: each of its own factors, lists crossed, none twice."""
        if not isinstance(value, (list, tuple)):
            return value
        found: dict[str, SeededArm] = {}
        for entry in value:
            if isinstance(entry, SeededArm):
                found.setdefault(repr(entry), entry)
                continue
            if not isinstance(entry, dict):
                raise ValueError(f"an arm is a record of factors such as {{variant: two_branch}}, found {entry!r}")
            entry = entry["arm"] | {"seeds": entry.get("seeds")} if isinstance(entry.get("arm"), dict) else entry
            for one in expanded(entry):
                seeds = one.pop("seeds", None)
                arm = SeededArm(arm=Arm.model_validate(one).canonical(), seeds=None if seeds is None else tuple(seeds))
                found.setdefault(repr(arm), arm)
        return tuple(found.values())

    _usable = field_validator("seeds")(usable_seeds)

    @model_validator(mode="after")
    def _once(self) -> ProvenanceSettings:
        pairs = self.tasks()
        if len({(repr(arm), seed) for arm, seed in pairs}) != len(pairs):
            raise ValueError("an arm is asked twice with one seed; give each once")
        if self.applications and not self.arms:
            raise ValueError(f"applications ({', '.join(self.applications)}) are asked of the first arm: name one, such as arms: [{{}}]")
        return self

    def tasks(self) -> list[tuple[Arm, int]]:
        """Every network that is trained, with its seed."""
        return [(one.arm, seed) for one in self.arms for seed in (self.seeds if one.seeds is None else one.seeds)]

    def is_examined(self, arm: Arm) -> bool:
        """The first arm, and those that differ from it in variant or teacher forcing alone."""
        first = self.arms[0].arm
        return arm == first.model_copy(update={"variant": arm.variant, "teacher_forcing": arm.teacher_forcing}).canonical()
