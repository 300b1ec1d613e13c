"""Lakes for the report: tables in memory, for sections alone, and one in a folder whose names are hostile."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from PIL import Image

from bronze.specs import EXAMPLES
from gold.forecast.tables import TABLES as FORECAST_TABLES
from gold.forecast.tables.coverage_risk import SPEC as COVERAGE
from gold.forecast.tables.forecast_check import SPEC as CHECK
from gold.forecast.tables.forecast_comparison import SPEC as COMPARISON
from gold.forecast.tables.forecast_verdict import SPEC as VERDICT
from gold.forecast.tables.forecasts import ORIGINS
from gold.forecast.tables.forecasts import SPEC as FORECASTS
from gold.forecast.tables.reliability import SPEC as RELIABILITY
from gold.provenance.tables.provenance_generated import METHODS
from gold.provenance.tables.provenance_generated import SPEC as GENERATED
from gold.provenance.tables.provenance_summary import SPEC as NETWORKS
from gold.provenance.tables.provenance_verdict import SPEC as AGAINST
from gold.tables.adapter_summary import SPEC as SUMMARY
from gold.tables.degradation import SPEC as DEGRADATION
from gold.tables.training_summary import SPEC as TRAINING
from lake.audit import CELLS, SETTINGS_OF
from ood.specs import ATTACKED_TEXTS
from ood.specs import PREDICTIONS as MET
from pipelines.report.source import Reading, Room, Source
from silver.specs import ADAPTERS, ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS
from tests.small_lake import cell, write_table

NOW = "c" * 16
HOSTILE = '<script>console.error("obeyed")</script>"\'><img src=http://example.invalid/x.png onerror=alert(1)>'
TURNED = "\u202egnp.exe \u05d0\u05d1\u05d2"
LONG = "very" * 2500  # 10,000 characters without a place to break
PREPROCESSING = {"crop": "none", "mean": [0, 0, 0], "resample": "bicubic", "rescale": 1.0, "resize_to": 16, "size": 16, "std": [1, 1, 1]}


def reading_of(tables: Mapping[str, Sequence[Mapping[str, object]]], room: Room | None = None, dataset: str = "d") -> Reading:
    """A reading of these rows (`dataset` is filled in), every table at version 7."""
    connection = duckdb.connect(":memory:")
    for name, rows in tables.items():
        layer = name.partition(".")[0]
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
        connection.register("given", pa.Table.from_pylist([{"dataset": dataset} | dict(row) for row in rows]))
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    source = Source(connection, tuple(tables), dict.fromkeys(tables, 7), room or Room())
    return Reading(source, dataset)


def picture(seed: int) -> bytes:
    """A PNG of 16 x 16 pixels of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()


def write_hostile_lake(root: Path) -> None:
    """A dataset of pictures and one of texts; names of datasets, adapters, labels, words and rules are markup, turned or endless."""
    for dataset, modality in ((f"{HOSTILE}/pictures", "image"), ("texts", "text")):
        _write_examples(root, dataset, modality)
        _write_adapters(root, dataset)
        change = "ki_contrast" if modality == "image" else "typos"
        _write_answers(root, dataset, change, modality)
        _write_forecasts(root, dataset, change)
        _write_provenance(root, dataset)


def _write_examples(root: Path, dataset: str, modality: str) -> None:
    rows = []
    for number, label in enumerate((HOSTILE, TURNED, LONG)):
        row = {
            "dataset": dataset,
            "example_id": f"e{number}",
            "settings_id": NOW,
            "modality": modality,
            "split": "meta",
            "label_id": number,
        }
        content = {"image": picture(number)} if modality == "image" else {"text": f"{HOSTILE} {TURNED} {LONG}"}
        rows.append(row | content | {"label": label, "source_path": "p", "notes": []})
    write_table(root, EXAMPLES, rows)
    write_table(root, CELLS, [cell("bronze.examples", NOW, 1) | {"dataset": dataset}])
    bronze = {"decode": {"max_bytes": 10**6, "max_pixels": 10**6}}
    ood = {"apply_at": "model", "seed": 3, "examples": NOW, "preprocessing": PREPROCESSING}
    kept = {"dataset": dataset, "settings_id": NOW}
    stood = [("bronze.examples", bronze), ("ood.predictions", ood)]
    write_table(root, SETTINGS_OF, [kept | {"table_name": table, "settings": json.dumps(settings)} for table, settings in stood])


def _write_adapters(root: Path, dataset: str) -> None:
    for adapter, name in (("one", HOSTILE), ("two", TURNED + LONG)):
        key = {"dataset": dataset, "adapter_id": adapter, "settings_id": NOW, "name": name}
        about = key | {"recipe": HOSTILE, "rank": 4, "seed": 0, "backbone": HOSTILE, "status": "ready", "labels": ["a"], "reason": HOSTILE}
        write_table(root, ADAPTERS, [about])
        write_table(root, CELLS, [cell("silver.adapters", NOW, 1, adapter) | {"dataset": dataset}])
        write_table(root, TRAINING, [{name: about.get(name) for name in TRAINING.column_names} | {"n": 1}])
        summary = {"clean_accuracy": 0.9, "accuracy": 0.5, "ci_low": 0.4, "ci_high": 0.6, "flip_rate": 0.4, "n_examples": 3, "n": 3}
        write_table(root, SUMMARY, [key | summary])


