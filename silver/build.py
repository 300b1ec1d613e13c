"""Adapters and clean examples -> silver.predictions, silver.outside_predictions, silver.attributions, silver.explanation_metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from lake.door import Lake
from lake.fill import Inputs, Stage, fill, unfinished
from lake.identity import settings_id
from lake.ledger import EVERYTHING, Ledger
from lake.rows import ERROR_COLUMNS, Identity
from lake.spec import Table
from models.any_scoring import AnyScoring
from models.scored_adapter import ScoredAdapter
from silver.attribute import Attribution, attribute
from silver.exemplars.build import build_exemplars, build_support
from silver.exemplars.plan import ExemplarPlan
from silver.inversion.invert import Inverting, invert
from silver.measure import Measurement, measure
from silver.predict import Prediction, predict
from silver.settings import ATTENTION_ALONE, ExplanationSettings
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, INVERSION, OUTSIDE_PREDICTIONS, PREDICTIONS, Part
from silver.truth import truth_named

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Verb = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class SilverIds:
    """The settings_id of each silver table's generation of this run. `parts`: of those rows of explanation_metrics that have one of their
    own, as far as they are asked for."""

    predictions: str
    attributions: str
    explanation_metrics: str
    parts: tuple[Part, ...] = ()

    def told(self) -> dict[str, str]:
        """Those that there are, by name."""
        whole = {name: identity for name, identity in vars(self).items() if name != "parts"}
        return whole | {part.name: part.settings_id for part in self.parts}


def silver_settings(meta: Inputs, scoring: AnyScoring, explanations: ExplanationSettings) -> dict[Table, dict[str, object]]:
    """What defines each table's rows: its own settings and those of what it is computed from. Which adapters exist is no setting."""
    base = scoring.settings() | {"examples": meta.settings_id}
    looked = _method_settings(scoring, explanations)
    own = explanations.model_dump(mode="json", exclude={"methods", "method_settings", "inversion"})
    turned = {"reverse_of": explanations.methods[0]} if looked else {}
    return {
        PREDICTIONS: base,
        ATTRIBUTIONS: base | {"explained": "predicted class"} | looked,
        EXPLANATION_METRICS: base | {"explanations": own} | looked | turned,
    }


def _method_settings(scoring: AnyScoring, explanations: ExplanationSettings) -> dict[str, object]:
    """How attributions are computed, whichever methods are asked for: one that is added later is more rows of the same generation.

    Nothing where pictures are asked for attention alone, as before there was a choice: their rows keep their identity.
    """
    if scoring.column == "image" and explanations.methods == ATTENTION_ALONE:
        return {}
    return {"method_settings": explanations.method_settings.model_dump(mode="json")}


def silver_ids(meta: Inputs, scoring: AnyScoring, explanations: ExplanationSettings, exemplars: ExemplarPlan | None = None) -> SilverIds:
    """The hash of each generation's settings."""
    settings = silver_settings(meta, scoring, explanations)
    own = inversion_settings(meta, scoring, explanations)
    predictions, attributions, metrics = (settings_id(settings[table]) for table in (PREDICTIONS, ATTRIBUTIONS, EXPLANATION_METRICS))
    inversion = () if own is None else (Part(INVERSION, settings_id(own)),)
    provenance = () if exemplars is None else exemplars.parts(predictions)
    return SilverIds(predictions, attributions, metrics, (*inversion, *provenance))


def inversion_settings(meta: Inputs, scoring: AnyScoring, explanations: ExplanationSettings) -> dict[str, object] | None:
    """What defines the rows of group inversion; None where they are not asked for. How many examples they are of is part of it."""
    if explanations.inversion is None:
        return None
    methods = explanations.method_settings.model_dump(mode="json")
    own = {"inversion": explanations.inversion.defining(), "controls_seed": explanations.seed, "method_settings": methods}
    return scoring.settings() | {"examples": meta.settings_id} | own


