"""Which corruptions at which severities is every adapter tried on, and at what resolution are they applied?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ood.corruptions import CORRUPTIONS, IMAGENET_C, KI, by_name

CLEAN = ("none", 0)
SETS = {"ki": KI, "imagenet_c": IMAGENET_C, "all": (*KI, *IMAGENET_C)}


class CorruptionSettings(BaseModel):
    """`names`: corruptions, or the sets ki, imagenet_c, all. `severities`: those of each corruption's own that are wanted; None: all.

    `apply_at`: `model` corrupts after resize and crop, so that severity means the same for every file; `original` corrupts the
    file as it is, as the KI study did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = Field(default=("ki",), validate_default=True)  # the default is expanded as any other value
    severities: tuple[int, ...] | None = None
    apply_at: Literal["model", "original"] = "model"
    seed: int = Field(default=0, ge=0)

    @field_validator("names")
    @classmethod
    def _expanded(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Sets become their members; the order is that of the room's tuple."""
        wanted = {member for name in value for member in (SETS[name] if name in SETS else (by_name(name).name,))} - {CLEAN[0]}
        return tuple(record.name for record in CORRUPTIONS if record.name in wanted)

    @model_validator(mode="after")
    def _severities_exist(self) -> CorruptionSettings:
        """A severity that no chosen corruption has would vanish without a word."""
        known = {severity for name in self.names for severity in by_name(name).severities}
        if alien := sorted(set(self.severities or ()) - known):
            raise ValueError(f"severities must be among {sorted(known)} for these corruptions, found {alien}")
        return self

    def cells(self) -> tuple[tuple[str, int], ...]:
        """(corruption, severity), clean first."""
        wanted = self.severities
        pairs = ((name, severity) for name in self.names for severity in by_name(name).severities)
        return (CLEAN, *((name, severity) for name, severity in pairs if wanted is None or severity in wanted))
