"""Which parts of a configuration are of texts, where code is for those alone? Each raises ConfigError for what is of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.pictures_only import narrowed

if TYPE_CHECKING:
    from models.backbone_record import AnyBackbone, TextBackbone
    from models.pretraining import PretrainSettings
    from models.scoring import Scoring
    from models.text_pretraining import TextPretrainSettings
    from models.text_recipe import TextRecipe
    from models.text_scoring import TextScoring
    from models.training_recipe import TrainingRecipe


def text_scoring(scoring: Scoring | TextScoring) -> TextScoring:
    """The scoring, which must be of texts."""
    from models.text_scoring import TextScoring

    return narrowed(scoring, TextScoring)


def text_backbone(backbone: AnyBackbone) -> TextBackbone:
    """The backbone, which must be of texts."""
    from models.backbone_record import TextBackbone

    return narrowed(backbone, TextBackbone)


def text_recipe(recipe: TrainingRecipe) -> TextRecipe:
    """The recipe, which must be for texts."""
    from models.text_recipe import TextRecipe

    return narrowed(recipe, TextRecipe)


def text_pretraining(settings: PretrainSettings | TextPretrainSettings) -> TextPretrainSettings:
    """The settings, which must be of a backbone for texts."""
    from models.text_pretraining import TextPretrainSettings

    return narrowed(settings, TextPretrainSettings)
