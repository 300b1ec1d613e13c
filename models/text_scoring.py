"""What does a worker need to score texts with many adapters? Paths and hashes to ship, models to load once, texts to tokenise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import numpy as np
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from models.answers import shares_of, tried_twice
from models.any_scoring import Flat, Logits
from models.backbone_record import TextBackbone
from models.buckets import BUCKETS, fitted
from models.poked_texts import poked_texts, text_noise
from models.pokes import Noise, PokedFlat
from models.scored_adapter import ScoredAdapter
from models.scorer_cache import ScorerCache
from models.text_loading import load_text_scorer
from models.text_scorer import TEXT_ENGINE, TextScorer
from models.texts import Texts, prepare

# Another version of these may give other digits: an upgrade makes new rows, never mixed ones.
TEXT_LIBRARIES = ("numpy", "tokenizers", "torch", "transformers")

_CACHES: dict[tuple[int, tuple[int, ...]], ScorerCache[TextBackbone, TextScorer]] = {}


@dataclass(frozen=True)
class TextScoring:
    """How texts are prepared and scored; all of it stands in settings_id through `settings`. Ships to workers by pickle.

    `buckets`: the lengths that inputs are padded to; the last one, where it is below the model's own limit, cuts texts.
    """

    backbone: TextBackbone
    dtype: str
    batch_size: int
    buckets: tuple[int, ...] = BUCKETS
    cache_bytes: int = 4 << 30

    @property
    def fitted_buckets(self) -> tuple[int, ...]:
        """The buckets within the model's limit; the last is the longest input."""
        return fitted(self.buckets, self.backbone.n_tokens)

    def settings(self) -> dict[str, object]:
        """What defines a row: which backbone (tokenizer and pooling in its hash), precision, batch shapes, arithmetic and libraries."""
        return {
            "backbone_sha256": self.backbone.sha256,
            "dtype": self.dtype,
            "batch_size": self.batch_size,
            "buckets": list(self.fitted_buckets),
            "engine": TEXT_ENGINE,
            "libraries": {name: version(name) for name in TEXT_LIBRARIES},
        }

    def prepare(self, texts: Sequence[str]) -> Texts:
        """Tokenise texts, cut at the last bucket. ValueError for a text without a word or of invalid Unicode."""
        return prepare(texts, self.backbone, self.fitted_buckets[-1])

    @property
    def column(self) -> str:
        """Where bronze.examples holds the inputs."""
        return "text"

    def included(self, inputs: Texts) -> Bool[NDArray[np.bool_], "texts words"]:
        """bool[n,W]: which words are a text's own."""
        return inputs.included

    def words(self, inputs: Texts) -> list[list[str]]:
        """The words of each text, inside the model's limit."""
        return [list(inputs.words(row)) for row in range(len(inputs))]

    def scorer(self, adapter: ScoredAdapter | None = None, dtype: str | None = None) -> TextScorer:
        """The scorer of this adapter (None: the bare backbone), loaded once per worker process and kept while memory allows."""
        key = (self.cache_bytes, self.fitted_buckets)
        if key not in _CACHES:
            _CACHES[key] = ScorerCache(self.cache_bytes, partial(load_text_scorer, buckets=self.fitted_buckets))
        return _CACHES[key].get(self.backbone, None if adapter is None else adapter.merged, dtype or self.dtype, self.batch_size)

    def logits(self, adapter: ScoredAdapter, texts: Texts) -> Float32[NDArray[np.float32], "texts labels"]:
        """Logits float32[n,labels] in the dataset's label order; rows that are not finite are tried once more in float32."""
        logits = self.scorer(adapter).logits(texts)
        bad = np.flatnonzero(~np.isfinite(logits).all(axis=1))
        if len(bad):
            logits[bad] = self.scorer(adapter, "float32").logits(texts[bad])
        return logits[:, list(adapter.label_order)]

    def shares(self, adapter: ScoredAdapter, logits: Logits) -> Logits:
        """Softmax of `self.logits`, in the dataset's label order: to the bit the p that `value` gives these texts with all words shown."""
        return shares_of(logits, adapter.label_order, self.scorer(adapter).device)

    def value(self, adapter: ScoredAdapter, inputs: Texts, targets: NDArray[np.int64], baseline: str) -> Flat:
        """p(target) under masks of words; `targets` are in the dataset's label order. What is not finite is tried once more in float32."""
        own = np.array(adapter.label_order)[targets]
        first = self.scorer(adapter).value(inputs, own, baseline)
        return tried_twice(first, lambda: self.scorer(adapter, "float32").value(inputs, own, baseline))

    def noise(self, inputs: Texts, unit: int | None, generator: np.random.Generator) -> NDArray[np.float32]:
        """Standard normal numbers [tokens, width] for a poke of one text's words, or of one word alone (models.poked_texts)."""
        return text_noise(inputs, self.backbone.hidden_size, unit, generator)

    def poked(self, inputs: Texts, noise: NDArray[np.float32], magnitude: float) -> Texts:
        """One text, once per poke of `noise` [pokes, tokens, width]."""
        return poked_texts(inputs, noise, magnitude)

    def poked_value(
        self, adapter: ScoredAdapter, inputs: Texts, targets: NDArray[np.int64], baseline: str, noise: Noise, magnitude: float
    ) -> PokedFlat:
        """`value` of texts and their pokes: p(target) of (row, poke, mask of words)."""
        own = np.array(adapter.label_order)[targets]
        first = self.scorer(adapter).poked_value(inputs, own, baseline, noise, magnitude)
        return tried_twice(first, lambda: self.scorer(adapter, "float32").poked_value(inputs, own, baseline, noise, magnitude))

    def integrated_gradients(
        self, adapter: ScoredAdapter, inputs: Texts, targets: NDArray[np.int64], steps: int, baseline: str
    ) -> Float32[NDArray[np.float32], "texts words"]:
        """Signed integrated gradients of the target logits per word, in float32; `targets` are in the dataset's label order. The path
        begins at zero word embeddings, whatever stands for hidden words."""
        return self.scorer(adapter).integrated_gradients(inputs, np.array(adapter.label_order)[targets], steps).values
