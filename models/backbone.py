"""Which vision backbone is this, exactly? Read from a folder, identified by content; how it becomes a classifier says models.classifier."""

from __future__ import annotations

from typing import Any

from models.backbone_record import Backbone
from models.classifier import classifier_state, config_of, new_classifier, new_head, on_meta
from models.errors import ArtifactError
from models.families import family_named
from models.folder import content_sha256, read_config, read_weights, weight_files
from models.hub import IMAGE_FILES, locate
from models.images import preprocessing_of
from models.roles import module_roles

__all__ = ["Backbone", "classifier_state", "module_roles", "new_classifier", "new_head", "on_meta", "resolve_backbone"]


def resolve_backbone(name_or_folder: str, revision: str | None = None) -> Backbone:
    """The backbone in a local folder in Hugging Face layout, inside an installed package (`package:<name>`), or under a hub name
    (downloaded once, then read from the cache).

    Raises ArtifactError: `not_a_file` (neither a folder nor reachable), `pickle`, `bad_safetensors`, `bad_config`.
    """
    folder, name, pinned = locate(name_or_folder, revision, IMAGE_FILES)
    files = weight_files(folder)
    config = read_config(folder / "config.json")
    family = family_named(str(config.get("model_type")))
    typed = config_of(family, config)
    size, patch = preprocessing_of(folder).size, _square(typed.patch_size)
    return Backbone(
        name=name,
        folder=folder,
        revision=pinned,
        sha256=content_sha256(config, read_weights(files)),
        family=family.name,
        image_size=size,
        patch_size=patch,
        hidden_size=int(typed.hidden_size),
        n_prefix=family.n_prefix(config),
        n_units=(size // patch) ** 2,
        n_layers=int(typed.num_hidden_layers),
    )


def _square(size: Any) -> int:
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise ArtifactError("bad_config", f"config.json: patch_size must be square, found {size}.")
    return int(sides.pop())
