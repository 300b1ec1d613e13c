"""Adapters whose answers can be worked out by hand: they read one pixel's brightness, and count how often they were asked."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from lake.rows import Identity
from models.backbone import Backbone
from models.decode import DecodeLimits
from models.images import Preprocessing
from models.scoring import ScoredAdapter, Scoring

SIZE = 14
BACKBONE = Backbone("toy", Path(), None, "0" * 64, "dinov2", SIZE, SIZE, 1, 1, 1, 1)
ADAPTERS = (ScoredAdapter("bright", "", (0, 1)), ScoredAdapter("dark", "", (1, 0)))


@dataclass(frozen=True)
class ToyScoring(Scoring):
    """Logits [mean - 1/2, 1/2 - mean] of a picture's mean pixel in [0, 1]; adapter `dark` says the opposite. 10 times steeper."""

    calls: list[tuple[str, int]] = field(default_factory=list)
    nonfinite_above: float = 2.0

    def logits(self, adapter: ScoredAdapter, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls.append((adapter.adapter_id, len(pixels)))
        mean = pixels.mean(axis=(1, 2, 3))
        steep = 10 * (mean - 0.5)
        made = np.stack([steep, -steep], axis=1).astype(np.float32)
        made[mean > self.nonfinite_above] = np.nan
        return made[:, list(adapter.label_order)]


def scoring(nonfinite_above: float = 2.0) -> ToyScoring:
    plain = Preprocessing(size=SIZE, resize_to=SIZE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return ToyScoring(BACKBONE, plain, DecodeLimits(), "float32", 4, nonfinite_above=nonfinite_above)


def picture(level: int) -> bytes:
    """A PNG of one grey level 0..255."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((SIZE, SIZE, 3), level, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def batch(levels: list[int], label_ids: list[int], todo: list[list[int]]) -> pa.RecordBatch:
    ids = [f"e{position}" for position in range(len(levels))]
    columns = {"example_id": ids, "label_id": pa.array(label_ids, pa.int32()), "image": [picture(level) for level in levels]}
    return pa.RecordBatch.from_pydict({**columns, "todo": pa.array(todo, pa.list_(pa.int32()))})


def identity(*variants: dict[str, str | int]) -> Identity:
    return Identity("d", "s", variants)
