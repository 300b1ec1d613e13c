"""Which provenance networks are trained and compared, one factor at a time?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import product
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gold.provenance.selection import Selection
from models.provenance.network import Variant
from models.provenance.trunk import Size

Sharing = Literal["I", "II", "III", "IV"]
SHARED: dict[Sharing, int] = {name: place + 1 for place, name in enumerate(get_args(Sharing))}


class Arm(BaseModel):
    """One network. `subset`: the share of training pictures it learns from. `sharing`: conv block 1, 1-2, 1-3, or these and the first
    fully connected layer; nothing to say for plain and single_branch, which share everything."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    variant: Variant = Field(
        default="class_conditional",
        description="class head alone; both heads on one branch; on two; or the index head told the class, with slots of that class",
    )
    size: Size = Field(default="large", description="of the conv net: 8, 16, 32 or 64 channels in the first of three blocks")
    subset: float = Field(default=0.3, gt=0.0, le=1.0, description="share of the training pictures")
    selection: Selection = Field(default="stratified", description="how the subset is chosen; others by a plain net's features")
    sharing: Sharing = Field(default="III", description="layers that both heads share: conv block 1, 1-2, 1-3, or these and the next layer")
    alpha: float = Field(default=0.0, ge=0.0, le=1.0, description="probability that the index target is another picture of the class")
    lambda_class: float = Field(default=1.0, ge=0.0, description="weight of the class loss")
    lambda_index: float = Field(default=1.0, ge=0.0, description="weight of the index loss")
    teacher_forcing: bool = Field(default=True, description="false: in training a class-conditional head is told the predicted class")

    @model_validator(mode="after")
    def _says_what_it_does(self) -> Arm:
        if not self.teacher_forcing and self.variant != "class_conditional":
            raise ValueError(f"teacher_forcing is about class_conditional heads, found false for {self.variant}")
        return self

    def key(self) -> dict[str, object]:
        """The columns of gold that name this network, without the seed: factors that its variant does not have are those of the default."""
        own = self.canonical()
        level = "none" if own.variant == "plain" else "all" if own.variant == "single_branch" else own.sharing
        told = own.model_dump(exclude={"size", "sharing"})
        return told | {"model_size": own.size, "sharing_level": level}

    def canonical(self) -> Arm:
        """The same network under one name: what its variant does not read is set to the default."""
        idle: dict[str, Any] = {}
        if self.variant in ("plain", "single_branch"):
            idle["sharing"] = Arm.model_fields["sharing"].default
        if self.variant == "plain":
            idle |= {name: Arm.model_fields[name].default for name in ("alpha", "lambda_class", "lambda_index")}
        return self.model_copy(update=idle)

    @property
    def shared(self) -> int:
        return SHARED[self.sharing]


def expanded(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One entry of the configuration as single arms: factors given as lists are crossed. `seeds` stays a list. Raises ValueError for a
    factor that there is not, with the nearest one, for a list of none, and for seeds that are no list."""
    known = [*Arm.model_fields, "seeds"]
    for name, value in entry.items():
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            raise ValueError(f"unknown factor {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"))
        if isinstance(value, (list, tuple)) and not value:
            raise ValueError(f"{name}: a list of no values stands for no network; name one, or leave it out")
    if not isinstance(entry.get("seeds", []), (list, tuple, type(None))):
        raise ValueError(f"seeds must be a list of whole numbers such as [0], found {entry['seeds']!r}")
    lists = {name: value if isinstance(value, (list, tuple)) and name != "seeds" else [value] for name, value in entry.items()}
    for values in product(*lists.values()):
        yield dict(zip(lists, values, strict=True))