def _write_forecasts(root: Path, dataset: str, change: str) -> None:
    """Every table of forecasts, whatever in it is free text hostile."""
    of = {"dataset": dataset, "settings_id": NOW, "n": 3}
    judged = of | {"protocol": "grouped", "features": "confidence+xai", "model": HOSTILE, "reason": LONG}
    for table in FORECAST_TABLES:
        write_table(root, CELLS, [cell(table.full_name, NOW, 1) | {"dataset": dataset}])
    write_table(root, COMPARISON, [judged | {"auroc": 0.7, "is_headline": True, "leaky": False, "columns": HOSTILE, "left_out": LONG}])
    write_table(root, VERDICT, [judged | {"verdict": "no_evidence", "sentence": HOSTILE + LONG, "delta_auroc": 0.1, "other_model": TURNED}])
    bins = [{"calibration": "none", "bin": place, "mean_forecast": 0.2 + place / 4, "failure_rate": 0.3} for place in range(3)]
    write_table(root, RELIABILITY, [judged | one for one in bins])
    write_table(root, COVERAGE, [judged | {"coverage": kept, "error": 0.3} for kept in (1.0, 0.9)])
    rates = {"predicted_failure_rate": 0.3, "observed_failure_rate": 0.4, "cell_mean": 0.2, "reason": HOSTILE}
    cells = [("one", "ahead", change), ("two", "held_out", f"{HOSTILE}{TURNED}")]
    write_table(root, FORECASTS, [of | rates | {"adapter_id": a, "origin": o, "corruption": c, "severity": 1} for a, o, c in cells])
    checked = of | {"mean_absolute_error": 0.1, "bias": -0.1, "sentence": HOSTILE + LONG, "reason": LONG, "n_adapters": 1}
    write_table(root, CHECK, [checked | {"origin": origin, "estimator": "forecast"} for origin in ORIGINS])


def _write_provenance(root: Path, dataset: str) -> None:
    """Networks, what is said of them, and a generated picture with five exemplars by each method, the examples of the lake in turn."""
    of = {"dataset": dataset, "settings_id": NOW, "n": 3}
    names = {"variant": HOSTILE, "model_size": TURNED, "sharing_level": LONG, "selection": HOSTILE}
    write_table(root, NETWORKS, [of | names | {"subset": 0.3, "alpha": 0.0, "seed": 0, "class_accuracy": 0.9, "membership_auc": 0.6,
                                               "lambda_class": 1.0, "lambda_index": 1.0, "teacher_forcing": True}])  # fmt: skip
    write_table(root, AGAINST, [of | {"question": LONG, "variant": HOSTILE, "against": TURNED, "sentence": f"{HOSTILE} {TURNED} {LONG}"}])
    row = of | {"seed": 0, "picture": 0, "image": picture(9), "pixel_distance": 1.0, "probability": 0.5}
    keys = [(method, rank) for method in METHODS for rank in range(1, 6)]
    rows = [row | {"method": method, "rank": rank, "train_example_id": f"e{rank % 3}"} for method, rank in keys]
    write_table(root, GENERATED, rows)


def _write_answers(root: Path, dataset: str, change: str, modality: str) -> None:
    for adapter in ("one", "two"):
        made = {"dataset": dataset, "adapter_id": adapter, "settings_id": NOW}
        for name in ("silver.predictions", "silver.attributions", "silver.explanation_metrics"):
            write_table(root, CELLS, [cell(name, NOW, 1, adapter) | {"dataset": dataset}])
        write_table(root, CELLS, [cell("ood.predictions", NOW, 1, adapter) | {"dataset": dataset, "corruption": change}])
        fell = [{"corruption": "none", "severity": 0, "accuracy": 0.9}, {"corruption": change, "severity": 1, "accuracy": 0.5}]
        write_table(root, DEGRADATION, [made | {"clean_accuracy": 0.9, "n": 3} | point for point in fell])
        for number in range(3):
            key = made | {"example_id": f"e{number}"}
            score = {"confidence": 0.9, "margin": 0.8, "energy": -1.0, "pnorm_logit": 0.5, "logits": [1.0]}
            write_table(root, PREDICTIONS, [key | score | {"predicted_id": number, "is_correct": True}])
            words = None if modality == "image" else [HOSTILE, TURNED, LONG]
            looked = {"method": "attention", "target_id": number, "n_units": 4 if words is None else 3, "words": words}
            values = [0.1, 0.2, 0.3, 0.4] if words is None else [0.5, -0.25, 0.0]
            write_table(root, ATTRIBUTIONS, [key | looked | {"values": values}])
            scores = {"method": "attention", "metric_group": "default", "metrics": [("entropy", 0.5), ("deletion", float("nan"))]}
            write_table(root, EXPLANATION_METRICS, [key | scores])
            answer = {"corruption": change, "severity": 1, "predicted_id": (number + 1) % 3, "confidence": 0.6, "parameter": 0.5}
            write_table(root, MET, [key | answer | {"is_correct": False, "flipped": True}])
    if modality == "text":
        write_table(root, CELLS, [cell("ood.attacked_texts", NOW, 1) | {"dataset": dataset}])
        text = {"dataset": dataset, "attack": change, "severity": 1, "settings_id": NOW, "original": f"{TURNED} word", "rule": HOSTILE}
        edits = text | {"edited": f"{HOSTILE} {TURNED} {LONG}", "positions": [0, 2], "is_edited": True}
        write_table(root, ATTACKED_TEXTS, [edits | {"example_id": f"e{number}"} for number in range(3)])
