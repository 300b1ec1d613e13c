"""What did each adapter look at? The verb of silver.attributions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lake.rows import Identity, batch_of
from models.any_scoring import AnyScoring, Included, Inputs
from models.scored_adapter import ScoredAdapter
from silver.explainers import Explained, block_of, explained
from silver.methods import METHOD_SETTINGS, MethodSettings
from silver.specs import ATTRIBUTIONS
from silver.wanted import wanted_of


@dataclass(frozen=True)
class Attribution:
    """What the verb must know: how to score, which adapters, what `todo` counts in, how the methods are set."""

    scoring: AnyScoring
    adapters: tuple[ScoredAdapter, ...]
    identity: Identity
    settings: MethodSettings = METHOD_SETTINGS


def attribute(batches: Iterator[pa.RecordBatch], plan: Attribution) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, image or text, todo) -> batches of silver.attributions with error columns.

    The target is the predicted class; values, and the words of a text, are the example's own units alone.
    """
    for batch in batches:
        inputs = plan.scoring.prepare(batch.column(plan.scoring.column).to_pylist())
        ids = batch.column("example_id").to_pylist()
        for adapter in plan.adapters:
            for wanted, rows in wanted_of(batch, plan.identity, adapter.adapter_id, "method").items():
                methods = [method for (method,) in wanted]
                yield batch_of(ATTRIBUTIONS, _rows(plan, adapter, [ids[row] for row in rows], inputs[rows], methods))


def _rows(
    plan: Attribution, adapter: ScoredAdapter, ids: Sequence[str], inputs: Inputs, methods: Sequence[str]
) -> Iterator[dict[str, object]]:
    block = block_of(plan.scoring, adapter, inputs, ids, methods, plan.settings)
    included, words = plan.scoring.included(inputs), plan.scoring.words(inputs)
    for method in methods:
        found = explained(block, method)
        finite = np.asarray(np.isfinite(block.logits).all(axis=1) & np.isfinite(found.values).all(axis=1))
        for row, example_id in enumerate(ids):
            base = plan.identity.columns() | {"example_id": example_id, "adapter_id": adapter.adapter_id, "method": method}
            if finite[row]:
                own = {"target_id": int(block.logits[row].argmax()), "words": None if words is None else words[row]}
                yield base | own | _numbers(found, row, included)
            else:
                yield base | {"error_code": "nonfinite", "message": f"{method} holds NaN or Inf in {plan.scoring.dtype} and in float32"}


def _numbers(found: Explained, row: int, included: Included | None) -> dict[str, object]:
    """An example's own values and their errors; null where there is nothing to tell, or the masks were too few to tell it."""
    values = found.values[row] if included is None else found.values[row][included[row]]
    numbers: dict[str, object] = {"values": values.tolist(), "n_units": len(values)}
    if found.error is None:
        return numbers
    errors = found.error[row] if included is None else found.error[row][included[row]]
    if not np.isfinite(errors).all():
        return numbers
    return numbers | {"error": float(np.sqrt(np.mean(errors.astype(np.float64) ** 2))), "errors": errors.tolist()}
