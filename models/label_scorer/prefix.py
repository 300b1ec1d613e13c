"""How is what all prompts begin with read only once? Its keys and values are kept and stand before every later forward, uncopied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float

from models.label_scorer.tree import Path, shared_length

# Keys and values of one layer.
Layer = tuple[Float[torch.Tensor, "1 heads tokens width"], Float[torch.Tensor, "1 heads tokens width"]]


@dataclass(frozen=True)
class Prefix:
    """Tokens and what every layer of one model keeps of them. Keys and values of its first n tokens are those of a prefix of n tokens,
    because no token sees a later one."""

    tokens: Path
    layers: tuple[Layer, ...]

    def cache(self, length: int, rows: int = 1) -> Any:
        """The first `length` tokens as a cache of transformers for `rows` sequences: views of one memory, to be used for one forward.

        The forward joins them with its own keys and values: for one row, that copies the prefix once per layer and forward, however many
        masked texts are in it.
        """
        from transformers.cache_utils import DynamicCache, DynamicLayer

        if not length:
            return DynamicCache()
        cache = DynamicCache()
        for keys, values in self.layers:
            layer: Any = DynamicLayer()  # type: ignore[no-untyped-call]  # transformers has no types here
            layer.keys = keys[:, :, :length].expand(rows, -1, -1, -1)
            layer.values = values[:, :, :length].expand(rows, -1, -1, -1)
            layer.dtype, layer.device, layer.is_initialized = keys.dtype, keys.device, True
            cache.layers.append(layer)
        return cache


def common_length(guess: Path, prompts: Sequence[Path]) -> int:
    """How many tokens the guess and every prompt begin with, found by comparing them; at most all but a prompt's last, which has to be
    read for what it predicts."""
    common = min(shared_length(guess, prompt) for prompt in prompts)
    return min(common, min(map(len, prompts)) - 1)


def read_prefix(model: Any, tokens: Path) -> Prefix:
    """Read `tokens` with a causal language model of transformers. Gradients flow through the result where they are enabled."""
    from transformers.cache_utils import DynamicCache

    if not tokens:
        return Prefix((), ())
    cache = DynamicCache()
    model(input_ids=torch.tensor([tokens], device=model.device), past_key_values=cache, use_cache=True, logits_to_keep=1)
    return Prefix(tokens, tuple((keys, values) for keys, values, _ in cache))
