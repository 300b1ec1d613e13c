"""A small RoBERTa over whole words, fed with their embeddings so that these can be poked."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class WordNet(nn.Module):
    """Embedded words [b, units, width] -> scores [b, outputs], by transformers' RoBERTa with a CLS token in front.

    `words(ids)` are the embeddings of words; id 0 is any word that is not known, and stays zero. No dropout, so training is repeatable with
    its seed.
    """

    def __init__(self, vocabulary: int, width: int, outputs: int, depth: int = 2, heads: int = 4, longest: int = 64) -> None:
        from transformers import RobertaConfig, RobertaForSequenceClassification

        super().__init__()
        config = RobertaConfig(  # type: ignore[call-arg]  # keys of its parent
            vocab_size=vocabulary, hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, intermediate_size=2 * width,
            num_labels=outputs,
            pad_token_id=0, max_position_embeddings=longest + 4, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
            attn_implementation="eager",
        )  # fmt: skip
        self.model: Any = RobertaForSequenceClassification(config)
        self.words = self.model.get_input_embeddings()
        self.cls = nn.Parameter(0.02 * torch.randn(width))

    def forward(self, inputs: torch.Tensor, included: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._answer(inputs, included, False).logits
        return found

    def attentions(self, inputs: torch.Tensor, included: torch.Tensor) -> list[torch.Tensor]:
        """Attention after softmax of every layer, first to last: [b, heads, 1 + units, 1 + units]."""
        return list(self._answer(inputs, included, True).attentions)

    def _answer(self, inputs: torch.Tensor, included: torch.Tensor, attentions: bool) -> Any:
        first = self.cls.expand(len(inputs), 1, -1)
        seen = torch.cat([torch.ones(len(inputs), 1, dtype=torch.bool), included], dim=1)
        return self.model(inputs_embeds=torch.cat([first, inputs], dim=1), attention_mask=seen.long(), output_attentions=attentions)
