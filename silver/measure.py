"""How good is each attribution, and is it better than chance? The verb of silver.explanation_metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.identity import rng
from lake.rows import Identity, batch_of, wanted_by
from models.any_scoring import AnyScoring, Included, Inputs
from models.scored_adapter import ScoredAdapter
from silver.settings import ExplanationSettings, MetricGroup
from silver.specs import EXPLANATION_METRICS
from xai.attribution import random, reverse
from xai.explain import explanation_metrics
from xai.value import FlatValue, deduplicated_baselines


@dataclass(frozen=True)
class Measurement:
    """What the verb must know: how to score, which adapters, which explanations, what `todo` counts in."""

    scoring: AnyScoring
    adapters: tuple[ScoredAdapter, ...]
    explanations: ExplanationSettings
    identity: Identity


@dataclass(frozen=True)
class _Explained:
    """One adapter's attributions of some examples: method -> float32 [batch, units], the targets int64 [batch] in the dataset's label
    order, and which units are an example's own (None: all)."""

    ids: list[str]
    attributions: dict[str, NDArray[np.float32]]
    targets: NDArray[np.int64]
    included: Included | None


def measure(batches: Iterator[pa.RecordBatch], plan: Measurement) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, image or text, attributions, todo) -> batches of silver.explanation_metrics with error columns.

    `attributions` is a list of (adapter_id, method, target_id, values) of one example, from silver.attributions.
    An example whose attribution was rejected upstream is rejected here as `attribution_missing`.
    """
    for batch in batches:
        inputs = plan.scoring.prepare(batch.column(plan.scoring.column).to_pylist())
        ids = batch.column("example_id").to_pylist()
        found = [_by_adapter(entries) for entries in batch.column("attributions").to_pylist()]
        wanted = wanted_by(batch, plan.identity, "adapter_id", [adapter.adapter_id for adapter in plan.adapters])
        for adapter in plan.adapters:
            rows = wanted[adapter.adapter_id]
            complete = [row for row in rows if len(found[row].get(adapter.adapter_id, {})) == len(plan.explanations.methods)]
            lacking = [ids[row] for row in rows if row not in set(complete)]
            if complete:
                mine, entries = inputs[complete], [found[row][adapter.adapter_id] for row in complete]
                explained = _explained(plan, mine, [ids[row] for row in complete], entries)
                yield batch_of(EXPLANATION_METRICS, _rows(plan, adapter, explained, mine))
            if lacking:
                yield batch_of(EXPLANATION_METRICS, _refused(plan, adapter, lacking))


def _by_adapter(entries: list[dict[str, Any]] | None) -> dict[str, dict[str, dict[str, Any]]]:
    by_adapter: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in entries or []:
        by_adapter.setdefault(entry["adapter_id"], {})[entry["method"]] = entry
    return by_adapter


def _explained(plan: Measurement, inputs: Inputs, ids: list[str], found: list[dict[str, dict[str, Any]]]) -> _Explained:
    methods, included = plan.explanations.methods, plan.scoring.included(inputs)
    attributions = {method: _stacked([entries[method]["values"] for entries in found], included) for method in methods}
    targets = np.array([entries[methods[0]]["target_id"] for entries in found], dtype=np.int64)
    return _Explained(ids, attributions, targets, included)


def _stacked(values: list[list[float]], included: Included | None) -> NDArray[np.float32]:
    """[batch, units]: each example's values at its own units, 0 elsewhere."""
    if included is None:
        return np.array(values, dtype=np.float32)
    stacked = np.zeros(included.shape, dtype=np.float32)
    for row, own in enumerate(values):
        stacked[row, included[row]] = own
    return stacked


def _controls(plan: Measurement, explained: _Explained, group: MetricGroup) -> dict[str, NDArray[np.float32]]:
    units = next(iter(explained.attributions.values())).shape[1]
    made: dict[str, NDArray[np.float32]] = {}
    if "random" in group.controls:
        made["random"] = random(
            [rng(plan.explanations.seed, example_id, "random") for example_id in explained.ids], units, explained.included
        )
    if "reverse" in group.controls:
        made["reverse"] = reverse(explained.attributions[plan.explanations.methods[0]], explained.included)
    return made


def _rows(plan: Measurement, adapter: ScoredAdapter, explained: _Explained, inputs: Inputs) -> Iterator[dict[str, object]]:
    """All groups of one adapter and batch. Masks that groups share (one baseline, or nothing removed) are evaluated once."""
    baselines = {name for group in plan.explanations.groups for name in (group.preset.deletion_baseline, group.preset.insertion_baseline)}
    flats: dict[str, FlatValue] = {name: plan.scoring.value(adapter, inputs, explained.targets, name) for name in sorted(baselines)}
    values = deduplicated_baselines(flats, len(explained.ids), explained.included)
    for group in plan.explanations.groups:
        attributions = explained.attributions | _controls(plan, explained, group)
        for method, rows in explanation_metrics(attributions, values, group.preset, explained.included).items():
            for example_id, metrics in zip(explained.ids, rows, strict=True):
                yield _key(plan, adapter, example_id, method, group) | {"metrics": list(metrics.items())}


def _refused(plan: Measurement, adapter: ScoredAdapter, ids: list[str]) -> Iterator[dict[str, object]]:
    message = "silver.attributions has no row for this example and adapter: see audit.rejected"
    for group in plan.explanations.groups:
        for method in (*plan.explanations.methods, *group.controls):
            for example_id in ids:
                yield _key(plan, adapter, example_id, method, group) | {"error_code": "attribution_missing", "message": message}


def _key(plan: Measurement, adapter: ScoredAdapter, example_id: str, method: str, group: MetricGroup) -> dict[str, object]:
    own = {"example_id": example_id, "adapter_id": adapter.adapter_id, "method": method, "metric_group": group.preset.name}
    return plan.identity.columns() | own
