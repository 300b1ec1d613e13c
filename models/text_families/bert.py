"""How is a BERT fed and read? Its classifier reads CLS through the pooler (Devlin et al., 1810.04805), a sentence encoder's the mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from models.text_families.text_family import TextFamily, bert_block, encoder_embeddings, encoder_layers, mean_head

# Checkpoints from before the library's rewrite name the layer norms' tensors as TensorFlow did.
RENAMES = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))
# Buffers that older versions saved, and the heads of pre-training.
IGNORED = ("embeddings.position_ids", "embeddings.token_type_ids", "cls.")


def classes() -> tuple[Any, Any]:
    """Configuration and classifier class."""
    from transformers.models.bert.configuration_bert import BertConfig
    from transformers.models.bert.modeling_bert import BertForSequenceClassification

    return BertConfig, BertForSequenceClassification


def mean_classes() -> tuple[Any, Any]:
    """The same with a head over the mean token."""
    from transformers.models.bert.configuration_bert import BertConfig

    from models.text_families.mean_pooled import BertForMeanClassification

    return BertConfig, BertForMeanClassification


def positions(attended: torch.Tensor, config: Any) -> torch.Tensor:
    """0, 1, 2, …, at padding too."""
    return torch.arange(attended.shape[1], device=attended.device).expand(attended.shape)


def head(model: Any, hidden: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """CLS through pooler and classifier."""
    logits: torch.Tensor = model.classifier(model.bert.pooler(hidden))
    return logits


FAMILY = TextFamily(
    name="bert",
    prefix="bert",
    classes=classes,
    renames=RENAMES,
    ignored=IGNORED,
    head_modules=("bert.pooler.dense", "classifier"),
    model_type="bert",
    pooling="cls",
    specials={"cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "mask": "[MASK]"},
    n_positions=lambda config: int(config.max_position_embeddings),
    positions=positions,
    embeddings=encoder_embeddings,
    layers=encoder_layers,
    block=bert_block,
    head=head,
)
MEAN = replace(
    FAMILY,
    name="bert_mean",
    classes=mean_classes,
    ignored=(*IGNORED, "pooler."),
    head_modules=("classifier",),
    pooling="mean",
    head=mean_head,
)
