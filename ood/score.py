"""What does each adapter answer when the input is shifted? The verb of ood.predictions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.rows import Identity, batch_of
from models.any_scoring import AnyScoring
from models.scored_adapter import ScoredAdapter
from ood.settings import CLEAN
from ood.shift import Shifts
from ood.specs import PREDICTIONS


@dataclass(frozen=True)
class Exposure:
    """What the verb must know: how to score, which adapters, how inputs are changed, what `todo` counts in."""

    scoring: AnyScoring
    adapters: tuple[ScoredAdapter, ...]
    shifts: Shifts
    identity: Identity


@dataclass(frozen=True)
class Answers:
    """One adapter's answers on one cell of a batch: predicted label int64 [n], its probability, and which rows are finite."""

    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    finite: NDArray[np.bool_]


def expose(batches: Iterator[pa.RecordBatch], plan: Exposure) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, label_id, image or text, todo) -> batches of ood.predictions with error columns.

    An input is read once, and changed once per corruption (or attack) and severity, for all adapters. Every adapter also answers the
    clean input, which `flipped` is measured against.
    """
    for batch in batches:
        ids = batch.column("example_id").to_pylist()
        labels = np.array(batch.column("label_id").to_pylist())
        read = plan.shifts.read(batch)
        wanted = wanted_rows(batch, plan.identity)
        cells = list(dict.fromkeys([CLEAN, *((corruption, severity) for _, corruption, severity in wanted)]))
        adapters = [adapter for adapter in plan.adapters if any(key[0] == adapter.adapter_id for key in wanted)]
        clean: dict[str, Answers] = {}
        for corruption, severity in cells:  # clean first; one cell's inputs in memory at a time
            inputs = plan.shifts.changed(read, ids, corruption, severity)
            parameter = plan.shifts.value(corruption, severity)
            for adapter in adapters:
                answers = answers_of(plan.scoring.logits(adapter, inputs))
                if (corruption, severity) == CLEAN:
                    clean[adapter.adapter_id] = answers
                if rows := wanted.get((adapter.adapter_id, corruption, severity)):
                    base = plan.identity.columns() | {"adapter_id": adapter.adapter_id, "corruption": corruption, "severity": severity}
                    made = _rows(base, parameter, ids, labels, rows, answers, clean[adapter.adapter_id])
                    yield batch_of(PREDICTIONS, made)


def wanted_rows(batch: pa.RecordBatch, identity: Identity) -> dict[tuple[str, str, int], list[int]]:
    """(adapter, corruption, severity) -> rows of the batch still to do."""
    wanted: dict[tuple[str, str, int], list[int]] = {}
    for row, todo in enumerate(batch.column("todo").to_pylist()):
        for index in todo:
            variant = identity.variants[index]
            key = (str(variant["adapter_id"]), str(variant["corruption"]), int(variant["severity"]))
            wanted.setdefault(key, []).append(row)
    return wanted


def answers_of(logits: NDArray[np.float32]) -> Answers:
    """The answers that logits float32 [n, labels] give."""
    finite = np.asarray(np.isfinite(logits).all(axis=1))
    # C order: a row's terms are then added in one order, whatever its neighbours and however the labels were picked
    wide = np.where(finite[:, None], logits, 0).astype(np.float64, order="C")
    p = np.exp(wide - wide.max(axis=1, keepdims=True))
    confidence = p.max(axis=1) / p.sum(axis=1)
    return Answers(wide.argmax(axis=1), confidence.clip(0.0, 1.0), finite)


def _rows(
    base: dict[str, object],
    parameter: float | None,
    ids: list[str],
    labels: NDArray[np.int64],
    rows: list[int],
    answers: Answers,
    clean: Answers,
) -> Iterator[dict[str, object]]:
    for row in rows:
        own = base | {"example_id": ids[row]}
        if not (answers.finite[row] and clean.finite[row]):
            yield own | {
                "error_code": "nonfinite",
                "message": "logits of the corrupted or the clean input hold NaN or Inf, also in float32",
            }
            continue
        is_correct = bool(answers.predicted[row] == labels[row])
        yield own | {
            "parameter": parameter,
            "predicted_id": int(answers.predicted[row]),
            "confidence": float(answers.confidence[row]),
            "is_correct": is_correct,
            "flipped": bool(clean.predicted[row] == labels[row]) and not is_correct,
        }
