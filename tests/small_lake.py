"""A lake made by hand, without Spark: a few rows in the tables that the views read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from bronze.specs import EXAMPLES, REFERENCES, REJECTED
from gold.tables.degradation import SPEC as DEGRADATION
from lake.audit import CELLS
from lake.spec import Table
from silver.specs import EXPLANATION_METRICS, PREDICTIONS

OLD, NEW = "a" * 16, "b" * 16


def write_table(root: Path, table: Table, rows: list[dict[str, object]]) -> None:
    """Appends rows (missing columns are null, others are left out) with the table's schema."""
    batch = pa.Table.from_pylist(rows, schema=table.arrow_schema())
    write_deltalake(str(root / table.layer / table.name), batch, mode="append", partition_by=list(table.partition_by) or None)


def cell(table: str, settings_id: str, generation: int, adapter_id: str = "*", done: int = 1, **where: object) -> dict[str, object]:
    row = {"dataset": "d", "table_name": table, "adapter_id": adapter_id, "corruption": "*", "severity": 0, "settings_id": settings_id}
    return row | {"inputs_sha256": "x", "n_expected": 1, "n_done": done, "generation": generation} | where


def prediction(adapter_id: str, settings_id: str, confidence: float) -> dict[str, object]:
    row = {"dataset": "d", "example_id": "e", "adapter_id": adapter_id, "settings_id": settings_id, "predicted_id": 0, "margin": 0.5}
    return row | {"confidence": confidence, "energy": -1.0, "pnorm_logit": 0.5, "is_correct": True, "logits": [1.5, 0.25]}


def example(example_id: str, settings_id: str, label: str) -> dict[str, object]:
    row = {"dataset": "d", "example_id": example_id, "settings_id": settings_id, "modality": "image", "split": "meta", "label_id": 0}
    return row | {"label": label, "image": b"12345", "source_path": f"{label}/1.png", "notes": ["first_frame"]}


def degradation(corruption: str, severity: int, accuracy: float) -> dict[str, object]:
    row = {"dataset": "d", "adapter_id": "one", "corruption": corruption, "severity": severity, "accuracy": accuracy}
    return row | {"clean_accuracy": 0.9, "n": 10, "settings_id": NEW}


def write_small_lake(root: Path) -> None:
    """Adapter `one` has two complete generations; of `two` the newer one is half done; examples have two, the older one counts again."""
    write_table(root, EXAMPLES, [example("e", OLD, "cat"), example("f", NEW, "=dog()")])
    write_table(
        root, REFERENCES, [{"dataset": "d", "source_path": "p", "example_id": "e", "settings_id": s, "label": "cat"} for s in (OLD, NEW)]
    )
    refused = {"dataset": "d", "source_path": "q", "stage": "read", "error_code": "truncated", "run_id": "r"}
    write_table(root, REJECTED, [refused | {"settings_id": s} for s in (OLD, NEW)])
    write_table(
        root,
        PREDICTIONS,
        [prediction(a, s, c) for a, s, c in (("one", OLD, 0.5), ("one", NEW, 0.625), ("two", OLD, 0.75), ("two", NEW, 0.875))],
    )
    scores = {"dataset": "d", "example_id": "e", "method": "attention", "metric_group": "default", "settings_id": NEW}
    metrics = [("one", [("entropy", 0.25), ("gini", None)]), ("two", [])]
    write_table(root, EXPLANATION_METRICS, [scores | {"adapter_id": a, "metrics": m} for a, m in metrics])
    write_table(root, DEGRADATION, [degradation("none", 0, 0.9), *(degradation("fog", s, 0.9 - 0.1 * s) for s in range(1, 6))])
    mine = "silver.predictions"
    write_table(root, CELLS, [
        cell("bronze.examples", NEW, 1), cell("bronze.examples", OLD, 2),
        cell(mine, OLD, 3, "one"), cell(mine, NEW, 5, "one"), cell(mine, OLD, 3, "two"), cell(mine, NEW, 5, "two", 0),
    ])  # fmt: skip
