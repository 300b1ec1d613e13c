"""Which rows does the forecast rest on, and what columns do its frames have?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gold.forecast.rows import CONFIDENCE, EMBEDDING, SHIFTED, XAI
from silver.specs import EXPLANATION_METRICS, PREDICTIONS, Part
from xai.attribution import METHODS
from xai.inversion import OUTPUT_ECHO
from xai.metrics import METRICS

PAIR = ("example_id", "adapter_id")
CLEAN = (*PAIR, "clean_correct", *CONFIDENCE, *EMBEDDING, "metrics")
SHIFTS = (*PAIR, "corruption", "severity", "is_correct", SHIFTED)

CONTROLS = tuple(sorted({OUTPUT_ECHO, *(method.name for method in METHODS if method.control or method.needs == "truth")}))
# Metrics that say nothing of the explanation (the confidence), or need what only a grammar knows.
UNREAD = tuple(sorted(metric.name for metric in METRICS if metric.category in ("context", "truth")))


@dataclass(frozen=True)
class ForecastInputs:
    """Generations of one dataset. `embeddings_id` and `examples_id`: for distances in the backbone's space; `sha256`: of all work that
    the rows rest on; `cells`: (corruption, severity), clean among them. `parts`: explanation metrics that have generations of their
    own, as far as they are asked for."""

    dataset: str
    adapter_ids: tuple[str, ...]
    predictions_id: str
    metrics_id: str
    ood_id: str
    examples_id: str
    embeddings_id: str
    cells: tuple[tuple[str, int], ...]
    sha256: str
    parts: tuple[Part, ...] = ()

    @property
    def reads(self) -> dict[str, str]:
        """The generation of the clean rows of each table, or part of one, that features are made of."""
        own = {PREDICTIONS.full_name: self.predictions_id, EXPLANATION_METRICS.full_name: self.metrics_id}
        return own | {f"{EXPLANATION_METRICS.full_name} {part.name}": part.settings_id for part in self.parts}


def joined(clean: pd.DataFrame, shifts: pd.DataFrame) -> pd.DataFrame:
    """One row per (example, adapter, corruption, severity): `SHIFTS` with the clean input's features beside, explanation metrics wide.

    `clean` has the columns `CLEAN`; its `metrics` map <method>__<group>__<metric> to a number. A row without a clean one, such as data of
    the user's own, keeps nulls.
    """
    return shifts.merge(wide(clean), on=list(PAIR), how="left")


def wide(clean: pd.DataFrame) -> pd.DataFrame:
    """`CLEAN` with one column per explanation metric, in the order of their names, without clean_correct."""
    plain = clean.drop(columns=["metrics", "clean_correct"], errors="ignore")
    found = [_named(one) for one in clean["metrics"]]
    metrics = pd.DataFrame.from_records(found, index=clean.index) if found else pd.DataFrame(index=clean.index)
    return pd.concat([plain, metrics[sorted(metrics.columns)]], axis=1)


def _named(metrics: object) -> dict[str, float | None]:
    pairs: Any = metrics.items() if isinstance(metrics, Mapping) else metrics or ()  # Arrow gives a map as a list of pairs, pandas a dict
    return {f"{XAI}{name}": value for name, value in pairs}
