"""Three pictures, the methods that explain pictures, and the rows they give: what the tests of these methods share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors.torch import save_file

from lake.rows import ERROR_COLUMNS
from models.any_scoring import Flat
from models.backbone import resolve_backbone
from models.classifier import new_classifier
from models.decode import DecodeLimits, encode_png
from models.images import preprocessing_of
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from silver.attribute import Attribution, attribute
from silver.methods import MethodSettings
from silver.settings import COMPUTED
from silver.specs import ATTRIBUTIONS
from tests.unit.models.conftest import save
from tests.unit.silver.text_rows import identity
from xai.masks import Masking

METHODS = COMPUTED["image"]
SETTINGS = MethodSettings(masks=Masking(n=40), ig_steps=3, baseline="mean")
IDS = ("p0", "p1", "p2")
SIDE = 56


@dataclass(frozen=True)
class RecordingPictures(Scoring):
    """The real scoring, which notes every (picture, mask) that its values are asked about."""

    asked: list[tuple[int, bytes]] = field(default_factory=list, compare=False)

    def value(self, adapter: ScoredAdapter, inputs: NDArray[np.float32], targets: NDArray[np.int64], baseline: str) -> Flat:
        flat = super().value(adapter, inputs, targets, baseline)

        def noted(rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
            self.asked.extend((int(row), mask.tobytes()) for row, mask in zip(rows, keep, strict=True))
            return flat(rows, keep)

        return noted


def scoring_of(folder: Path, kind: str = "dinov2", side: int = SIDE, dtype: str = "float32") -> RecordingPictures:
    """A small random backbone in patches of 14: 16 units of a picture of 56, 4 of one of 28."""
    save(folder, kind, image_size=side)
    return RecordingPictures(resolve_backbone(str(folder)), preprocessing_of(folder), DecodeLimits(), dtype, 4)


def adapter_of(scoring: Scoring, path: Path, name: str = "a", order: tuple[int, ...] = (0, 1, 2)) -> ScoredAdapter:
    """A head of random weights, large enough to be sure of something."""
    state = new_classifier(scoring.backbone, ["x", "y", "z"], seed=4).requires_grad_(False).state_dict()
    save_file({key: 20 * tensor.clone() for key, tensor in state.items() if key.startswith("classifier.")}, path)
    return ScoredAdapter(name, str(path), order)


def contents(n: int = len(IDS)) -> list[bytes]:
    noise = np.random.default_rng(3).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)
    return [encode_png(picture) for picture in noise]


def rows_of(
    scoring: Scoring,
    adapters: tuple[ScoredAdapter, ...],
    pictures: list[bytes] | None = None,
    settings: MethodSettings = SETTINGS,
    methods: tuple[str, ...] = METHODS,
    first: int = 0,
) -> list[dict[str, Any]]:
    """`first`: place of the first picture's name in `IDS`."""
    shown = contents() if pictures is None else pictures
    own = identity(adapters, methods)
    todo = pa.array([list(range(len(own.variants)))] * len(shown), pa.list_(pa.int32()))
    columns = {"example_id": list(IDS[first : first + len(shown)]), "image": pa.array(shown, pa.binary()), "todo": todo}
    made = list(attribute(iter([pa.RecordBatch.from_pydict(columns)]), Attribution(scoring, adapters, own, settings)))
    assert all(part.schema == ATTRIBUTIONS.arrow_schema(ERROR_COLUMNS) for part in made)
    return [row for part in made for row in part.to_pylist()]
