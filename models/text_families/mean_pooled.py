"""How does a sentence encoder become a classifier? A linear head over the mean token, which is what such encoders were trained to give.

The library's own classifiers read CLS (through a pooler that sentence encoders carry along untrained): on an encoder trained by its mean
token they start from the wrong place, and few shots do not bring them back.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertModel, BertPreTrainedModel
from transformers.models.roberta.configuration_roberta import RobertaConfig
from transformers.models.roberta.modeling_roberta import RobertaModel, RobertaPreTrainedModel

from models.text_families.text_family import mean_token


def attended_of(attention_mask: torch.Tensor | None, hidden: torch.Tensor) -> torch.Tensor:
    """bool[b,t] of any mask the library's models take: None (all), 0/1 [b,t], or additive [b,1,q,t] with 0 where attended."""
    if attention_mask is None:
        return torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
    if attention_mask.dim() == 4:
        return attention_mask[:, 0, 0] == 0
    return attention_mask.bool()


class _MeanClassification:
    """What both are: arguments and answer of the library's own classifier without its loss, read from the mean token."""

    def _add_head(self, config: Any) -> None:
        share = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dropout = nn.Dropout(share)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Token ids [b,t], or word embeddings [b,t,d] in their place -> logits [b,labels]."""
        own: Any = self
        hidden = own.base_model(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
        ).last_hidden_state
        pooled = mean_token(hidden, attended_of(attention_mask, hidden))
        return SequenceClassifierOutput(logits=own.classifier(own.dropout(pooled)))


class BertForMeanClassification(_MeanClassification, BertPreTrainedModel):  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    """BERT with a linear head over the mean token."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self._add_head(config)
        self.post_init()  # type: ignore[no-untyped-call]  # transformers leaves it untyped


class RobertaForMeanClassification(_MeanClassification, RobertaPreTrainedModel):  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    """RoBERTa with a linear head over the mean token."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self._add_head(config)
        self.post_init()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
