"""Which architectures can be a text backbone? Adding one is one file here and one entry in the tuple."""

from __future__ import annotations

from models.errors import ArtifactError
from models.text_families import bert, roberta
from models.text_families.text_family import Pooling, TextFamily

TEXT_FAMILIES: tuple[TextFamily, ...] = (bert.FAMILY, bert.MEAN, roberta.FAMILY, roberta.MEAN)


def text_family_named(name: str) -> TextFamily:
    """The family of this name, as a TextBackbone has it. Raises ArtifactError `bad_config` naming those there are."""
    for family in TEXT_FAMILIES:
        if family.name == name:
            return family
    known = ", ".join(family.name for family in TEXT_FAMILIES)
    raise ArtifactError("bad_config", f"a text family must be one of {known}; found {name!r}.")


def text_family_of(model_type: str, pooling: Pooling) -> TextFamily:
    """The family of a config.json's `model_type` whose head reads `pooling`. Raises ArtifactError `bad_config` naming those there are."""
    for family in TEXT_FAMILIES:
        if (family.model_type, family.pooling) == (model_type, pooling):
            return family
    known = ", ".join(sorted({family.model_type for family in TEXT_FAMILIES}))
    raise ArtifactError("bad_config", f"model_type must be one of {known}; found {model_type!r}. Nothing is imported from a configuration.")
