"""How are pictures corrupted before an adapter sees them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.identity import rng
from models.decode import decode
from models.images import to_model_resolution
from models.scoring import Scoring
from ood.corruptions import by_name, corrupt
from ood.settings import CorruptionSettings
from ood.shift import Shift

Pictures = Sequence[NDArray[np.uint8]]


@dataclass(frozen=True)
class PictureShifts:
    """Corruptions at the resolution the settings say. A picture is decoded once for all of them."""

    scoring: Scoring
    corruptions: CorruptionSettings

    def settings(self) -> dict[str, object]:
        """Where and with which seed corruptions are applied."""
        return {"apply_at": self.corruptions.apply_at, "seed": self.corruptions.seed}

    def cells(self) -> tuple[tuple[str, int], ...]:
        """(corruption, severity), clean first."""
        return self.corruptions.cells()

    def by_name(self, name: str) -> Shift:
        """The record of a corruption."""
        return by_name(name)

    def columns(self) -> tuple[str, ...]:
        """The encoded picture."""
        return ("image",)

    def read(self, batch: pa.RecordBatch) -> Pictures:
        """Pictures uint8[h, w, 3] at the resolution that corruptions are applied at."""
        contents = batch.column("image").to_pylist()
        if self.corruptions.apply_at == "model":
            return list(self.scoring.pictures(contents))
        return [decode(content, self.scoring.limits).image for content in contents]

    def changed(self, read: Pictures, ids: Sequence[str], name: str, severity: int) -> NDArray[np.float32]:
        """Pixels float32[n, 3, size, size]; noise is keyed by the example, so every adapter meets the same picture (paired design)."""
        made = []
        for picture, example_id in zip(read, ids, strict=True):  # one at a time: originals may have millions of pixels
            corrupted = corrupt(picture, name, severity, rng(self.corruptions.seed, example_id, name, severity))
            at_original = self.corruptions.apply_at == "original"
            made.append(to_model_resolution(corrupted, self.scoring.preprocessing) if at_original else corrupted)
        return self.scoring.pixels(np.stack(made))

    def value(self, name: str, severity: int) -> float | None:
        """The corruption's leading parameter."""
        return by_name(name).value(severity)
