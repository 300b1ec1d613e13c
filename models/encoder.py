"""How do tokens become hidden states in inference? A chain of lean layers in place of transformers' modules, which stay the oracle."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from models.layer import Attended, Hidden, Layer
from models.post_norm import PostNormLayer

# In every settings_id. Raise it with any change of arithmetic here, in layer.py, linear.py, masked_value.py or image_scorer.py:
# rows computed before and after must never stand in one generation. 1 was transformers' own modules; 2 kept the residual stream in the
# precision of the products.
ENGINE = 3


@dataclass(frozen=True)
class Encoder:
    """All layers of one classifier. `nbytes`: memory of the products that no other scorer shares."""

    layers: tuple[Layer | PostNormLayer, ...]
    nbytes: int

    def __call__(self, hidden: Hidden, attended: Attended | None = None) -> Hidden:
        """Tokens with prefix and positions -> hidden states, of pre-norm layers before the last layer norm. The input is left as it is.

        `attended`: the tokens that are no padding; None: all, as with pictures.
        """
        return self._run(hidden, read=False, attended=attended)[0]

    def reading(self, hidden: Hidden, attended: Attended | None = None) -> tuple[Hidden, torch.Tensor]:
        """The same bits, and the last layer's CLS row: float32 [b, heads, tokens], each row of sum 1."""
        hidden, row = self._run(hidden, read=True, attended=attended)
        if row is None:
            raise ValueError("an encoder must have at least one layer to read attention from, found none")
        return hidden, row

    def _run(self, hidden: Hidden, read: bool, attended: Attended | None) -> tuple[Hidden, torch.Tensor | None]:
        hidden, row = hidden.clone(), None
        for layer in self.layers[:-1]:
            hidden, _ = layer(hidden, False, attended)
        for layer in self.layers[-1:]:
            hidden, row = layer(hidden, read, attended)
        return hidden, row
