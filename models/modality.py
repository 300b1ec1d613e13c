"""Which settings are meant where pictures and texts have different ones? Those of the modality that the reader gives."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from models.pretraining import PretrainSettings
from models.recipe import Recipe
from models.text_pretraining import TextPretrainSettings
from models.text_recipe import TextRecipe

MODALITIES = ("image", "text")


def modality_of_settings(value: Any) -> str | None:
    """`modality` of settings, plain or checked; those that say nothing are of pictures, as all were before there were texts."""
    found = value.get("modality", "image") if isinstance(value, dict) else getattr(value, "modality", None)
    return found if found in MODALITIES else None


AnyRecipe = Annotated[Annotated[Recipe, Tag("image")] | Annotated[TextRecipe, Tag("text")], Discriminator(modality_of_settings)]
AnyPretrainSettings = Annotated[
    Annotated[PretrainSettings, Tag("image")] | Annotated[TextPretrainSettings, Tag("text")], Discriminator(modality_of_settings)
]
