"""How are pictures corrupted before an adapter sees them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.identity import rng
from models.decode import decode
from models.images import Preprocessing, to_model_resolution
from models.scoring import Scoring
from ood.corruptions import by_name, corrupt
from ood.settings import CorruptionSettings
from ood.shift import Shift

Pictures = Sequence[NDArray[np.uint8]]


def met(
    picture: NDArray[np.uint8], example_id: str, name: str, severity: int, how: CorruptionSettings, preprocessing: Preprocessing
) -> NDArray[np.uint8]:
    """The picture uint8[size, size, 3] that every adapter meets, from one at the resolution that `how` corrupts at."""
    corrupted = corrupt(picture, name, severity, rng(how.seed, example_id, name, severity))
    return to_model_resolution(corrupted, preprocessing) if how.apply_at == "original" else corrupted


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
        how, preprocessing = self.corruptions, self.scoring.preprocessing  # one at a time: originals may have millions of pixels
        made = [met(picture, example_id, name, severity, how, preprocessing) for picture, example_id in zip(read, ids, strict=True)]
        return self.scoring.pixels(np.stack(made))

    def value(self, name: str, severity: int) -> float | None:
        """The corruption's leading parameter."""
        return by_name(name).value(severity)
