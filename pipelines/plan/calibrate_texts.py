"""What does each kind of work on texts cost here? Measured for some seconds with the real backbone and texts, by the run's own verbs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bronze.build import Source
from bronze.ingest import Ingest, ingest
from bronze.readers import reader_named
from bronze.reference import Listing, batches
from bronze.specs import EMBEDDINGS, EXAMPLES
from lake.progress import Progress
from ood.specs import ATTACKED_TEXTS
from pipelines.plan.calibrate import one_thread
from pipelines.plan.calibrate_verbs import (
    TextWork,
    Timed,
    attributed,
    attributed_by,
    edited,
    embedded,
    measured,
    predicted,
    timed,
)
from pipelines.plan.pace import Pace, pace_of, refilled
from pipelines.plan.stopwatch import crowding
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS

STAGE, METHOD = "stage", "method"
VERBS: Mapping[str, Callable[[TextWork, int], Timed]] = {  # the cheap ones first: what they leave is for the others
    PREDICTIONS.full_name: predicted,
    EMBEDDINGS.full_name: embedded,
    ATTACKED_TEXTS.full_name: edited,
    ATTRIBUTIONS.full_name: attributed,
    EXPLANATION_METRICS.full_name: measured,
}


@dataclass(frozen=True)
class TextCosts:
    """Seconds of one worker with one thread. `stages`: full name of a table -> a text, with all its rows of one adapter (of
    bronze.examples, bronze.embeddings and ood.attacked_texts: of none); without ood.predictions, each of which is a prediction, after the
    edits that ood.attacked_texts makes too. `methods`: attribution method alone -> a text; together they cost
    less, for they share what they ask. `load`: the first adapter with its backbone, into a worker. `crowding`: slow-down of all workers
    computing at once, at least 1. `seconds`: what the calibration took."""

    stages: Mapping[str, Pace]
    methods: Mapping[str, Pace]
    load: float
    crowding: float
    seconds: float


def calibrate_texts(work: TextWork, source: Source, seconds: float, workers: int) -> TextCosts:
    """The costs, found in about `seconds`; each part is measured on one text at least, so that a large model on a slow machine takes
    longer. What one part leaves of its share the later ones have."""
    started = time.monotonic()
    parts: dict[tuple[str, str], Callable[[int], float]] = {(STAGE, EXAMPLES.full_name): lambda n: _read(work, source, n)}
    parts |= {(STAGE, name): partial(_seconds, work, verb) for name, verb in VERBS.items()}
    parts |= {(METHOD, method): partial(_alone, work, method) for method in work.explanations.methods}
    paces: dict[tuple[str, str], Pace] = {}
    with Progress(f"calibrating on {len(work.drawn)} texts"), one_thread():
        before = time.perf_counter()
        work.scoring.scorer(work.adapter)
        load = time.perf_counter() - before
        for place, (key, part) in enumerate(parts.items()):
            left = max(0.0, started + seconds - time.monotonic())
            paces[key] = pace_of(part, len(work.drawn), left / (len(parts) - place))
        crowd = crowding(workers)
    for table, scoring in ((PREDICTIONS, work.scoring), (EMBEDDINGS, work.embedding)):
        lengths, whole = scoring.prepare(_contents(work)).lengths, (STAGE, table.full_name)
        paces[whole] = refilled(paces[whole], lengths, scoring.fitted_buckets, scoring.batch_size)
    stages, methods = ({name: pace for (kind, name), pace in paces.items() if kind == wanted} for wanted in (STAGE, METHOD))
    return TextCosts(stages, methods, load, crowd, time.monotonic() - started)


def _contents(work: TextWork) -> list[str]:
    return [example.content.decode() for example in work.drawn]


def _seconds(work: TextWork, verb: Callable[[TextWork, int], Timed], n: int) -> float:
    return verb(work, n).seconds


def _alone(work: TextWork, method: str, n: int) -> float:
    return attributed_by(work, n, [method]).seconds


def _read(work: TextWork, source: Source, n: int) -> float:
    """The ingest of the first `n` texts."""
    own = Ingest(reader_named(source.source.reader), source.root, source.limits, source.dataset, "calibration")
    places = Listing(lambda: iter([example.reference for example in work.drawn[:n]]))
    return timed(lambda: ingest(batches(places), own)).seconds
