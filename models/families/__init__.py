"""Which architectures can be a vision backbone? Adding one is one file here and one entry in the tuple."""

from __future__ import annotations

from models.errors import ArtifactError
from models.families import dinov2, dinov2_registers, vit
from models.families.family import Family

FAMILIES: tuple[Family, ...] = (dinov2.FAMILY, dinov2_registers.FAMILY, vit.FAMILY)


def family_named(name: str) -> Family:
    """The family whose `model_type` is `name`. Raises ArtifactError `bad_config` naming those there are."""
    for family in FAMILIES:
        if family.name == name:
            return family
    known = ", ".join(family.name for family in FAMILIES)
    raise ArtifactError("bad_config", f"model_type must be one of {known}; found {name!r}. Nothing is imported from a configuration.")
