"""What did each adapter look at? The verb of silver.attributions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.rows import Identity, batch_of, wanted_by
from models.scoring import ScoredAdapter, Scoring
from silver.specs import ATTRIBUTIONS
from xai.attribution import attention

Explained = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Attribution:
    """What the verb must know: how to score, which adapters, what `todo` counts in."""

    scoring: Scoring
    adapters: tuple[ScoredAdapter, ...]
    identity: Identity


def _attention(scoring: Scoring, adapter: ScoredAdapter, pixels: NDArray[np.float32]) -> Explained:
    """Logits and the last layer's CLS attention to the patches; rows that are not finite are tried once more in float32."""
    logits, rows = scoring.scorer(adapter).explain(pixels)
    bad = ~(np.isfinite(logits).all(axis=1) & np.isfinite(rows).all(axis=(1, 2)))
    if bad.any():
        logits[bad], rows[bad] = scoring.scorer(adapter, "float32").explain(pixels[bad])
    return logits[:, list(adapter.label_order)], attention(rows, scoring.backbone.n_prefix)


# Method name -> (logits [n, labels], attribution [n, units]). Adding one = one function in xai.attribution and one line here.
EXPLAINERS: dict[str, Callable[[Scoring, ScoredAdapter, NDArray[np.float32]], Explained]] = {"attention": _attention}


def attribute(batches: Iterator[pa.RecordBatch], plan: Attribution) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, image, todo) -> batches of silver.attributions with error columns. The target is the predicted class."""
    for batch in batches:
        pixels = plan.scoring.pixels(plan.scoring.pictures(batch.column("image").to_pylist()))
        ids = batch.column("example_id").to_pylist()
        wanted = wanted_by(batch, plan.identity, "adapter_id", [adapter.adapter_id for adapter in plan.adapters])
        for adapter in plan.adapters:
            if rows := wanted[adapter.adapter_id]:
                yield batch_of(ATTRIBUTIONS, _rows(plan, adapter, [ids[row] for row in rows], pixels[rows]))


def _rows(plan: Attribution, adapter: ScoredAdapter, ids: list[str], pixels: NDArray[np.float32]) -> Iterator[dict[str, object]]:
    methods = [str(variant["method"]) for variant in plan.identity.variants if variant["adapter_id"] == adapter.adapter_id]
    for method in methods:
        logits, values = EXPLAINERS[method](plan.scoring, adapter, pixels)
        finite = np.asarray(np.isfinite(logits).all(axis=1) & np.isfinite(values).all(axis=1))
        for position, example_id in enumerate(ids):
            base = plan.identity.columns() | {"example_id": example_id, "adapter_id": adapter.adapter_id, "method": method}
            if not finite[position]:
                yield base | {"error_code": "nonfinite", "message": f"{method} holds NaN or Inf in {plan.scoring.dtype} and in float32"}
                continue
            yield base | {
                "target_id": int(logits[position].argmax()),
                "values": values[position].tolist(),
                "n_units": int(values.shape[1]),
            }
