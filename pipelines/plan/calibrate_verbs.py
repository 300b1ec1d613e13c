"""The run's own verbs on a few examples and one adapter: what does each take, and which rows does it make?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyarrow as pa

from bronze.embeddings.build import reading_of
from bronze.embeddings.embed import Embed, embed
from bronze.specs import EMBEDDINGS
from lake.rows import ERROR_COLUMNS, Identity
from models.scoring import ScoredAdapter, Scoring
from models.text_scoring import TextScoring
from ood.attack_texts import Audit, audit
from ood.picture_shifts import PictureShifts
from ood.score import Exposure, expose
from ood.shift import Shifts
from ood.text_shifts import TextShifts
from pipelines.check.drawn import Drawn
from silver.attribute import Attribution, attribute
from silver.measure import Measurement, measure
from silver.predict import Prediction, predict
from silver.settings import ExplanationSettings
from silver.truth import truth_named

SETTINGS = "0" * 16  # of no generation: these rows are thrown away


S = TypeVar("S", bound=Scoring | TextScoring)
H = TypeVar("H", bound=Shifts)


@dataclass(frozen=True)
class Work(Generic[S, H]):
    """What is tried: `drawn` examples with their `label_ids`, `scoring` as silver and ood score, `embedding` as bronze embeds, `shifts`
    as ood changes them, one `adapter`."""

    drawn: tuple[Drawn, ...]
    label_ids: tuple[int, ...]
    scoring: S
    embedding: S
    explanations: ExplanationSettings
    shifts: H
    keep_units: bool
    adapter: ScoredAdapter

    def inputs(self, n: int, **more: Any) -> Iterator[pa.RecordBatch]:
        """The first `n` examples as one batch of a stage's input, with further columns."""
        contents = [example.content for example in self.drawn[:n]]
        is_text = self.scoring.column == "text"
        columns: dict[str, Any] = {
            "example_id": [example.example_id for example in self.drawn[:n]],
            "label_id": pa.array(self.label_ids[:n], pa.int32()),
            "label": [example.reference.label for example in self.drawn[:n]],
            self.scoring.column: [content.decode() for content in contents] if is_text else pa.array(contents, pa.binary()),
        }
        return iter([pa.RecordBatch.from_pydict(columns | more)])

    def asked(self, n: int, variants: Sequence[dict[str, str | int]]) -> tuple[Identity, pa.Array]:
        """The identity of rows with these key columns, and a work list that wants all of them of every example."""
        names = tuple({"adapter_id": self.adapter.adapter_id, **variant} for variant in variants)
        return Identity("calibration", SETTINGS, names), pa.array([list(range(len(names)))] * n, pa.list_(pa.int32()))


AnyWork = Work[Any, Any]
PictureWork = Work[Scoring, PictureShifts]
TextWork = Work[TextScoring, TextShifts]


@dataclass(frozen=True)
class Timed:
    """Seconds of one verb on some pictures, and its rows."""

    seconds: float
    rows: list[pa.RecordBatch]


def timed(verb: Callable[[], Iterator[pa.RecordBatch]]) -> Timed:
    started = time.perf_counter()
    rows = list(verb())
    return Timed(time.perf_counter() - started, rows)


def embedded(work: AnyWork, n: int) -> Timed:
    """bronze.embeddings of the first `n` examples."""
    own = work.embedding
    plan = Embed(own.scorer(), None, reading_of(own), "calibration", own.backbone.name, SETTINGS, work.keep_units, own.batch_size)
    return timed(lambda: embed(work.inputs(n), plan, EMBEDDINGS.arrow_schema(ERROR_COLUMNS)))


def predicted(work: AnyWork, n: int) -> Timed:
    """silver.predictions of the first `n` examples."""
    identity, todo = work.asked(n, [{}])
    return timed(lambda: predict(work.inputs(n, todo=todo), Prediction(work.scoring, (work.adapter,), identity)))


def attributed(work: AnyWork, n: int) -> Timed:
    """silver.attributions of the first `n` examples, all methods."""
    return attributed_by(work, n, work.explanations.methods)


def attributed_by(work: AnyWork, n: int, methods: Sequence[str]) -> Timed:
    """silver.attributions of the first `n` examples, some methods."""
    identity, todo = work.asked(n, [{"method": method} for method in methods])
    plan = Attribution(work.scoring, (work.adapter,), identity, work.explanations.method_settings)
    return timed(lambda: attribute(work.inputs(n, todo=todo), plan))


def measured(work: AnyWork, n: int) -> Timed:
    """silver.explanation_metrics of the first `n` examples, all groups and controls; their attributions are made before the clock runs."""
    own = work.explanations
    known: dict[str, list[dict[str, Any]]] = {}
    for row in (row for batch in attributed(work, n).rows for row in batch.to_pylist()):
        known.setdefault(row["example_id"], []).append({key: row[key] for key in ("adapter_id", "method", "target_id", "values")})
    listed = [known.get(example.example_id, []) for example in work.drawn[:n]]
    identity, todo = work.asked(
        n, [{"method": name, "metric_group": group.preset.name} for group in own.groups for name in (*own.methods, *group.controls)]
    )
    plan = Measurement(work.scoring, (work.adapter,), own, identity, truth_named(own.truth))
    return timed(lambda: measure(work.inputs(n, todo=todo, attributions=listed), plan))


def exposed(work: AnyWork, n: int) -> Timed:
    """ood.predictions of the first `n` examples in every cell."""
    identity, todo = work.asked(n, [{"corruption": name, "severity": severity} for name, severity in work.shifts.cells()])
    return timed(lambda: expose(work.inputs(n, todo=todo), Exposure(work.scoring, (work.adapter,), work.shifts, identity)))


def edited(work: TextWork, n: int) -> Timed:
    """ood.attacked_texts of the first `n` texts under every attack."""
    attacks: list[dict[str, str | int]] = [{"attack": name, "severity": severity} for name, severity in work.shifts.cells() if severity]
    todo = pa.array([list(range(len(attacks)))] * n, pa.list_(pa.int32()))
    plan = Audit(work.shifts, Identity("calibration", SETTINGS, tuple(attacks)))
    return timed(lambda: audit(work.inputs(n, todo=todo), plan))
