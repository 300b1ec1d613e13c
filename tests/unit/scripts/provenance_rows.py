"""Rows of gold.provenance_* by hand, as DuckDB gives them: what a test names over what all share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bronze.specs import EXAMPLES
from gold.provenance.tables import (
    provenance_causal,
    provenance_class_errors,
    provenance_epochs,
    provenance_mislabels,
    provenance_robustness,
    provenance_summary,
    provenance_verdict,
)
from gold.tables import adapter_summary
from lake.audit import CELLS, RUNS
from silver.exemplars.specs import HEADS
from tests.small_lake import write_table

LEVELS = {"plain": "none", "single_branch": "all"}
SPECS = {
    "summary": provenance_summary.SPEC, "epochs": provenance_epochs.SPEC, "robustness": provenance_robustness.SPEC,
    "class_errors": provenance_class_errors.SPEC, "mislabels": provenance_mislabels.SPEC, "causal": provenance_causal.SPEC,
    "verdict": provenance_verdict.SPEC, "heads": HEADS,
}  # fmt: skip
Row = dict[str, Any]


def key(variant: str = "class_conditional", seed: int = 0, **changed: Any) -> Row:
    level = LEVELS.get(variant.removeprefix("knn_"), "III")
    own = {"variant": variant, "model_size": "large", "subset": 0.3, "selection": "stratified", "alpha": 0.0, "sharing_level": level}
    return own | {"lambda_class": 1.0, "lambda_index": 1.0, "teacher_forcing": True, "seed": seed} | changed


def net(variant: str = "class_conditional", seed: int = 0, **given: Any) -> Row:
    """A row of the summary: 3,000 training pictures, 2,000 of meta."""
    shares = {"class_accuracy": 0.9, "class_accuracy_train": 1.0, "top1_index": 0.5, "top5_index": 0.9, "class_match_top1": 0.9}
    if variant == "plain":
        shares |= dict.fromkeys(("top1_index", "top5_index", "class_match_top1"))
    own = {"name": "conv_net", "parameters": 100, "slots": 338, "n_train": 3000, "epochs": 40, "seconds": 10.0, "n": 2000}
    return _full("summary", key(variant, seed) | shares | own | given)


def seeds(variant: str = "class_conditional", **given: Any) -> list[Row]:
    """Three rows, one per seed; a list gives each seed its value."""
    each = [{name: value[seed] if isinstance(value, list) else value for name, value in given.items()} for seed in range(3)]
    return [net(variant, seed, **one) for seed, one in enumerate(each)]


def embedded(variant: str, right: tuple[float, float, float], first: tuple[float, float, float] | None = None, **given: Any) -> Row:
    """A head over embeddings: accuracy and its ends, and those of the first example's class."""
    ends = ("", "_ci_low", "_ci_high")
    own = {f"class_accuracy{end}": value for end, value in zip(ends, right, strict=True)}
    own |= {f"class_match_top1{end}": value for end, value in zip(ends, first or (None,) * 3, strict=True)}
    return net(variant, model_size="embeddings", sharing_level="none", subset=1.0, **{"name": "slots", "n": 500, **own, **given})


def causal(scope: str, method: str, k: int, random: tuple[float, float, float] | None, head: tuple[float, float, float] | None) -> Row:
    """A row of the causal check: differences and their ends."""
    own = {"scope": scope, "method": method, "k": k, "change": -0.1, "change_ci_low": -0.2, "change_ci_high": 0.0}
    for name, ends, found in (("difference_from_random", "difference", random), ("difference_from_index_head", "against_head", head)):
        own |= dict(zip((name, f"{ends}_ci_low", f"{ends}_ci_high"), found or (None,) * 3, strict=True))
    told = f"{scope} {method} {k}: said by the lake."
    return _full("causal", own | {"n_seeds": 3 if scope == "head" else 1, "n": 60 if scope == "head" else 10, "sentence": told})


def other(table: str, **given: Any) -> Row:
    """A row of another table."""
    return _full(table, given)


def frame(table: str, rows: Sequence[Row]) -> pd.DataFrame:
    """As DuckDB gives it: numbers with nulls are float64."""
    types = {column.name: column.type for column in SPECS[table].columns}
    found = pd.DataFrame(list(rows), columns=list(types))
    return found.astype(
        {name: "float64" for name, kind in types.items() if kind == "double" or (kind != "string" and found[name].isna().any())}
    )


def write_lake(root: Path, dataset: str, **tables: Sequence[Row]) -> None:
    """These tables in a lake; rows get the dataset's name."""
    for name, rows in tables.items():
        write_table(root, SPECS[name], [row | {"dataset": dataset, "settings_id": "5" * 16} for row in rows])


def write_pictures(root: Path, dataset: str) -> None:
    """Three examples, no run, and a gold without adapters."""
    shared = {"dataset": dataset, "settings_id": "e" * 16, "modality": "image", "image": b"1", "source_path": "p", "notes": []}
    splits = {"a": ("adapter_train", 0), "b": ("adapter_train", 1), "c": ("meta", 0)}
    write_table(
        root, EXAMPLES, [{"example_id": name, "split": s, "label_id": i, "label": f"{i}", **shared} for name, (s, i) in splits.items()]
    )
    done = {
        "dataset": dataset,
        "table_name": "bronze.examples",
        "adapter_id": "*",
        "corruption": "*",
        "severity": 0,
        "settings_id": "e" * 16,
    }
    write_table(root, CELLS, [done | {"inputs_sha256": "i", "n_expected": 1, "n_done": 1, "generation": 1}])
    write_table(root, RUNS, [])
    write_table(root, adapter_summary.SPEC, [])


def _full(table: str, given: Row) -> Row:
    names = SPECS[table].column_names
    if unknown := set(given) - set(names):
        raise ValueError(f"{table} has no {sorted(unknown)}")
    return dict.fromkeys(names) | {"dataset": "mnist", "settings_id": "5" * 16} | given
