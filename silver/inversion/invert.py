"""Are the explanations of an adapter used, or merely told? The verb of the metric_group `inversion` of silver.explanation_metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import softmax

from lake.rows import Identity, batch_of
from models.any_scoring import AnyScoring, Inputs, Logits
from models.scored_adapter import ScoredAdapter
from silver.inversion.answers import Example, answers
from silver.inversion.controls import control
from silver.inversion.figures import figures
from silver.inversion.pokes import Pokes
from silver.inversion.settings import PokingSettings, removed_by
from silver.measure import Entries, by_adapter
from silver.settings import ExplanationSettings
from silver.specs import EXPLANATION_METRICS, INVERSION
from silver.wanted import wanted_of

MISSING = "silver.attributions has no row for this example and adapter: see audit.rejected"


@dataclass(frozen=True)
class Inverting:
    """What the verb must know: how to score, which adapters, which explanations (with `inversion`), what `todo` counts in."""

    scoring: AnyScoring
    adapters: tuple[ScoredAdapter, ...]
    explanations: ExplanationSettings
    identity: Identity

    @property
    def settings(self) -> PokingSettings:
        if self.explanations.inversion is None:
            raise ValueError("explanations.inversion says what is asked: found none")
        return self.explanations.inversion


def invert(batches: Iterator[pa.RecordBatch], plan: Inverting) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, image or text, attributions, todo) -> batches of silver.explanation_metrics with error columns.

    Rejected: `attribution_missing` as in `measure`; `nonfinite` where something that the figures rest on is not finite;
    `nondeterministic` where the same clean input, asked twice, gave other logits: then no poke could be told from chance.
    """
    for batch in batches:
        inputs = plan.scoring.prepare(batch.column(plan.scoring.column).to_pylist())
        ids = batch.column("example_id").to_pylist()
        found = [by_adapter(entries, plan.explanations.methods) for entries in batch.column("attributions").to_pylist()]
        for adapter in plan.adapters:
            for wanted, rows in wanted_of(batch, plan.identity, adapter.adapter_id, "method").items():
                own = [found[row].get(adapter.adapter_id, {}) for row in rows]
                methods = [method for (method,) in wanted]
                yield batch_of(EXPLANATION_METRICS, _rows(plan, adapter, inputs[rows], [ids[row] for row in rows], own, methods))


def _rows(
    plan: Inverting, adapter: ScoredAdapter, inputs: Inputs, ids: list[str], found: list[Entries], methods: list[str]
) -> Iterator[dict[str, object]]:
    first, second = (plan.scoring.logits(adapter, inputs) for _ in range(2))
    for row, example_id in enumerate(ids):
        key = plan.identity.columns() | {"example_id": example_id, "adapter_id": adapter.adapter_id, "metric_group": INVERSION}
        told = _unequal(first[row], second[row]) or _figures(plan, adapter, inputs[[row]], example_id, first[row], found[row], methods)
        for method in methods:
            yield key | {"method": method} | (told if "error_code" in told else told[method])


def _unequal(first: Logits, second: Logits) -> dict[str, Any]:
    if np.array_equal(first, second, equal_nan=True):
        return {}
    apart = np.nanmax(np.abs(first.astype(np.float64) - second))
    message = f"two forwards of the clean input gave logits {apart:.3g} apart; look for dropout or another random step in the model"
    return {"error_code": "nondeterministic", "message": message}


def _figures(
    plan: Inverting, adapter: ScoredAdapter, inputs: Inputs, example_id: str, logits: Logits, entries: Entries, methods: list[str]
) -> dict[str, Any]:
    """method -> its metrics or its error; one error for all where nothing is known of the example."""
    if not entries:
        return {"error_code": "attribution_missing", "message": MISSING}
    some = next(iter(entries.values()))
    included = plan.scoring.included(inputs)
    included = np.ones((1, len(some["values"])), dtype=bool) if included is None else included
    given = {method: np.array(entries[method]["values"], dtype=np.float64) for method in methods if method in entries}
    target, settings = int(some["target_id"]), plan.explanations.method_settings
    removed, masked = removed_by(plan.settings, settings, plan.scoring.column)
    example = Example(plan.scoring, adapter, inputs, example_id, included, target, given, settings, removed, masked)
    pokes = Pokes(plan.scoring, inputs, example_id, included, plan.settings)
    outputs, poked = answers(example, float(softmax(logits.astype(np.float64))[target]), pokes)
    poked |= {name: control(name, outputs, pokes, plan.explanations.seed) for name in methods if name in plan.settings.controls}
    told: dict[str, Any] = {}
    for method in methods:
        if method not in poked:
            told[method] = {"error_code": "attribution_missing", "message": MISSING}
        elif not (outputs.finite and poked[method].finite):
            message = f"{method} or p(target) of a poke holds NaN or Inf in {plan.scoring.dtype} and in float32"
            told[method] = {"error_code": "nonfinite", "message": message}
        else:
            told[method] = {"metrics": list(figures(outputs, poked[method], plan.settings).items())}
    return told
