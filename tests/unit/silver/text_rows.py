"""Three texts, the methods that explain texts, and the rows they give: what the tests of these methods share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.rows import ERROR_COLUMNS, Identity
from models.any_scoring import Flat
from models.scored_adapter import ScoredAdapter
from models.text_scoring import TextScoring
from models.texts import Texts
from silver.attribute import Attribution, attribute
from silver.methods import MethodSettings
from silver.settings import COMPUTED
from silver.specs import ATTRIBUTIONS
from xai.masks import Masking

METHODS = COMPUTED["text"]
SETTINGS = MethodSettings(masks=Masking(n=20), ig_steps=3)
# One word, seven, and fourteen: Shapley values of the first two are enumerated, of the last drawn.
TEXTS = ("lost", "i lost my card, please block it", "set an alarm for seven and which alarm is set for tomorrow morning card")
IDS = ("t0", "t1", "t2")
ORDERS = {"a": (0, 1, 2), "b": (2, 0, 1)}


@dataclass(frozen=True)
class Recording(TextScoring):
    """The real scoring, which notes every (text, mask) that its values are asked about."""

    asked: list[tuple[int, bytes]] = field(default_factory=list, compare=False)

    def value(self, adapter: ScoredAdapter, inputs: Texts, targets: NDArray[np.int64], baseline: str) -> Flat:
        flat = super().value(adapter, inputs, targets, baseline)

        def noted(rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
            self.asked.extend((int(row), (mask & inputs.included[row]).tobytes()) for row, mask in zip(rows, keep, strict=True))
            return flat(rows, keep)

        return noted


def identity(adapters: tuple[ScoredAdapter, ...], methods: tuple[str, ...] = METHODS) -> Identity:
    return Identity("d", "s", tuple({"adapter_id": own.adapter_id, "method": method} for own in adapters for method in methods))


def rows_of(
    scoring: TextScoring,
    adapters: tuple[ScoredAdapter, ...],
    texts: tuple[str, ...] = TEXTS,
    todo: list[list[int]] | None = None,
    settings: MethodSettings = SETTINGS,
    methods: tuple[str, ...] = METHODS,
) -> list[dict[str, Any]]:
    own = identity(adapters, methods)
    asked = todo or [list(range(len(own.variants)))] * len(texts)
    names = [f"t{place}" for place in range(len(texts))]
    columns = {"example_id": names, "text": list(texts), "todo": pa.array(asked, pa.list_(pa.int32()))}
    made = list(attribute(iter([pa.RecordBatch.from_pydict(columns)]), Attribution(scoring, adapters, own, settings)))
    assert all(part.schema == ATTRIBUTIONS.arrow_schema(ERROR_COLUMNS) for part in made)
    return [row for part in made for row in part.to_pylist()]
