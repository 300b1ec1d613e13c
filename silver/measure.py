"""How good is each attribution, and is it better than chance? The verb of silver.explanation_metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lake.rows import Identity, batch_of
from models.any_scoring import AnyScoring, Included, Inputs
from models.scored_adapter import ScoredAdapter
from silver.controls import Known, with_controls
from silver.settings import ExplanationSettings
from silver.specs import EXPLANATION_METRICS
from silver.truth import Truth, decisive_words
from silver.wanted import wanted_of
from xai.explain import explanation_metrics
from xai.value import FlatValue, Value, deduplicated_baselines

Entries = dict[str, dict[str, Any]]  # method -> its attribution of one example by one adapter


@dataclass(frozen=True)
class Measurement:
    """What the verb must know: how to score, which adapters, which explanations, what `todo` counts in, and which words decide where that
    is known (batches then hold the true `label` too)."""

    scoring: AnyScoring
    adapters: tuple[ScoredAdapter, ...]
    explanations: ExplanationSettings
    identity: Identity
    truth: Truth | None = None

    def __post_init__(self) -> None:
        if self.truth is None and any("oracle" in group.controls for group in self.explanations.groups):
            raise ValueError("the control oracle needs a truth: hand over the one that explanations.truth names")


def measure(batches: Iterator[pa.RecordBatch], plan: Measurement) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, image or text, attributions, todo) -> batches of silver.explanation_metrics with error columns.

    `attributions` is a list of (adapter_id, method, target_id, values) of one example, from silver.attributions. What is scored on an
    attribution that was rejected upstream, `reverse` on the first method, is rejected here as `attribution_missing`; its neighbours
    are not.
    """
    for batch in batches:
        inputs = plan.scoring.prepare(batch.column(plan.scoring.column).to_pylist())
        truth = _truth(batch, plan, inputs)
        ids = batch.column("example_id").to_pylist()
        found = [by_adapter(entries, plan.explanations.methods) for entries in batch.column("attributions").to_pylist()]
        for adapter in plan.adapters:
            for wanted, rows in wanted_of(batch, plan.identity, adapter.adapter_id, "method", "metric_group").items():
                chosen = [row for row in rows if adapter.adapter_id in found[row]]
                lacking = [ids[row] for row in rows if adapter.adapter_id not in found[row]]
                if chosen:
                    own = [found[row][adapter.adapter_id] for row in chosen]
                    known = _known(plan, inputs[chosen], [ids[row] for row in chosen], own)
                    scored = _Scored(adapter, inputs[chosen], known, None if truth is None else truth[chosen])
                    yield batch_of(EXPLANATION_METRICS, _rows(plan, scored, wanted))
                if lacking:
                    rejected = (_refused(plan, adapter, name, *variant) for variant in wanted for name in lacking)
                    yield batch_of(EXPLANATION_METRICS, rejected)


@dataclass(frozen=True)
class _Scored:
    """One adapter and the examples of a batch of which it has an attribution."""

    adapter: ScoredAdapter
    inputs: Inputs
    known: Known
    truth: Included | None


def _truth(batch: pa.RecordBatch, plan: Measurement, inputs: Inputs) -> Included | None:
    if plan.truth is None:
        return None
    included = plan.scoring.included(inputs)
    if included is None:
        raise ValueError("a truth speaks of the words of texts, found pictures: leave explanations.truth out")
    return decisive_words(plan.truth, batch.column("text").to_pylist(), batch.column("label").to_pylist(), included)


def by_adapter(entries: list[dict[str, Any]] | None, methods: Sequence[str]) -> dict[str, Entries]:
    """adapter -> its entries of these methods; the table may hold others that are asked for no more."""
    by_adapter: dict[str, Entries] = {}
    for entry in entries or []:
        if entry["method"] in methods:
            by_adapter.setdefault(entry["adapter_id"], {})[entry["method"]] = entry
    return by_adapter


def _known(plan: Measurement, inputs: Inputs, ids: list[str], found: Sequence[Entries]) -> Known:
    included = plan.scoring.included(inputs)
    stacked = {method: _stacked([entries.get(method) for entries in found], included) for method in plan.explanations.methods}
    missing = {method: np.array([method not in entries for entries in found]) for method in plan.explanations.methods}
    targets = np.array([next(iter(entries.values()))["target_id"] for entries in found], dtype=np.int64)  # the same of all methods
    return Known(tuple(ids), {method: a for method, a in stacked.items() if a is not None}, missing, targets, included)


def _stacked(entries: Sequence[dict[str, Any] | None], included: Included | None) -> NDArray[np.float32] | None:
    """[batch, units]: each example's values at its own units, 0 elsewhere; NaN where it has no attribution. None when none has."""
    some = next((entry for entry in entries if entry is not None), None)
    if some is None:
        return None
    shape = (len(entries), len(some["values"])) if included is None else included.shape
    stacked = np.zeros(shape, dtype=np.float32)
    for row, entry in enumerate(entries):
        place: Any = slice(None) if included is None else included[row]
        stacked[row, place] = np.nan if entry is None else entry["values"]
    return stacked


def _rows(plan: Measurement, scored: _Scored, wanted: tuple[tuple[str, ...], ...]) -> Iterator[dict[str, object]]:
    """All groups of one adapter and batch. Masks that groups share (one baseline, or nothing removed) are evaluated once."""
    values, known = _values(plan, scored, wanted), scored.known
    for group in plan.explanations.groups:
        methods = [method for method, name in wanted if name == group.preset.name]
        if not methods:
            continue
        attributions = with_controls(known, group, plan.explanations, scored.truth)
        needed = {name: a for name, a in attributions.items() if name in (*methods, "random")}
        found = explanation_metrics(needed, values, group.preset, known.included, scored.truth) if needed else {}
        for method in methods:
            missing = known.lacking(method, plan.explanations.methods[0])
            for row, example_id in enumerate(known.ids):
                if missing[row]:
                    yield _refused(plan, scored.adapter, example_id, method, group.preset.name)
                else:
                    key = _key(plan, scored.adapter, example_id, method, group.preset.name)
                    yield key | {"metrics": list(found[method][row].items())}


def _values(plan: Measurement, scored: _Scored, wanted: tuple[tuple[str, ...], ...]) -> dict[str, Value]:
    names = {name for _, name in wanted}
    presets = [group.preset for group in plan.explanations.groups if group.preset.name in names]
    baselines = sorted({name for preset in presets for name in (preset.deletion_baseline, preset.insertion_baseline)})
    known = scored.known
    flats: dict[str, FlatValue] = {name: plan.scoring.value(scored.adapter, scored.inputs, known.targets, name) for name in baselines}
    return deduplicated_baselines(flats, len(known.ids), known.included)


def _refused(plan: Measurement, adapter: ScoredAdapter, example_id: str, method: str, group: str) -> dict[str, object]:
    message = "silver.attributions has no row for this example and adapter: see audit.rejected"
    return _key(plan, adapter, example_id, method, group) | {"error_code": "attribution_missing", "message": message}


def _key(plan: Measurement, adapter: ScoredAdapter, example_id: str, method: str, group: str) -> dict[str, object]:
    own = {"example_id": example_id, "adapter_id": adapter.adapter_id, "method": method, "metric_group": group}
    return plan.identity.columns() | own
