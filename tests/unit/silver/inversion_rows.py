"""What the tests of the verb of group inversion run on: two models, their examples with stored attributions, and the rows they give."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from safetensors.torch import save_file

from lake.rows import ERROR_COLUMNS, Identity
from models.backbone import new_classifier, resolve_backbone
from models.decode import DecodeLimits
from models.images import Preprocessing
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from silver.attribute import Attribution, attribute
from silver.inversion.invert import Inverting, invert
from silver.inversion.settings import PokingSettings
from silver.methods import MethodSettings
from silver.settings import ExplanationSettings
from silver.specs import EXPLANATION_METRICS
from tests.unit.models.conftest import save
from xai.masks import Masking

SETTINGS = MethodSettings(masks=Masking(n=8), ig_steps=2)
INVERSION = PokingSettings(pokes=4, repeats=2, magnitude=0.2)
ENTRY = pa.struct([("adapter_id", pa.string()), ("method", pa.string()), ("target_id", pa.int32()), ("values", pa.list_(pa.float32()))])
CONTROLS = ("random", "output_echo")
Row = dict[str, Any]


def settings_of(scoring: Any) -> MethodSettings:
    return SETTINGS if scoring.column == "text" else SETTINGS.model_copy(update={"baseline": "mean"})


def asked(scoring: Any, methods: tuple[str, ...], inversion: PokingSettings = INVERSION) -> ExplanationSettings:
    return ExplanationSettings(methods=methods, method_settings=settings_of(scoring), inversion=inversion, seed=3)


def picture_scoring(folder: Path, batch_size: int = 4) -> tuple[Scoring, tuple[ScoredAdapter, ...]]:
    """A DINOv2 of sixteen patches, and one head under two label orders."""
    backbone = resolve_backbone(str(save(folder / "dinov2", "dinov2")))
    state = new_classifier(backbone, ["x", "y", "z"], seed=4).requires_grad_(False).state_dict()
    save_file({name: 20 * tensor.clone() for name, tensor in state.items() if name.startswith("classifier.")}, folder / "m.safetensors")
    plain = Preprocessing(size=56, resize_to=56, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    orders = {"a": (0, 1, 2), "b": (2, 0, 1)}
    adapters = tuple(ScoredAdapter(name, str(folder / "m.safetensors"), order) for name, order in orders.items())
    return Scoring(backbone, plain, DecodeLimits(), "float32", batch_size), adapters


def pictures(n: int = 3) -> tuple[bytes, ...]:
    def encoded(number: int) -> bytes:
        buffer = io.BytesIO()
        content = np.random.default_rng(number).integers(0, 256, (56, 56, 3), dtype=np.uint8)
        Image.fromarray(content).save(buffer, "PNG")
        return buffer.getvalue()

    return tuple(encoded(number) for number in range(n))


def identity(adapters: tuple[ScoredAdapter, ...], names: tuple[str, ...]) -> Identity:
    return Identity(
        "d", "s", tuple({"adapter_id": own.adapter_id, "method": name, "metric_group": "inversion"} for own in adapters for name in names)
    )


def stored(scoring: Any, adapters: tuple[ScoredAdapter, ...], contents: tuple[Any, ...], methods: tuple[str, ...]) -> list[list[Row]]:
    """What silver.attributions holds of each example: a list of entries."""
    own = Identity("d", "s", tuple({"adapter_id": one.adapter_id, "method": method} for one in adapters for method in methods))
    columns = {
        "example_id": [f"t{place}" for place in range(len(contents))],
        scoring.column: list(contents),
        "todo": pa.array([list(range(len(own.variants)))] * len(contents), pa.list_(pa.int32())),
    }
    made = attribute(iter([pa.RecordBatch.from_pydict(columns)]), Attribution(scoring, adapters, own, settings_of(scoring)))
    rows = [row for part in made for row in part.to_pylist()]
    keys = ("adapter_id", "method", "target_id", "values")
    return [[{key: row[key] for key in keys} for row in rows if row["example_id"] == name] for name in columns["example_id"]]


def batch(
    scoring: Any, contents: tuple[Any, ...], entries: list[list[Row] | None], n_variants: int, names: tuple[str, ...] | None = None
) -> pa.RecordBatch:
    columns = {
        "example_id": list(names or (f"t{place}" for place in range(len(contents)))),
        scoring.column: list(contents),
        "attributions": pa.array(entries, pa.list_(ENTRY)),
        "todo": pa.array([list(range(n_variants))] * len(contents), pa.list_(pa.int32())),
    }
    return pa.RecordBatch.from_pydict(columns)


def inverted_rows(
    scoring: Any, adapters: tuple[ScoredAdapter, ...], batches: list[pa.RecordBatch], names: tuple[str, ...], told: ExplanationSettings
) -> dict[tuple[str, str, str], Row]:
    plan = Inverting(scoring, adapters, told, identity(adapters, names))
    made = list(invert(iter(batches), plan))
    assert all(part.schema == EXPLANATION_METRICS.arrow_schema(ERROR_COLUMNS) for part in made)
    rows = [row for part in made for row in part.to_pylist()]
    found = {(row["example_id"], row["adapter_id"], row["method"]): row for row in rows}
    assert len(found) == len(rows)
    return found
