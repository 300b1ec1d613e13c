"""How is a RoBERTa fed and read? Positions are counted from behind the padding's; its classifier reads CLS (Liu et al., 1907.11692)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from models.text_families.bert import RENAMES
from models.text_families.text_family import TextFamily, bert_block, encoder_embeddings, encoder_layers, mean_head

# Buffers that older versions saved, the pooler that no head reads, and the head of pre-training.
IGNORED = ("embeddings.position_ids", "embeddings.token_type_ids", "pooler.", "lm_head.")


def classes() -> tuple[Any, Any]:
    """Configuration and classifier class."""
    from transformers.models.roberta.configuration_roberta import RobertaConfig
    from transformers.models.roberta.modeling_roberta import RobertaForSequenceClassification

    return RobertaConfig, RobertaForSequenceClassification


def mean_classes() -> tuple[Any, Any]:
    """The same with a head over the mean token."""
    from transformers.models.roberta.configuration_roberta import RobertaConfig

    from models.text_families.mean_pooled import RobertaForMeanClassification

    return RobertaConfig, RobertaForMeanClassification


def positions(attended: torch.Tensor, config: Any) -> torch.Tensor:
    """From the padding's id on: pad + 1, pad + 2, … over the tokens attended, the padding's own id at padding."""
    counted = attended.long().cumsum(dim=1) * attended
    return counted + int(config.pad_token_id)


def head(model: Any, hidden: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """CLS through the classifier's two layers."""
    logits: torch.Tensor = model.classifier(hidden)
    return logits


FAMILY = TextFamily(
    name="roberta",
    prefix="roberta",
    classes=classes,
    renames=RENAMES,
    ignored=IGNORED,
    head_modules=("classifier.dense", "classifier.out_proj"),
    model_type="roberta",
    pooling="cls",
    specials={"cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"},
    n_positions=lambda config: int(config.max_position_embeddings) - int(config.pad_token_id) - 1,
    positions=positions,
    embeddings=encoder_embeddings,
    layers=encoder_layers,
    block=bert_block,
    head=head,
)
MEAN = replace(FAMILY, name="roberta_mean", classes=mean_classes, head_modules=("classifier",), pooling="mean", head=mean_head)
