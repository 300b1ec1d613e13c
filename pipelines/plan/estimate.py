"""How long would a plan take, and how much would it write? Counts times measured costs, plus what every run pays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bronze.specs import EMBEDDINGS, EXAMPLES, SHIFTED
from gold.settings import GoldSettings
from models.recipe import Recipe
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.plan.calibrate import Costs
from pipelines.plan.calibrate_training import TrainingCosts
from pipelines.plan.forwards import padded
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, OUTSIDE_PREDICTIONS, PREDICTIONS

ARROW_ROWS = 64  # rows that reach a verb together

# What a run pays whatever its size: seconds on two cores, from the commit times of the demo's first run (docs/decisions/0010).
SESSION_SECONDS = 14.0  # JVM, Spark session, lease, first look at the lake
WORKER_SECONDS = 8.0  # a Python worker's imports
INGEST_SECONDS = 6.0  # staging, conflicts, three commits
STAGE_SECONDS = 4.0  # staging, the row-count law, commit and ledger of the first chunk of a table
CHUNK_SECONDS = 2.0  # the same for each further chunk
TABLE_SECONDS = 0.45  # creating a table
GOLD_SECONDS = 24.0  # fourteen tables
GOLD_WORK = 8.5e6  # rows x trees x fits that the learners manage per second on one core
CLOSING_SECONDS = 5.0  # quality, settings, descriptions of tables and columns, the run's own row


@dataclass(frozen=True)
class Size:
    """How much there is to do.

    `n_train`, `n_val`, `n_meta`, `n_outside`: examples of the splits; `n_shifted`: of shifted sources of the user's own. `n_adapters`:
    that are scored; `n_new_adapters`: to check and merge;
    `recipes`: to train, from pictures of `training_bytes` that are collected once. `to_do`: table -> rows. `rows_per_picture`: table ->
    rows of one picture and adapter; `n_masks`: masks behind those of explanation metrics, `n_looks`: forwards behind those of
    attributions. `pretrain_pictures`: pictures times epochs.
    """

    n_train: int
    n_val: int
    n_meta: int
    n_adapters: int
    n_new_adapters: int
    n_masks: int
    rows_per_picture: Mapping[str, int]
    batch_size: int
    to_do: Mapping[str, int]
    recipes: tuple[Recipe, ...]
    training_bytes: float
    pretrain_pictures: int
    chunk_rows: int
    n_outside: int = 0
    n_shifted: int = 0
    n_looks: int = 1


@dataclass(frozen=True)
class Machine:
    """`workers`: tasks of one thread that compute at once; `bytes_per_row`: table -> bytes."""

    workers: int
    bytes_per_row: Mapping[str, float]


@dataclass(frozen=True)
class Line:
    """One stage. `rows`: to write; `forwards`: rows through the model, a training example counts once forward and twice backward.
    `untimed`: why `seconds` are not known, and 0; empty where they are."""

    stage: str
    rows: int
    forwards: int
    seconds: float
    bytes: float
    untimed: str = ""


def stage_lines(size: Size, costs: Costs, training: TrainingCosts, pretrain_pace: float, machine: Machine) -> list[Line]:
    """A line per stage that has something to do, fixed parts included; in the order of the run."""
    lines = [
        _read(EXAMPLES.full_name, size, costs, machine),
        _read(SHIFTED.full_name, size, costs, machine),
        _pretraining(size, pretrain_pace),
        _embeddings(size, costs, machine),
        _training(size, training, costs, machine),
        _predicted(PREDICTIONS.full_name, size.n_meta, size, costs, machine),
        _predicted(OUTSIDE_PREDICTIONS.full_name, size.n_outside, size, costs, machine),
        *(_scored(name, per_row, size, costs, machine) for name, per_row in _forwards_per_row(size).items()),
    ]
    return [line for line in lines if line.seconds]


def _forwards_per_row(size: Size) -> dict[str, float]:
    """Table -> forwards behind one row of it."""
    metrics = size.n_masks / size.rows_per_picture[EXPLANATION_METRICS.full_name]
    looks = size.n_looks / size.rows_per_picture[ATTRIBUTIONS.full_name]
    return {ATTRIBUTIONS.full_name: looks, EXPLANATION_METRICS.full_name: metrics, OOD_PREDICTIONS.full_name: 1}


def _line(stage: str, size: Size, machine: Machine, forwards: float, seconds: float, fixed: float = 0.0) -> Line:
    """`seconds` of work are shared by the workers; a stage without rows to do costs nothing."""
    return stage_line(stage, size.to_do.get(stage, 0), forwards, seconds, machine, size.chunk_rows, fixed)


def stage_line(stage: str, rows: int, forwards: float, seconds: float, machine: Machine, chunk_rows: int, fixed: float = 0.0) -> Line:
    """A stage that writes `rows`, after `seconds` of work that the workers share, in commits of `chunk_rows`; without rows it costs
    nothing."""
    if not rows:
        return Line(stage, 0, 0, 0.0, 0.0)
    chunks = math.ceil(rows / chunk_rows)
    paid = fixed + STAGE_SECONDS + CHUNK_SECONDS * (chunks - 1)
    return Line(stage, rows, round(forwards), seconds / machine.workers + paid, rows * machine.bytes_per_row[stage])


def _read(stage: str, size: Size, costs: Costs, machine: Machine) -> Line:
    return _line(stage, size, machine, 0, costs.read * size.to_do.get(stage, 0), INGEST_SECONDS - STAGE_SECONDS)


def _pretraining(size: Size, pace: float) -> Line:
    """One task, on one thread, and nothing beside it."""
    return Line("backbone.pretrain", 0, 3 * size.pretrain_pictures, pace * size.pretrain_pictures, 0.0)


def _embeddings(size: Size, costs: Costs, machine: Machine) -> Line:
    rows = size.to_do.get(EMBEDDINGS.full_name, 0)
    seconds = rows * costs.stages[EMBEDDINGS.full_name] * costs.crowding
    return _line(EMBEDDINGS.full_name, size, machine, rows, seconds, WORKER_SECONDS)


def _training(size: Size, training: TrainingCosts, costs: Costs, machine: Machine) -> Line:
    """Recipes are tasks, so that the last wave may leave workers idle; adapters are then merged two at a time.

    Spark starts a task per worker whatever `adapters.threads` is: with more threads than one they share the cores, which takes as long as
    if only as many recipes as have cores for their threads ran at once.
    """
    seconds = [training.start + r.epochs * (r.train_share * size.n_train + size.n_val / 3) * training.picture for r in size.recipes]
    forwards = sum(r.epochs * (3 * math.ceil(r.train_share * size.n_train) + size.n_val) for r in size.recipes)
    collected = (size.n_train + size.n_val) * costs.prepare if size.recipes else 0.0
    together = max(1, machine.workers // training.threads)
    crowd = costs.crowding if min(len(size.recipes), together) > 1 else 1.0
    spent = collected + longest(seconds, together) * crowd + size.n_new_adapters * training.judge / 2
    bytes_ = size.training_bytes + size.n_new_adapters * training.merged_bytes + len(size.recipes) * training.adapter_bytes
    fixed = STAGE_SECONDS if size.n_new_adapters else 0.0
    return Line("silver.adapters", size.n_new_adapters, forwards, spent + fixed, bytes_)


def longest(seconds: Sequence[float], workers: int) -> float:
    """When the last of these tasks ends, each worker taking the next one as it becomes free."""
    ends = [0.0] * max(1, workers)
    for task in seconds:
        first = ends.index(min(ends))
        ends[first] += task
    return max(ends)


def _predicted(stage: str, n_examples: int, size: Size, costs: Costs, machine: Machine) -> Line:
    """Answers to the clean examples of one split, of no class or of classes alike: an adapter is loaded for the first of them."""
    rows = size.to_do.get(stage, 0)
    first = stage == PREDICTIONS.full_name or not size.to_do.get(PREDICTIONS.full_name)
    loads = costs.load * size.n_adapters * machine.workers if first else 0.0
    fill = filling(n_examples, machine.workers, size.batch_size)
    seconds = (n_examples * costs.prepare + rows * costs.stages[PREDICTIONS.full_name] * fill) * costs.crowding + loads
    return _line(stage, size, machine, rows, seconds)


def _scored(stage: str, per_row: float, size: Size, costs: Costs, machine: Machine) -> Line:
    """Per picture and adapter; decoding, preparing and corrupting are done once for all adapters."""
    rows = size.to_do.get(stage, 0)
    units = rows if stage == OOD_PREDICTIONS.full_name else rows / size.rows_per_picture[stage]  # its cost is that of one cell
    shared = size.n_meta * (costs.prepare + (costs.corrupt if stage == OOD_PREDICTIONS.full_name else 0.0))
    shared += size.n_shifted * costs.prepare if stage == OOD_PREDICTIONS.full_name else 0.0
    masked = stage == EXPLANATION_METRICS.full_name or (stage == ATTRIBUTIONS.full_name and size.n_looks >= size.batch_size)
    fill = 1.0 if masked else filling(size.n_meta, machine.workers, size.batch_size)
    seconds = (shared + units * costs.stages[stage] * fill) * costs.crowding
    return _line(stage, size, machine, rows * per_row, seconds)


def filling(n_examples: int, workers: int, batch_size: int) -> float:
    """Rows through the model per example, at least 1: examples lie in one part per worker, reach the model 64 at a time, and the last
    batch of each 64 is filled up."""
    if not n_examples:
        return 1.0
    part = math.ceil(n_examples / workers)
    full, rest = divmod(part, ARROW_ROWS)
    return (full * padded(ARROW_ROWS, batch_size) + padded(rest, batch_size)) / part


def gold_seconds(n_rows: int, gold: GoldSettings) -> float:
    """Gold is recomputed whole when anything below it changed: its tables, and the meta-learner's fits over all rows."""
    trees = gold.forest.trees + gold.boost.trees + gold.boost_tuned.trees
    fits = len(gold.protocols) * (gold.n_folds + 1)
    return GOLD_SECONDS + min(n_rows, gold.max_rows) * trees * fits / GOLD_WORK
