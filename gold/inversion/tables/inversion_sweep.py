"""How stable is the inversion score of a refined explanation under more pokes, and larger ones?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gold.inversion.tables.keys import DOMAIN, EXPLAINER, MODEL
from gold.table import TAIL, share
from lake.spec import DATASET, Column, Table

SPEC = Table(
    layer="gold",
    name="inversion_sweep",
    comment="inversion score after Reproduce-by-Poking (scale-free, lambda 1) on untouched inputs, by number and size of pokes of one unit",
    key=("dataset", "domain", "model", "explainer", "n_pert", "magnitude"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        DOMAIN,
        MODEL,
        EXPLAINER,
        Column("n_pert", "int", "pokes of each unit", unit="count", low=1),
        Column("magnitude", "double", "sd of a poke as share of a feature's size", unit="share", low=0.0),
        share("inversion_score", "mean over seeds and examples; never read without R and F (gold.inversion_summary)"),
        Column("std", "double", "standard deviation over seeds and examples", low=0.0),
        *TAIL,
    ),
)


def swept(records: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """One record per key from those of single seeds, whose `scores` are per example, null where there is none."""
    grouped: dict[tuple[object, ...], list[float]] = {}
    names = ("domain", "model", "explainer", "n_pert", "magnitude")
    for record in records:
        scores: Sequence[float | None] = record["scores"]  # type: ignore[assignment]  # a list, by the record's maker
        grouped.setdefault(tuple(record[name] for name in names), []).extend(one for one in scores if one is not None and np.isfinite(one))
    return [_row(dict(zip(names, key, strict=True)), np.array(scores)) for key, scores in grouped.items()]


def _row(key: dict[str, object], scores: np.ndarray) -> dict[str, object]:
    none = len(scores) == 0
    return key | {
        "inversion_score": None if none else float(scores.mean()),
        "std": None if len(scores) < 2 else float(scores.std(ddof=1)),
        "n": len(scores),
        "reason": "no example has an inversion score" if none else None,
    }
