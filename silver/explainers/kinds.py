"""Where do pictures and texts differ when they are explained? In what their units are, and how a scorer tells attention to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from models.any_scoring import Included, Inputs, Logits
from models.image_scorer import ImageScorer
from models.scoring import Scoring
from models.text_scorer import TextScorer
from models.text_scoring import TextScoring
from models.texts import Texts
from xai.attribution import attention

PerUnit = Float32[NDArray[np.float32], "examples units"]


@dataclass(frozen=True)
class Kind:
    """`units(scoring, inputs)`: which places are units. `looks(scorer, inputs)`: logits in the adapter's label order, and the last layer's
    CLS attention to each unit as shares, of one forward."""

    units: Callable[[Any, Inputs], Included]
    looks: Callable[[Any, Inputs], tuple[Logits, PerUnit]]


def _patches(scoring: Scoring, pixels: NDArray[np.float32]) -> Included:
    return np.ones((len(pixels), scoring.backbone.n_units), dtype=bool)


def _patches_looked_at(scorer: ImageScorer, pixels: NDArray[np.float32]) -> tuple[Logits, PerUnit]:
    logits, rows = scorer.explain(pixels)
    return logits, attention(rows, scorer.backbone.n_prefix)


def _words(scoring: TextScoring, texts: Texts) -> Included:
    return scoring.included(texts)


def _words_looked_at(scorer: TextScorer, texts: Texts) -> tuple[Logits, PerUnit]:
    return scorer.explain(texts)


# Column of the inputs -> its kind.
KINDS: Mapping[str, Kind] = {"image": Kind(_patches, _patches_looked_at), "text": Kind(_words, _words_looked_at)}
