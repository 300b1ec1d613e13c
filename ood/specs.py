"""What leaves ood? What each adapter answers on each corrupted meta example."""

from __future__ import annotations

from lake.spec import ADAPTER, DATASET, EXAMPLE, SETTINGS, Column, Table

PREDICTIONS = Table(
    "ood",
    "predictions",
    "One row per example, adapter, corruption and severity; the clean row is (none, 0).",
    ("dataset", "example_id", "adapter_id", "corruption", "severity", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        ADAPTER,
        Column("corruption", "string", "name of the corruption; none is the clean input"),
        Column("severity", "int", "1 is the mildest; 0 is clean", low=0, high=5),
        SETTINGS,
        Column("parameter", "double", "the corruption's leading parameter at this severity; null for clean"),
        Column(
            "predicted_id", "int", "position of the predicted label in the dataset's ordered labels", unit="index", low=0, nullable=False
        ),
        Column(
            "confidence",
            "double",
            "largest softmax probability on the corrupted input",
            unit="probability",
            low=0.0,
            high=1.0,
            nullable=False,
        ),
        Column("is_correct", "boolean", "the predicted label is the true one", nullable=False),
        Column("flipped", "boolean", "correct on the clean input, wrong here", nullable=False),
    ),
    ("dataset", "adapter_id"),
)

TABLES = (PREDICTIONS,)