def build_silver(
    lake: Lake,
    ledger: Ledger,
    meta: Inputs,
    scoring: AnyScoring,
    adapters: tuple[ScoredAdapter, ...],
    explanations: ExplanationSettings,
    examined: Inputs | None = None,
    outside: Inputs | None = None,
    poked: Inputs | None = None,
    exemplars: ExemplarPlan | None = None,
) -> SilverIds:
    """Brings predictions, attributions and explanation metrics of these adapters up to date; `exemplars`: the training examples behind
    `meta` too, where they are asked for.

    `examined`: the part of `meta` that is explained; None: all of it. `poked`: the part of that which group inversion is about, where the
    configuration asks for it; None: all of it. `outside`: the inputs of no class, which are predicted and no
    more; None where the dataset has none.
    """
    examined = examined or meta
    ids = silver_ids(meta, scoring, explanations, exemplars)
    for table, settings in silver_settings(meta, scoring, explanations).items():
        lake.settings_id(table, meta.dataset, settings)
    build_predictions(lake, ledger, meta, scoring, adapters, ids.predictions)
    if outside is not None:
        lake.settings_id(OUTSIDE_PREDICTIONS, meta.dataset, silver_settings(meta, scoring, explanations)[PREDICTIONS])
        build_predictions(lake, ledger, outside, scoring, adapters, ids.predictions, OUTSIDE_PREDICTIONS)

    names = [adapter.adapter_id for adapter in adapters]
    variants = tuple({"adapter_id": name, "method": method} for name in names for method in explanations.methods)
    mine = Identity(meta.dataset, ids.attributions, variants)
    look = Attribution(scoring, adapters, mine, explanations.method_settings)
    fill(lake, ledger, _stage(ATTRIBUTIONS, mine, lambda rows: attribute(rows, look), ("example_id", scoring.column)), examined)

    variants = tuple(
        {"adapter_id": name, "method": method, "metric_group": group.preset.name}
        for name in names
        for group in explanations.groups
        for method in (*explanations.methods, *group.controls)
    )
    mine = Identity(meta.dataset, ids.explanation_metrics, variants)
    score = Measurement(scoring, adapters, explanations, mine, truth_named(explanations.truth))
    asked = ("example_id", scoring.column, "attributions", *(("label",) if score.truth else ()))
    stage = _stage(EXPLANATION_METRICS, mine, lambda rows: measure(rows, score), asked)
    _fill_from_attributions(lake, ledger, stage, examined, ids.attributions)
    build_inversion(lake, ledger, meta, poked or examined, scoring, adapters, explanations)
    if exemplars is not None:
        build_exemplars(lake, ledger, meta, exemplars)
        build_support(lake, ledger, examined, exemplars, names, ids.predictions)
    return ids


def build_inversion(
    lake: Lake,
    ledger: Ledger,
    meta: Inputs,
    poked: Inputs,
    scoring: AnyScoring,
    adapters: tuple[ScoredAdapter, ...],
    explanations: ExplanationSettings,
) -> None:
    """Brings the rows of group inversion of these adapters up to date, of the examples `poked`; nothing where they are not asked for."""
    settings, ids = inversion_settings(meta, scoring, explanations), silver_ids(meta, scoring, explanations)
    if settings is None or explanations.inversion is None:
        return
    identity = lake.settings_id(EXPLANATION_METRICS, meta.dataset, settings)
    names = (*(explanations.inversion.methods or explanations.methods), *explanations.inversion.controls)
    variants = tuple(
        {"adapter_id": adapter.adapter_id, "method": name, "metric_group": INVERSION} for adapter in adapters for name in names
    )
    mine = Identity(meta.dataset, identity, variants)
    plan = Inverting(scoring, adapters, explanations, mine)
    stage = _stage(EXPLANATION_METRICS, mine, lambda rows: invert(rows, plan), ("example_id", scoring.column, "attributions"), INVERSION)
    _fill_from_attributions(lake, ledger, stage, poked, ids.attributions)


def _fill_from_attributions(lake: Lake, ledger: Ledger, stage: Stage, inputs: Inputs, identity: str) -> None:
    """`fill` of a stage that reads the examples' attributions of generation `identity`: of adapters that are finished none is read."""
    waiting = sorted({str(stage.variants[index]["adapter_id"]) for index in unfinished(ledger, stage, inputs)})
    fill(lake, ledger, stage, replace(inputs, frame=lambda: _with_attributions(lake, inputs, identity, waiting)))


def build_predictions(
    lake: Lake,
    ledger: Ledger,
    inputs: Inputs,
    scoring: AnyScoring,
    adapters: tuple[ScoredAdapter, ...],
    identity: str,
    table: Table = PREDICTIONS,
) -> None:
    """Brings the answers of these adapters up to date: to meta in PREDICTIONS, to inputs of no class in OUTSIDE_PREDICTIONS."""
    mine = Identity(inputs.dataset, identity, tuple({"adapter_id": adapter.adapter_id} for adapter in adapters))
    plan = Prediction(scoring, adapters, mine, table)
    fill(lake, ledger, _stage(table, mine, lambda rows: predict(rows, plan), ("example_id", "label_id", scoring.column)), inputs)


def _stage(table: Table, identity: Identity, verb: Verb, columns: tuple[str, ...], part: str = EVERYTHING) -> Stage:
    ddl = table.ddl(ERROR_COLUMNS)
    return Stage(
        table=table,
        settings_id=identity.settings_id,
        variants=identity.variants,
        compute=lambda frame: frame.select(*columns, "todo").mapInArrow(verb, ddl),
        part=part,
    )


def _with_attributions(lake: Lake, meta: Inputs, identity: str, adapters: list[str]) -> DataFrame:
    """The examples with their attributions by these adapters as one list; examples without any keep a null."""
    from pyspark.sql import functions as F

    mine = (F.col("dataset") == meta.dataset) & (F.col("settings_id") == identity) & F.col("adapter_id").isin(adapters)
    entry = F.struct("adapter_id", "method", "target_id", "values")
    lists = lake.read(ATTRIBUTIONS).where(mine).groupBy("example_id").agg(F.collect_list(entry).alias("attributions"))
    return meta.frame().join(lists, "example_id", "left")
