"""What does each adapter answer on shifted data of the user's own? The verb of ood.predictions for corruptions `natural:…`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from lake.rows import batch_of
from ood.score import Answers, Exposure, answers_of, wanted_rows
from ood.settings import CLEAN
from ood.specs import PREDICTIONS


def expose_natural(batches: Iterator[pa.RecordBatch], plan: Exposure) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, label_id, image or text, todo) of one shifted source -> batches of ood.predictions with error columns.

    The inputs are shifted as they are, so nothing changes them, and each adapter answers them once. There is no clean counterpart of
    them: `flipped` is null, as is `parameter`.
    """
    for batch in batches:
        ids = batch.column("example_id").to_pylist()
        labels = np.array(batch.column("label_id").to_pylist())
        wanted = wanted_rows(batch, plan.identity)
        if not wanted:
            continue
        inputs = plan.shifts.changed(plan.shifts.read(batch), ids, *CLEAN)
        for (adapter_id, corruption, severity), rows in wanted.items():  # of one source, so that each adapter comes once
            adapter = next(found for found in plan.adapters if found.adapter_id == adapter_id)
            answers = answers_of(plan.scoring.logits(adapter, inputs))
            key = plan.identity.columns() | {"adapter_id": adapter_id, "corruption": corruption, "severity": severity}
            yield batch_of(PREDICTIONS, [key | {"example_id": ids[row]} | _row(answers, int(labels[row]), row) for row in rows])


def _row(answers: Answers, label: int, row: int) -> dict[str, object]:
    if not answers.finite[row]:
        return {"error_code": "nonfinite", "message": "logits hold NaN or Inf, also in float32"}
    return {
        "predicted_id": int(answers.predicted[row]),
        "confidence": float(answers.confidence[row]),
        "is_correct": bool(answers.predicted[row] == label),
    }
