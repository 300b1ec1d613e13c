"""The run's own verbs on a few pictures and one adapter: what does each take, and which rows does it make?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bronze.embeddings.build import reading_of
from bronze.embeddings.embed import Embed, embed
from bronze.specs import EMBEDDINGS
from lake.rows import ERROR_COLUMNS, Identity
from models.scoring import ScoredAdapter, Scoring
from ood.picture_shifts import PictureShifts
from ood.score import Exposure, expose
from ood.settings import CorruptionSettings
from pipelines.check.drawn import Drawn
from silver.attribute import Attribution, attribute
from silver.measure import Measurement, measure
from silver.predict import Prediction, predict
from silver.settings import ExplanationSettings

SETTINGS = "0" * 16  # of no generation: these rows are thrown away


@dataclass(frozen=True)
class Work:
    """What is tried: `pictures` with their `label_ids`, `scoring` as silver and ood score, `embedding` as bronze embeds, one `adapter`."""

    pictures: tuple[Drawn, ...]
    label_ids: tuple[int, ...]
    scoring: Scoring
    embedding: Scoring
    explanations: ExplanationSettings
    corruptions: CorruptionSettings
    keep_units: bool
    adapter: ScoredAdapter

    def inputs(self, n: int, **more: Any) -> Iterator[pa.RecordBatch]:
        """The first `n` pictures as one batch of a stage's input, with further columns."""
        columns: dict[str, Any] = {
            "example_id": [picture.example_id for picture in self.pictures[:n]],
            "label_id": pa.array(self.label_ids[:n], pa.int32()),
            "image": pa.array([picture.content for picture in self.pictures[:n]], pa.binary()),
        }
        return iter([pa.RecordBatch.from_pydict(columns | more)])

    def asked(self, n: int, variants: Sequence[dict[str, str | int]]) -> tuple[Identity, pa.Array]:
        """The identity of rows with these key columns, and a work list that wants all of them of every picture."""
        names = tuple({"adapter_id": self.adapter.adapter_id, **variant} for variant in variants)
        return Identity("calibration", SETTINGS, names), pa.array([list(range(len(names)))] * n, pa.list_(pa.int32()))


@dataclass(frozen=True)
class Timed:
    """Seconds of one verb on some pictures, and its rows."""

    seconds: float
    rows: list[pa.RecordBatch]


def timed(verb: Callable[[], Iterator[pa.RecordBatch]]) -> Timed:
    started = time.perf_counter()
    rows = list(verb())
    return Timed(time.perf_counter() - started, rows)


def embedded(work: Work, n: int) -> Timed:
    """bronze.embeddings of the first `n` pictures."""
    own = work.embedding
    plan = Embed(own.scorer(), None, reading_of(own), "calibration", own.backbone.name, SETTINGS, work.keep_units, own.batch_size)
    return timed(lambda: embed(work.inputs(n), plan, EMBEDDINGS.arrow_schema(ERROR_COLUMNS)))


def predicted(work: Work, n: int) -> Timed:
    """silver.predictions of the first `n` pictures."""
    identity, todo = work.asked(n, [{}])
    return timed(lambda: predict(work.inputs(n, todo=todo), Prediction(work.scoring, (work.adapter,), identity)))


def attributed(work: Work, n: int) -> Timed:
    """silver.attributions of the first `n` pictures, all methods."""
    identity, todo = work.asked(n, [{"method": method} for method in work.explanations.methods])
    return timed(lambda: attribute(work.inputs(n, todo=todo), Attribution(work.scoring, (work.adapter,), identity)))


def measured(work: Work, n: int) -> Timed:
    """silver.explanation_metrics of the first `n` pictures, all groups and controls; their attributions are made before the clock runs."""
    own = work.explanations
    known: dict[str, list[dict[str, Any]]] = {}
    for row in (row for batch in attributed(work, n).rows for row in batch.to_pylist()):
        known.setdefault(row["example_id"], []).append({key: row[key] for key in ("adapter_id", "method", "target_id", "values")})
    listed = [known.get(picture.example_id, []) for picture in work.pictures[:n]]
    identity, todo = work.asked(
        n, [{"method": name, "metric_group": group.preset.name} for group in own.groups for name in (*own.methods, *group.controls)]
    )
    plan = Measurement(work.scoring, (work.adapter,), own, identity)
    return timed(lambda: measure(work.inputs(n, todo=todo, attributions=listed), plan))


def exposed(work: Work, n: int) -> Timed:
    """ood.predictions of the first `n` pictures in every cell."""
    identity, todo = work.asked(n, [{"corruption": name, "severity": severity} for name, severity in work.corruptions.cells()])
    return timed(
        lambda: expose(
            work.inputs(n, todo=todo), Exposure(work.scoring, (work.adapter,), PictureShifts(work.scoring, work.corruptions), identity)
        )
    )
