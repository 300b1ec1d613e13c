"""How do tokens become hidden states in inference? A chain of lean layers in place of transformers' modules, which stay the oracle."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float

from models.layer import Attended, Hidden, Layer, Read, cls_row, head_mean
from models.post_norm import PostNormLayer

# In every settings_id. Raise it with any change of arithmetic here, in layer.py, linear.py, masked_value.py, image_path.py or
# image_scorer.py: rows computed before and after must never stand in one generation. 1 was transformers' own modules; 2
# kept the residual stream in the precision of the products.
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
        return self._run(hidden, attended)[0]

    def reading(self, hidden: Hidden, attended: Attended | None = None) -> tuple[Hidden, torch.Tensor]:
        """The same bits, and the last layer's CLS row: float32 [b, heads, tokens], each row of sum 1."""
        hidden, told = self._run(hidden, attended, cls_row, first=len(self.layers) - 1)
        if not told:
            raise ValueError("an encoder must have at least one layer to read attention from, found none")
        return hidden, told[0]

    def maps(self, hidden: Hidden, attended: Attended | None = None) -> Float[torch.Tensor, "batch layers tokens tokens"]:
        """Every layer's attention in float32, mean over heads, first layer first; each row of sum 1."""
        return torch.stack(self._run(hidden, attended, head_mean)[1], dim=1)

    def _run(
        self, hidden: Hidden, attended: Attended | None, read: Read | None = None, first: int = 0
    ) -> tuple[Hidden, list[torch.Tensor]]:
        """Hidden states, and what `read` tells of each layer from the `first` on."""
        hidden, found = hidden.clone(), []
        for index, layer in enumerate(self.layers):
            hidden, told = layer(hidden, read if index >= first else None, attended)
            if told is not None:
                found.append(told)
        return hidden, found
