"""What follows for a configuration from its reader giving pictures, or giving texts?"""

from __future__ import annotations

from typing import Any

from bronze.readers import READERS
from ood.text_shifts import KeepsLabel
from xai.worlds import grammar

TEXT_DEFAULTS = {"gold_metric_group": "default_text"}


def label_proof(reader: str) -> KeepsLabel | None:
    """What says that an edited text still has its label, where the truth is known: of the grammar's sentences its parser."""
    return grammar.keeps_label if reader == "intents" else None


def with_modality(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree of a configuration with `modality` written into every recipe and into `backbone.pretrain`, from its reader."""
    source = tree.get("source")
    name = source.get("reader") if isinstance(source, dict) else getattr(source, "reader", None)
    modality = next((reader.modality for reader in READERS if reader.name == name), None)
    if modality is None:  # an unknown reader is refused where it stands
        return tree
    filled = (TEXT_DEFAULTS if modality == "text" else {}) | tree
    if isinstance(adapters := tree.get("adapters"), dict) and isinstance(recipes := adapters.get("recipes"), (list, tuple)):
        filled["adapters"] = adapters | {"recipes": [_of(modality, recipe) for recipe in recipes]}
    if isinstance(backbone := tree.get("backbone"), dict) and "pretrain" in backbone:
        filled["backbone"] = backbone | {"pretrain": _of(modality, backbone["pretrain"])}
    return filled


def _of(modality: str, settings: Any) -> Any:
    return {"modality": modality} | settings if isinstance(settings, dict) else settings
