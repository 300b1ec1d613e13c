"""Which attribution methods can be computed here, and how is each computed for a batch of pictures or of texts?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from models.any_scoring import Inputs
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from models.text_scoring import TextScoring
from models.texts import Texts
from xai.attribution import attention

Explained = tuple[Float32[NDArray[np.float32], "examples labels"], Float32[NDArray[np.float32], "examples units"]]


def picture_attention(scoring: Scoring, adapter: ScoredAdapter, pixels: NDArray[np.float32]) -> Explained:
    """Logits and the last layer's CLS attention to the patches; rows that are not finite are tried once more in float32."""
    logits, rows = scoring.scorer(adapter).explain(pixels)
    bad = ~(np.isfinite(logits).all(axis=1) & np.isfinite(rows).all(axis=(1, 2)))
    if bad.any():
        logits[bad], rows[bad] = scoring.scorer(adapter, "float32").explain(pixels[bad])
    return logits[:, list(adapter.label_order)], attention(rows, scoring.backbone.n_prefix)


def text_attention(scoring: TextScoring, adapter: ScoredAdapter, texts: Texts) -> Explained:
    """Logits and the last layer's CLS attention summed into words, with the same second try."""
    logits, shares = scoring.scorer(adapter).explain(texts)
    bad = np.flatnonzero(~(np.isfinite(logits).all(axis=1) & np.isfinite(shares).all(axis=1)))
    if len(bad):
        logits[bad], shares[bad] = scoring.scorer(adapter, "float32").explain(texts[bad])
    return logits[:, list(adapter.label_order)], shares


# (column of the inputs, method) -> (logits [n, labels], attribution [n, units]). Adding one = one function and one line here.
EXPLAINERS: dict[tuple[str, str], Callable[..., Explained]] = {
    ("image", "attention"): picture_attention,
    ("text", "attention"): text_attention,
}


def explained(scoring: object, column: str, method: str, adapter: ScoredAdapter, inputs: Inputs) -> Explained:
    """Logits and attribution of each example by one method. Raises ValueError for a method that this kind of input has not."""
    if (column, method) not in EXPLAINERS:
        known = ", ".join(name for kind, name in EXPLAINERS if kind == column)
        raise ValueError(f"method must be one of {known} for {column} inputs, got {method!r}")
    return EXPLAINERS[column, method](scoring, adapter, inputs)
