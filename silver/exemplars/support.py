"""How does what a head names support the answer of an adapter? The verb of the metric_group `provenance` of silver.explanation_metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lake.rows import Identity, batch_of
from silver.specs import EXPLANATION_METRICS
from xai.metrics import exemplar_agreement, exemplar_entropy, exemplar_probability

NOBODY = -1  # a label that no class has: there is no exemplar
MESSAGES = {
    "exemplar_missing": "silver.exemplars has no rows for this example and head: see audit.rejected",
    "prediction_missing": "silver.predictions has no row for this example and adapter: see audit.rejected",
}


def support(batches: Iterator[pa.RecordBatch], identity: Identity, k: int) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, exemplars, predicted, todo) -> batches of silver.explanation_metrics with error columns.

    `exemplars`: list of (rank, train_label_id, probability, distance) of one head; `predicted`: list of (adapter_id, predicted_id). No true
    label is read: the rows are features of forecasts that are made before it is known. Rejected: `exemplar_missing`, `prediction_missing`.
    """
    columns = ("example_id", "exemplars", "predicted", "todo")
    for batch in batches:
        rows = zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
        yield batch_of(EXPLANATION_METRICS, (row for one in rows for row in _of_example(*one, identity=identity, k=k)))


def _of_example(
    example_id: str,
    exemplars: Sequence[Mapping[str, Any]] | None,
    predicted: Sequence[Mapping[str, Any]] | None,
    todo: Sequence[int],
    *,
    identity: Identity,
    k: int,
) -> Iterator[dict[str, Any]]:
    answers = {one["adapter_id"]: one["predicted_id"] for one in predicted or ()}
    ranks = sorted((one for one in exemplars or () if one["rank"] <= k), key=lambda one: int(one["rank"]))
    for index in todo:
        variant = identity.variants[index]
        key = identity.columns() | {"example_id": example_id} | dict(variant)
        if len(ranks) < k:
            yield key | _refused("exemplar_missing")
        elif variant["adapter_id"] not in answers:
            yield key | _refused("prediction_missing")
        else:
            yield key | {"metrics": list(metrics_of(ranks, answers[variant["adapter_id"]]).items())}


def metrics_of(ranks: Sequence[Mapping[str, Any]], predicted_id: int) -> dict[str, float | None]:
    """The metrics of group `provenance`, as `xai.metrics.METRICS` has them; null where there is no exemplar. `ranks` in order."""
    probability = np.array([one["probability"] for one in ranks], dtype=np.float64)
    labels = np.array([NOBODY if one["train_label_id"] is None else one["train_label_id"] for one in ranks], dtype=np.int64)
    found = {
        "exemplar_entropy": exemplar_entropy(probability),
        "exemplar_agreement": exemplar_agreement(labels, np.int64(predicted_id), labels != NOBODY),
        "exemplar_probability": exemplar_probability(probability),
        "exemplar_distance": math.nan if ranks[0]["distance"] is None else ranks[0]["distance"],
    }
    return {name: float(value) if math.isfinite(value) else None for name, value in found.items()}


def _refused(code: str) -> dict[str, Any]:
    return {"error_code": code, "message": MESSAGES[code]}
