"""Which parts of a configuration are of pictures, where a command can try only those?"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lake.errors import ConfigError

if TYPE_CHECKING:
    from models.backbone import Backbone
    from models.backbone_record import AnyBackbone
    from models.pretraining import PretrainSettings
    from models.recipe import Recipe
    from models.scoring import Scoring
    from models.text_pretraining import TextPretrainSettings
    from models.text_recipe import TextRecipe
    from models.text_scoring import TextScoring

T = TypeVar("T")


def picture_scoring(scoring: Scoring | TextScoring) -> Scoring:
    """The scoring, which must be of pictures. Raises ConfigError."""
    from models.scoring import Scoring

    return _of(scoring, Scoring)


def picture_backbone(backbone: AnyBackbone) -> Backbone:
    """The backbone, which must be of pictures. Raises ConfigError."""
    from models.backbone import Backbone

    return _of(backbone, Backbone)


def picture_recipe(recipe: Recipe | TextRecipe) -> Recipe:
    """The recipe, which must be for pictures. Raises ConfigError."""
    from models.recipe import Recipe

    return _of(recipe, Recipe)


def picture_pretraining(settings: PretrainSettings | TextPretrainSettings) -> PretrainSettings:
    """The settings, which must be of a backbone for pictures. Raises ConfigError."""
    from models.pretraining import PretrainSettings

    return _of(settings, PretrainSettings)


def _of(found: object, wanted: type[T]) -> T:
    if not isinstance(found, wanted):
        raise ConfigError("check, and the measuring part of --dry-run, try pictures; this dataset is of texts: --calibrate-seconds 0")
    return found
