"""Which parts of a configuration are of pictures, where code is for those alone? `texts_only` is the same for texts."""

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
    from models.text_scoring import TextScoring
    from models.training_recipe import TrainingRecipe

T = TypeVar("T")


def picture_scoring(scoring: Scoring | TextScoring) -> Scoring:
    """The scoring, which must be of pictures. Raises ConfigError."""
    from models.scoring import Scoring

    return narrowed(scoring, Scoring)


def picture_backbone(backbone: AnyBackbone) -> Backbone:
    """The backbone, which must be of pictures. Raises ConfigError."""
    from models.backbone import Backbone

    return narrowed(backbone, Backbone)


def picture_recipe(recipe: TrainingRecipe) -> Recipe:
    """The recipe, which must be for pictures. Raises ConfigError."""
    from models.recipe import Recipe

    return narrowed(recipe, Recipe)


def picture_pretraining(settings: PretrainSettings | TextPretrainSettings) -> PretrainSettings:
    """The settings, which must be of a backbone for pictures. Raises ConfigError."""
    from models.pretraining import PretrainSettings

    return narrowed(settings, PretrainSettings)


def narrowed(found: object, wanted: type[T]) -> T:
    """`found`, which must be `wanted`. Raises ConfigError."""
    if not isinstance(found, wanted):
        raise ConfigError(f"this part of a configuration must be a {wanted.__name__}, found {type(found).__name__}: of the other modality")
    return found
