"""Which attacks at which severities is every text adapter tried on, and how are the keywords for them found?"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ood.attacks import ATTACKS, CHARACTER, KEYWORD, by_name
from ood.keywords import KeywordSettings
from ood.settings import CLEAN

SETS = {"keyword": KEYWORD, "character": CHARACTER, "all": (*KEYWORD, *CHARACTER)}


class AttackSettings(BaseModel):
    """`names`: attacks, or the sets keyword, character, all. `severities`: those that are wanted; None: all of each attack.

    `seed` keys every edit with the example, the attack and the severity. `keywords`: how they are found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = Field(default=("all",), validate_default=True)  # the default is expanded as any other value
    severities: tuple[int, ...] | None = None
    seed: int = Field(default=0, ge=0)
    keywords: KeywordSettings = Field(default_factory=KeywordSettings)

    @field_validator("names")
    @classmethod
    def _expanded(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Sets become their members; the order is that of the room's tuple."""
        wanted = {member for name in value for member in (SETS[name] if name in SETS else (by_name(name).name,))}
        return tuple(record.name for record in ATTACKS if record.name in wanted)

    @model_validator(mode="after")
    def _severities_exist(self) -> AttackSettings:
        """A severity that no chosen attack has would vanish without a word."""
        known = {severity for name in self.names for severity in by_name(name).severities}
        if alien := sorted(set(self.severities or ()) - known):
            raise ValueError(f"severities must be among {sorted(known)} for these attacks, found {alien}")
        return self

    def cells(self) -> tuple[tuple[str, int], ...]:
        """(attack, severity) in the order of the room's tuple, clean first."""
        wanted = self.severities
        pairs = ((name, severity) for name in self.names for severity in by_name(name).severities)
        return (CLEAN, *((name, severity) for name, severity in pairs if wanted is None or severity in wanted))
