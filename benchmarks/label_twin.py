"""How is a label scored the naive way? The whole prompt, one mask and one label at a time, one plain call of the model each.

Written from METHODS 5 and 9 with transformers alone, sharing no code with the scorer: what it computes is what the scorer must compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float64


def prompt_text(template: str, fields: dict[str, str], words: Sequence[str], keep: Sequence[bool], placeholder: str, separator: str) -> str:
    """The template with its fields and the masked text put in; `template` may have no other braces."""
    shown = separator.join(word if kept else placeholder for word, kept in zip(words, keep, strict=True))
    before, after = template.split("{text}")
    return before.format(**fields) + shown + after.format(**fields)


@torch.inference_mode()
def token_logits(model: Any, tokenizer: Any, prompt: str, label: str) -> tuple[torch.Tensor, list[int]]:
    """Logits float32 [tokens of the label, vocabulary] that predict each token of the label behind the prompt, and these tokens' ids."""
    if tokenizer.chat_template:
        turns = [{"role": "user", "content": prompt}]
        prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024")
        ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    else:
        ids = tokenizer(prompt)["input_ids"]
    answer = tokenizer(" " + label, add_special_tokens=False)["input_ids"]
    logits = model(torch.tensor([ids + answer], device=model.device)).logits[0].float().cpu()
    return logits[len(ids) - 1 : -1], answer


def log_likelihood(model: Any, tokenizer: Any, prompt: str, label: str) -> float:
    """Teacher-forced sum of the label's token log-probabilities."""
    logits, answer = token_logits(model, tokenizer, prompt, label)
    return float(logits.double().log_softmax(dim=-1)[range(len(answer)), answer].sum())


def closed_set(sums: Float64[np.ndarray, " labels"], number: int) -> float:
    """Softmax of the sums, of one label."""
    shares = np.exp(sums - sums.max())
    return float(shares[number] / shares.sum())


def masks(n: int, n_words: int, seed: int) -> Bool[np.ndarray, "masks words"]:
    """The full text and n - 1 draws with keep-probability 0.7, none empty (METHODS 5)."""
    rng = np.random.default_rng(seed)
    rows = [np.ones(n_words, dtype=bool)]
    while len(rows) < n:
        row = rng.random(n_words) < 0.7
        if row.any():
            rows.append(row)
    return np.stack(rows)
