"""What did each adapter look at? The verb of silver.attributions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lake.rows import Identity, batch_of, wanted_by
from models.any_scoring import AnyScoring, Inputs
from models.scored_adapter import ScoredAdapter
from silver.explainers import explained
from silver.specs import ATTRIBUTIONS


@dataclass(frozen=True)
class Attribution:
    """What the verb must know: how to score, which adapters, what `todo` counts in."""

    scoring: AnyScoring
    adapters: tuple[ScoredAdapter, ...]
    identity: Identity


def attribute(batches: Iterator[pa.RecordBatch], plan: Attribution) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, image or text, todo) -> batches of silver.attributions with error columns.

    The target is the predicted class; values, and the words of a text, are the example's own units alone.
    """
    for batch in batches:
        inputs = plan.scoring.prepare(batch.column(plan.scoring.column).to_pylist())
        ids = batch.column("example_id").to_pylist()
        wanted = wanted_by(batch, plan.identity, "adapter_id", [adapter.adapter_id for adapter in plan.adapters])
        for adapter in plan.adapters:
            if rows := wanted[adapter.adapter_id]:
                yield batch_of(ATTRIBUTIONS, _rows(plan, adapter, [ids[row] for row in rows], inputs[rows]))


def _rows(plan: Attribution, adapter: ScoredAdapter, ids: list[str], inputs: Inputs) -> Iterator[dict[str, object]]:
    methods = [str(variant["method"]) for variant in plan.identity.variants if variant["adapter_id"] == adapter.adapter_id]
    included, words = plan.scoring.included(inputs), plan.scoring.words(inputs)
    for method in methods:
        logits, values = explained(plan.scoring, plan.scoring.column, method, adapter, inputs)
        finite = np.asarray(np.isfinite(logits).all(axis=1) & np.isfinite(values).all(axis=1))
        for position, example_id in enumerate(ids):
            base = plan.identity.columns() | {"example_id": example_id, "adapter_id": adapter.adapter_id, "method": method}
            if not finite[position]:
                yield base | {"error_code": "nonfinite", "message": f"{method} holds NaN or Inf in {plan.scoring.dtype} and in float32"}
                continue
            own = values[position] if included is None else values[position][included[position]]
            yield base | {
                "target_id": int(logits[position].argmax()),
                "values": own.tolist(),
                "n_units": len(own),
                "words": None if words is None else words[position],
            }
