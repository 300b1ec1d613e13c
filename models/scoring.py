"""What does a worker need to score examples with many adapters? Paths and hashes to ship, models to load once, pictures to prepare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from models.answers import shares_of, tried_twice
from models.any_scoring import Flat, Logits
from models.backbone import Backbone
from models.decode import DecodeLimits, decode
from models.encoder import ENGINE
from models.images import Preprocessing, normalise, to_model_resolution
from models.pokes import Noise, PokedFlat, picture_noise, poked_pixels
from models.scored_adapter import ScoredAdapter
from models.scorer import ImageScorer, ScorerCache

__all__ = ["LIBRARIES", "ScoredAdapter", "Scoring"]

# Another version of these may give other digits: an upgrade makes new rows, never mixed ones.
LIBRARIES = ("numpy", "pillow", "scipy", "torch", "transformers")

_CACHES: dict[int, ScorerCache] = {}


@dataclass(frozen=True)
class Scoring:
    """How pictures are prepared and scored; all of it stands in settings_id through `settings`. Ships to workers by pickle."""

    backbone: Backbone
    preprocessing: Preprocessing
    limits: DecodeLimits
    dtype: str
    batch_size: int
    cache_bytes: int = 4 << 30

    def settings(self) -> dict[str, object]:
        """What defines a row: which backbone, preparation, precision, batch shape, arithmetic and libraries."""
        return {
            "backbone_sha256": self.backbone.sha256,
            "preprocessing": self.preprocessing,
            "dtype": self.dtype,
            "batch_size": self.batch_size,
            "engine": ENGINE,
            "libraries": {name: version(name) for name in LIBRARIES},
        }

    def pictures(self, contents: Sequence[bytes]) -> NDArray[np.uint8]:
        """Encoded pictures -> uint8 [n, size, size, 3] at model resolution."""
        return np.stack([to_model_resolution(decode(content, self.limits).image, self.preprocessing) for content in contents])

    def pixels(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [n, size, size, 3] -> float32 [n, 3, size, size], normalised."""
        return normalise(pictures, self.preprocessing)

    @property
    def column(self) -> str:
        """Where bronze.examples holds the inputs."""
        return "image"

    def prepare(self, contents: Sequence[bytes]) -> NDArray[np.float32]:
        """Encoded pictures -> float32 [n, 3, size, size], normalised."""
        return self.pixels(self.pictures(contents))

    def included(self, inputs: NDArray[np.float32]) -> None:
        """All pictures have as many units."""

    def words(self, inputs: NDArray[np.float32]) -> None:
        """Patches have no names."""

    def scorer(self, adapter: ScoredAdapter | None = None, dtype: str | None = None) -> ImageScorer:
        """The scorer of this adapter (None: the bare backbone), loaded once per worker process and kept while memory allows."""
        cache = _CACHES.setdefault(self.cache_bytes, ScorerCache(self.cache_bytes))
        return cache.get(self.backbone, None if adapter is None else adapter.merged, dtype or self.dtype, self.batch_size)

    def logits(self, adapter: ScoredAdapter, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits float32 [n, labels] in the dataset's label order; rows that are not finite are tried once more in float32."""
        logits = self.scorer(adapter).logits(pixels)
        bad = ~np.isfinite(logits).all(axis=1)
        if bad.any():
            logits[bad] = self.scorer(adapter, "float32").logits(pixels[bad])
        return logits[:, list(adapter.label_order)]

    def shares(self, adapter: ScoredAdapter, logits: Logits) -> Logits:
        """Softmax of `self.logits`, in the dataset's label order: to the bit the p that `value` gives these pictures with all patches
        shown."""
        return shares_of(logits, adapter.label_order, self.scorer(adapter).device)

    def value(self, adapter: ScoredAdapter, inputs: NDArray[np.float32], targets: NDArray[np.int64], baseline: str) -> Flat:
        """p(target) under masks of patches; `targets` are in the dataset's label order. What is not finite is tried again in float32."""
        own = np.array(adapter.label_order)[targets]
        first = self.scorer(adapter).value(inputs, own, baseline)
        return tried_twice(first, lambda: self.scorer(adapter, "float32").value(inputs, own, baseline))

    def integrated_gradients(
        self, adapter: ScoredAdapter, inputs: NDArray[np.float32], targets: NDArray[np.int64], steps: int, baseline: str
    ) -> NDArray[np.float32]:
        """Signed integrated gradients of the target logits per patch, in float32, from the baseline's picture on; `targets` are in the
        dataset's label order."""
        return self.scorer(adapter).integrated_gradients(inputs, np.array(adapter.label_order)[targets], steps, baseline)

    def noise(self, inputs: NDArray[np.float32], unit: int | None, generator: np.random.Generator) -> NDArray[np.float32]:
        """Standard normal numbers [3, size, size] for a poke of one picture, or of one of its patches alone (models.pokes)."""
        return picture_noise(inputs.shape[-1], self.backbone.patch_size, unit, generator)

    def poked(self, inputs: NDArray[np.float32], noise: NDArray[np.float32], magnitude: float) -> NDArray[np.float32]:
        """One picture [1, 3, size, size], once per poke of `noise` [pokes, 3, size, size]."""
        return poked_pixels(np.repeat(inputs, len(noise), axis=0), noise, magnitude)

    def poked_value(
        self, adapter: ScoredAdapter, inputs: NDArray[np.float32], targets: NDArray[np.int64], baseline: str, noise: Noise, magnitude: float
    ) -> PokedFlat:
        """`value` of pictures and their pokes: p(target) of (row, poke, mask of patches)."""
        own = np.array(adapter.label_order)[targets]
        first = self.scorer(adapter).poked_value(inputs, own, baseline, noise, magnitude)
        return tried_twice(first, lambda: self.scorer(adapter, "float32").poked_value(inputs, own, baseline, noise, magnitude))
