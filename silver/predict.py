"""What does each adapter answer on each clean example? The verb of silver.predictions and silver.outside_predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.rows import Identity, batch_of, wanted_by
from lake.spec import Table
from models.any_scoring import AnyScoring, Inputs
from models.scored_adapter import ScoredAdapter
from silver.confidence import confidence_scores
from silver.specs import PREDICTIONS


@dataclass(frozen=True)
class Prediction:
    """What the verb must know: how to score, which adapters, what `todo` counts in, the constant columns, and whose columns to give.

    `table`: PREDICTIONS, or OUTSIDE_PREDICTIONS, which has no `is_correct`.
    """

    scoring: AnyScoring
    adapters: tuple[ScoredAdapter, ...]
    identity: Identity
    table: Table = PREDICTIONS


def predict(batches: Iterator[pa.RecordBatch], plan: Prediction) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, label_id, image or text, todo) -> batches of the plan's table with error columns."""
    for batch in batches:
        inputs = plan.scoring.prepare(batch.column(plan.scoring.column).to_pylist())
        wanted = wanted_by(batch, plan.identity, "adapter_id", [adapter.adapter_id for adapter in plan.adapters])
        for adapter in plan.adapters:
            rows = wanted[adapter.adapter_id]
            if rows:
                yield batch_of(plan.table, _rows(plan, adapter, batch, rows, inputs[rows]))


def _rows(
    plan: Prediction, adapter: ScoredAdapter, batch: pa.RecordBatch, rows: Sequence[int], inputs: Inputs
) -> Iterator[dict[str, object]]:
    logits = plan.scoring.logits(adapter, inputs)
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(logits).all(axis=1))
    scores = confidence_scores(np.where(finite[:, None], logits, 0))
    ids, labels = batch.column("example_id"), batch.column("label_id")
    for position, row in enumerate(rows):
        base = plan.identity.columns() | {"example_id": ids[row].as_py(), "adapter_id": adapter.adapter_id}
        if not finite[position]:
            yield base | {"error_code": "nonfinite", "message": f"logits hold NaN or Inf in {plan.scoring.dtype} and in float32"}
            continue
        entropy = float(scores.softmax_entropy[position])
        predicted = int(scores.predicted[position])
        yield base | {
            "predicted_id": predicted,
            "confidence": float(scores.confidence[position]),
            "margin": float(scores.margin[position]),
            "softmax_entropy": None if math.isnan(entropy) else entropy,
            "energy": float(scores.energy[position]),
            "pnorm_logit": float(scores.pnorm_logit[position]),
            "is_correct": predicted == labels[row].as_py(),
            "logits": logits[position].tolist(),
        }
