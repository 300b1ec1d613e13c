"""What does each kind of work cost here? Measured for some seconds with the real backbone and pictures, by the run's own verbs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bronze.specs import EMBEDDINGS
from lake.identity import content_id, rng
from lake.progress import Progress
from lake.spec import Table
from models.decode import decode
from models.scoring import Scoring
from ood.corruptions import corrupt
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.plan.calibrate_verbs import PictureWork, Timed, attributed, embedded, exposed, measured, predicted
from pipelines.plan.forwards import looks_in_time, masks_per_picture, padded
from pipelines.plan.stopwatch import crowding, seconds_of
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS

PICTURES = 64  # rows of one Arrow batch of the run: batches are then filled as the run's are
PARTS = 8  # what is measured one after the other, each with an equal share of the seconds


@dataclass(frozen=True)
class Costs:
    """Seconds of one worker with one thread.

    `read`: a picture decoded and hashed. `prepare`: one decoded and made ready for the model. `corrupt`: a picture through every cell.
    `forward`, `masked`: one row of a batch through the model, plain and under a mask. `stages`: full name of a table -> a picture (and
    adapter, and cell), without what is done once for all adapters. `load`: the first adapter with its backbone, into a worker.
    `crowding`: slow-down of all workers computing at once, at least 1. `whole`: the tables measured by their own verb; others are put
    together from forwards. `seconds`: what the calibration took.
    """

    read: float
    prepare: float
    corrupt: float
    forward: float
    masked: float
    load: float
    stages: dict[str, float]
    whole: tuple[str, ...]
    crowding: float
    seconds: float


def calibrate(work: PictureWork, seconds: float, workers: int) -> Costs:
    """The costs, found in about `seconds`. Each part is measured at least once, so that a large model on a slow machine takes longer."""
    started, share = time.monotonic(), seconds / PARTS
    with Progress(f"calibrating on {len(work.drawn)} pictures"), one_thread():
        load = _seconds(lambda: work.scoring.scorer(work.adapter))
        read = seconds_of(lambda: _read(work), share / 2) / len(work.drawn)
        pixels = _batch(work, work.scoring)
        prepare = seconds_of(lambda: _batch(work, work.scoring), share / 2) / work.scoring.batch_size
        corrupted = seconds_of(lambda: _corrupt(work), share)
        forward = seconds_of(lambda: work.scoring.scorer(work.adapter).logits(pixels), share) / work.scoring.batch_size
        masked = _masked(work, pixels, share)
        stages, whole = _stages(work, forward, masked, prepare, corrupted, share)
        crowd = crowding(workers)
    return Costs(read, prepare, corrupted, forward, masked, load, stages, tuple(whole), crowd, time.monotonic() - started)


@contextmanager
def one_thread() -> Iterator[None]:
    """As in a Python worker of Spark."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _read(work: PictureWork) -> None:
    for picture in work.drawn:
        content_id("image", picture.content)
        decode(picture.content, work.scoring.limits)


def _batch(work: PictureWork, scoring: Scoring) -> NDArray[np.float32]:
    """One full batch at model resolution, pictures repeated where there are fewer."""
    return scoring.pixels(scoring.pictures([work.drawn[i % len(work.drawn)].content for i in range(scoring.batch_size)]))


def _corrupt(work: PictureWork) -> None:
    """One picture through every cell, at the resolution that the run corrupts at."""
    own, first = work.shifts.corruptions, work.drawn[0]
    at_model = own.apply_at == "model"
    picture = work.scoring.pictures([first.content])[0] if at_model else decode(first.content, work.scoring.limits).image
    for name, severity in own.cells():
        corrupt(picture, name, severity, rng(own.seed, first.example_id, name, severity))


def _masked(work: PictureWork, pixels: NDArray[np.float32], share: float) -> float:
    """Seconds of one masked row: a batch of masks spread over all that a picture is scored under."""
    n = work.scoring.batch_size
    baseline, keep = max(masks_per_picture(work.explanations, work.scoring.backbone.n_units).items(), key=lambda item: len(item[1]))
    value = work.scoring.scorer(work.adapter).value(pixels, np.zeros(n, dtype=np.int64), baseline)
    spread = keep[np.linspace(0, len(keep) - 1, n).astype(int)]
    return seconds_of(lambda: value(np.arange(n, dtype=np.int64), spread), share) / n


def _stages(
    work: PictureWork, forward: float, masked: float, prepare: float, corrupted: float, share: float
) -> tuple[dict[str, float], list[str]]:
    """Per table its cost, and the tables whose own verb was affordable."""
    n_masks = sum(len(masks) for masks in masks_per_picture(work.explanations, work.scoring.backbone.n_units).values())
    n_cells, n_looks = len(work.shifts.corruptions.cells()), looks_in_time(work.explanations, work.scoring.backbone.n_units)
    embedding = _Part(EMBEDDINGS, embedded, 1, _embedding_forward(work, share), 0.0, work.embedding.batch_size)
    batch = work.scoring.batch_size
    parts = (
        embedding,
        _Part(PREDICTIONS, predicted, 1, forward, prepare, batch),
        _Part(ATTRIBUTIONS, attributed, n_looks, forward, prepare, batch),
        _Part(EXPLANATION_METRICS, measured, n_masks, masked, prepare, batch),
        _Part(OOD_PREDICTIONS, exposed, n_cells, forward, prepare + corrupted, batch),
    )
    stages: dict[str, float] = {}
    whole: list[str] = []
    for part in parts:
        n = part.affordable(share, len(work.drawn))
        found = part.verb(work, n) if n else None
        if found is not None and found.seconds < share / 2:
            found = part.verb(work, n)  # the first call pays for what is made at first use
        stages[part.table.full_name] = part.cost(found, n)
        if found is not None:
            whole.append(part.table.full_name)
    stages[OOD_PREDICTIONS.full_name] /= n_cells
    return stages, whole


def _embedding_forward(work: PictureWork, share: float) -> float:
    own = work.embedding
    pixels = _batch(work, own)
    return seconds_of(lambda: own.scorer().embed(pixels), share) / own.batch_size


@dataclass(frozen=True)
class _Part:
    """One verb: `n_forwards` rows of `forward` seconds for each picture, and `shared` seconds that all adapters share."""

    table: Table
    verb: Callable[[PictureWork, int], Timed]
    n_forwards: int
    forward: float
    shared: float
    batch_size: int

    def affordable(self, share: float, n_pictures: int) -> int:
        """Pictures that the verb may be tried on, whole batches of forwards; 0 where one batch costs too much."""
        limit = min(n_pictures, int(share / max(1e-9, self.n_forwards * self.forward + self.shared)))
        fills = self.n_forwards >= self.batch_size or limit == n_pictures
        return limit if fills else limit // self.batch_size * self.batch_size

    def cost(self, found: Timed | None, n: int) -> float:
        """Seconds a picture and adapter: measured, and at least its forwards; without a measurement, its forwards."""
        forwards = self.n_forwards * self.forward
        if found is None:
            return forwards
        filled = n if self.n_forwards >= self.batch_size else padded(n, self.batch_size)
        return max(forwards, found.seconds / filled - self.shared)
