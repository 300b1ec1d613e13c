"""What did every token look at in every layer? The attention of some examples, and which token is which unit's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import NDArray


class AttentionMaps(NamedTuple):
    """Examples of one length. `places`: where they stand among those that were asked about. `maps`: each layer's attention, mean over
    heads, first layer first; rows sum to 1, padding gets 0. `unit_of`: the unit of each token, negative for a token of none (CLS,
    registers, specials, padding)."""

    places: Int64[NDArray[np.int64], " examples"]
    maps: Float32[NDArray[np.float32], "examples layers tokens tokens"]
    unit_of: Int64[NDArray[np.int64], "examples tokens"]
