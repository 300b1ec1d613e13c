"""What do the layers ask of a scoring record, whether its examples are pictures or texts?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from models.backbone_record import AnyBackbone
from models.pokes import Noise, PokedFlat
from models.scored_adapter import ScoredAdapter

# Prepared examples: pixels float32[n, 3, s, s], or models.texts.Texts. They have a length, and `inputs[rows]` are some of them.
Inputs = Any
Included = Bool[NDArray[np.bool_], "examples units"]
Logits = Float32[NDArray[np.float32], "examples labels"]


class Flat(Protocol):
    """p(target) of pairs: `rows` int[m] name the example, `keep` bool[m, units] what is visible of it."""

    def __call__(self, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]: ...


class AnyScoring(Protocol):
    """One backbone in inference, as it ships to workers. `column`: where bronze.examples holds its inputs, image or text."""

    @property
    def backbone(self) -> AnyBackbone: ...

    @property
    def column(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    def settings(self) -> dict[str, object]:
        """All that defines a row."""

    def prepare(self, contents: Sequence[Any]) -> Inputs:
        """What the column holds, ready for the model."""

    def included(self, inputs: Inputs) -> Included | None:
        """Which units are an example's own, where examples differ in their number; None where all have as many."""

    def words(self, inputs: Inputs) -> list[list[str]] | None:
        """The units of each example by name; None where they have none."""

    def scorer(self, adapter: ScoredAdapter | None = None, dtype: str | None = None) -> Any:
        """The adapter's models.image_scorer.ImageScorer or models.text_scorer.TextScorer, in this precision (None: the record's)."""

    def logits(self, adapter: ScoredAdapter, inputs: Inputs) -> Logits:
        """In the dataset's label order; rows that are not finite are tried once more in float32."""

    def shares(self, adapter: ScoredAdapter, logits: Logits) -> Logits:
        """Softmax of `logits`: to the bit the p that `value` gives with every unit shown."""

    def value(self, adapter: ScoredAdapter, inputs: Inputs, targets: NDArray[np.int64], baseline: str) -> Flat:
        """p(target) of pairs (row, mask of units); `targets` are in the dataset's label order. What is not finite is tried once more in
        float32."""

    def integrated_gradients(
        self, adapter: ScoredAdapter, inputs: Inputs, targets: NDArray[np.int64], steps: int, baseline: str
    ) -> Float32[NDArray[np.float32], "examples units"]:
        """Signed integrated gradients of the target logits per unit, in float32; `targets` are in the dataset's label order.
        `baseline`: at whose picture the path begins; that of texts begins at zero word embeddings."""

    def noise(self, inputs: Inputs, unit: int | None, generator: np.random.Generator) -> NDArray[np.float32]:
        """Standard normal numbers for a poke of one input, shaped as it is prepared: on all its units (None), or on one alone."""

    def poked(self, inputs: Inputs, noise: NDArray[np.float32], magnitude: float) -> Inputs:
        """One input, once per poke of `noise` [pokes, …]: inputs as any others."""

    def poked_value(
        self, adapter: ScoredAdapter, inputs: Inputs, targets: NDArray[np.int64], baseline: str, noise: Noise, magnitude: float
    ) -> PokedFlat:
        """`value` of inputs and their pokes: p(target) of (row, poke, mask of units)."""
