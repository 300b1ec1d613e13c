"""Small random language models on disk, with tokenizers of their own, in the real architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from models.label_scorer.vocabulary import train_tokenizer

LABELS = ("cash", "cash withdrawal", "card_arrival", "why_was_my_transfer_declined_without_any_notice_at_all?", "atm")
CORPUS = (
    "I still have not received my new card", "where is my cash withdrawal", "the atm ate my card at noon", "cash",
    "[Instructions: Choose the label that fits the text best.][Given Labels: cash, cash withdrawal][Text: _ _ is not here]",
)  # fmt: skip
CHAT = "{{ bos_token }}<U>{{ messages[0]['content'] | trim }} ({{ date_string }})</U>{% if add_generation_prompt %}<A>{% endif %}"
SHAPE = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4,
    "max_position_embeddings": 512,
}  # fmt: skip


def architecture(kind: str) -> tuple[Any, Any]:
    """(configuration, model) classes of a model type."""
    if kind == "qwen2":
        from transformers.models.qwen2 import modeling_qwen2 as qwen2

        return qwen2.Qwen2Config, qwen2.Qwen2ForCausalLM
    if kind == "gpt2":
        from transformers.models.gpt2 import modeling_gpt2 as gpt2

        return gpt2.GPT2Config, gpt2.GPT2LMHeadModel
    if kind == "falcon":
        from transformers.models.falcon import modeling_falcon as falcon

        return falcon.FalconConfig, falcon.FalconForCausalLM
    from transformers.models.llama import modeling_llama as llama

    return llama.LlamaConfig, llama.LlamaForCausalLM


def save(folder: Path, kind: str = "llama", chat: bool = False, **settings: Any) -> Path:
    """Random weights large enough that a token changed far back changes every logit; a tokenizer of about 330 tokens beside them."""
    tokenizer = train_tokenizer(CORPUS * 3, 330, 512)
    if chat:
        tokenizer.chat_template = CHAT
    config_class, model_class = architecture(kind)
    model = model_class(config_class(**{**SHAPE, "vocab_size": len(tokenizer), **settings}))
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.25, generator=generator)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
