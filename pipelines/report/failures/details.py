"""What must be known of a chosen failure to show it? Input, label, both answers, attribution and the settings of the corruption."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report.source import Reading, Row

EXAMPLES, PREDICTIONS, ATTRIBUTIONS = "bronze.examples_current", "silver.predictions_current", "silver.attributions_current"
ADAPTERS, ATTACKED, SETTINGS = "silver.adapters_current", "ood.attacked_texts_current", "audit.settings"

INPUTS = "SELECT example_id, label, image, text FROM bronze.examples_current WHERE dataset = ? AND list_contains(?, example_id)"
CLEAN = "SELECT example_id, adapter_id, confidence FROM silver.predictions_current WHERE dataset = ? AND list_contains(?, example_id)"
LOOKED = """
SELECT example_id, adapter_id, "values", words FROM silver.attributions_current
WHERE dataset = ? AND method = ? AND list_contains(?, example_id)
"""
LABELS = "SELECT DISTINCT label_id, label FROM bronze.examples_current WHERE dataset = ? AND label_id IS NOT NULL ORDER BY ALL"
NAMES = "SELECT adapter_id, name FROM silver.adapters_current WHERE dataset = ?"


@dataclass(frozen=True)
class Failure:
    """One answer that was right on the clean input and is wrong on the corrupted one."""

    example_id: str
    corruption: str
    severity: int
    adapter: str
    label: str
    answer: str
    confidence: float
    clean_confidence: float
    values: tuple[float, ...]
    words: tuple[str, ...]
    image: bytes | None
    text: str | None
    settings_id: str


def details(reading: Reading, chosen: Sequence[Row], method: str) -> list[Failure]:
    """Of each chosen row what is shown; rows whose input or clean answer is no longer in the lake are left out."""
    ids = [row["example_id"] for row in chosen]
    dataset = reading.dataset
    inputs = {row["example_id"]: row for row in reading.rows(INPUTS, dataset, ids)}
    clean = {(row["example_id"], row["adapter_id"]): row for row in reading.rows(CLEAN, dataset, ids)}
    looked = {(row["example_id"], row["adapter_id"]): row for row in reading.rows(LOOKED, dataset, method, ids)}
    labels = {row["label_id"]: row["label"] for row in reading.rows(LABELS, dataset)}
    names = {row["adapter_id"]: row["name"] for row in reading.rows(NAMES, dataset)}
    made = []
    for row in chosen:
        key = (row["example_id"], row["adapter_id"])
        if key[0] in inputs and key in clean:
            made.append(_failure(row, inputs[key[0]], clean[key], looked.get(key, {}), labels, names))
    return made


def settings_of(reading: Reading, table: str, settings_id: str) -> dict[str, Any] | None:
    """What stands behind a settings_id of a table; None where the lake no longer says."""
    sql = "SELECT settings FROM audit.settings WHERE dataset = ? AND table_name = ? AND settings_id = ?"
    found = reading.rows(sql, reading.dataset, table, settings_id) if reading.has(SETTINGS) else []
    settings: dict[str, Any] | None = json.loads(found[0]["settings"]) if found else None
    return settings


def _failure(row: Row, given: Row, clean: Row, looked: Row, labels: dict[int, str], names: dict[str, str]) -> Failure:
    return Failure(
        example_id=row["example_id"],
        corruption=row["corruption"],
        severity=row["severity"],
        adapter=str(names.get(row["adapter_id"], row["adapter_id"])),
        label=given["label"],
        answer=labels.get(row["predicted_id"], f"label {row['predicted_id']}"),
        confidence=row["confidence"],
        clean_confidence=clean["confidence"],
        values=tuple(looked.get("values") or ()),
        words=tuple(looked.get("words") or ()),
        image=given["image"],
        text=given["text"],
        settings_id=row["settings_id"],
    )
