"""How long is an epoch of an index head over N training examples, how much memory does it take, and from which N on is it no longer
practical?

Vectors of 768, one hidden layer of 512, batches of 128, as in the lake. An epoch is its steps; STEPS of them are timed, each size in a
process of its own, and the rest extrapolated, for they are all alike. The smallest size is also trained for real, through
`train_provenance`, to see whether the extrapolation is right.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from benchmarks.apart import apart, forget_peak, memory_mib
from benchmarks.row import Row
from benchmarks.timing import seconds_of
from benchmarks.vectors import WIDTH
from models.provenance.network import ProvenanceNetwork, Variant
from models.provenance.slots import Slots
from models.provenance.training import ProvenanceTraining, TrainingSet, train_provenance
from models.provenance.trunk import vector_trunk

HIDDEN, STEPS, WARM = 512, 6, 2
HOUR = 3600.0
LIMIT_SECONDS = 600.0  # of one size
SIZES = {False: (1_000, 3_000, 10_000, 30_000, 100_000), True: (400,)}
Details = dict[str, float | int | str]


@dataclass(frozen=True)
class Kind:
    """A variant of the head, and over how many classes of equal size."""

    variant: Variant
    classes: int

    @property
    def name(self) -> str:
        return "class-independent" if self.variant == "two_branch" else f"class-conditional, {self.classes} classes"


KINDS = (Kind("two_branch", 10), Kind("class_conditional", 10), Kind("class_conditional", 100))


@dataclass(frozen=True)
class Cost:
    """Seconds of a step, MiB that training added at its peak to the process, parameters of the net."""

    step_seconds: float
    peak_mib: float
    parameters: int


def measure(folder: Path, quick: bool) -> list[Row]:
    """Per kind of head a row for every N, one that says up to where it is practical, and one real epoch beside the extrapolation."""
    threads, rows = torch.get_num_threads(), []
    for kind in KINDS[-1:] if quick else KINDS:
        costs = {}
        for n in SIZES[quick]:
            found = apart(cost, kind, n, threads, limit_seconds=LIMIT_SECONDS)
            if found is None:
                raise RuntimeError(f"{STEPS + WARM} steps of {kind.name} over {n:,} examples took more than {LIMIT_SECONDS:.0f} s")
            costs[n] = found
        rows += [_row(kind, n, one, threads) for n, one in costs.items()] + [_practical(kind, costs)]
    return [*rows, _real(KINDS[0], SIZES[quick][0], threads)]


def data_of(kind: Kind, n: int) -> TrainingSet:
    """n vectors with the classes 0, 1, 2, …, 0, … in turn."""
    inputs = np.random.default_rng(n).standard_normal((n, WIDTH), dtype=np.float32)
    return TrainingSet.of(inputs, np.arange(n) % kind.classes, [f"{number:07d}" for number in range(n)])


def cost(kind: Kind, n: int, threads: int) -> Cost:
    """Of a step as `train_provenance` makes it; for a process of its own. A small net has trained before: what torch loads for its first
    step counts nothing."""
    torch.set_num_threads(threads)
    _steps(kind, data_of(kind, 200))[1](0)
    data = data_of(kind, n)
    forget_peak()
    held = memory_mib("VmRSS")
    network, step = _steps(kind, data)
    times = [seconds_of(partial(step, number)) for number in range(WARM + STEPS)]
    return Cost(statistics.median(times[WARM:]), memory_mib("VmHWM") - held, network.parameters_count)


def _steps(kind: Kind, data: TrainingSet) -> tuple[ProvenanceNetwork, Callable[[int], None]]:
    """A fresh net, and one step of its training by number."""
    how = ProvenanceTraining()
    slots = Slots(data.labels, kind.classes, kind.variant == "class_conditional")
    network = ProvenanceNetwork(kind.variant, vector_trunk(WIDTH, HIDDEN), slots, 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    rows, labels = np.random.default_rng(0).permutation(len(data.labels)), torch.from_numpy(data.labels)
    head = network.index_head
    if head is None:
        raise ValueError("a plain classifier has no index head to be timed")

    def step(number: int) -> None:
        batch = np.take(rows, np.arange(how.batch_size) + number * how.batch_size, mode="wrap")
        told, indexed = network.branches(data.inputs[batch])
        loss = functional.cross_entropy(network.class_head(told), labels[batch])
        loss = loss + head.loss(indexed, labels[batch], batch, how.smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        optimiser.step()

    return network, step


def steps_of(n: int) -> int:
    """Steps of an epoch."""
    return -(-n // ProvenanceTraining().batch_size)


def _row(kind: Kind, n: int, found: Cost, threads: int) -> Row:
    epochs = ProvenanceTraining().epochs
    epoch = found.step_seconds * steps_of(n)
    details: Details = {
        "milliseconds_per_step": round(1e3 * found.step_seconds, 2),
        "steps": steps_of(n),
        f"minutes_of_{epochs}_epochs": round(epochs * epoch / 60, 2),
        "peak_mib": round(found.peak_mib),
        "parameters": found.parameters,
        "steps_timed": STEPS,
        "threads": threads,
    }
    what = f"training an index head, {kind.name}, N = {n:,}, width {WIDTH}, hidden {HIDDEN}"
    why = "steps times slots: both grow with N, so an epoch grows with its square once the slots outweigh the fixed layers"
    return Row(what, "seconds of an epoch", round(epoch, 3), "s", "stated", None, details, why)


def _practical(kind: Kind, costs: dict[int, Cost]) -> Row:
    epochs = ProvenanceTraining().epochs
    hours = {n: epochs * one.step_seconds * steps_of(n) / HOUR for n, one in costs.items()}
    largest = max((n for n, taken in hours.items() if taken <= 1.0), default=0)
    details: Details = {f"hours_at_{n}": round(taken, 3) for n, taken in hours.items()}
    last = max(costs)
    guess = round(last * hours[last] ** -0.5) if largest == last else largest
    why = "time, not memory" if largest < last else f"not reached; as an epoch grows with N squared, an hour is reached at about {guess:,}"
    return Row(
        f"training an index head, {kind.name}, width {WIDTH}, hidden {HIDDEN}",
        f"largest N measured whose {epochs} epochs take at most an hour",
        float(largest),
        "examples",
        "stated",
        None,
        details,
        why,
    )


def _real(kind: Kind, n: int, threads: int) -> Row:
    data = data_of(kind, n)
    how = ProvenanceTraining(epochs=3)
    found = cost(kind, n, threads)

    def work() -> object:
        return train_provenance(kind.variant, vector_trunk(WIDTH, HIDDEN), 1, data, kind.classes, how, 0, threads=threads)

    work()
    seconds = seconds_of(work) / how.epochs
    return Row(
        f"training an index head, {kind.name}, N = {n:,}, through train_provenance",
        "a real epoch against the extrapolated one",
        round(seconds / (found.step_seconds * steps_of(n)), 2),
        "ratio",
        "stated",
        None,
        {"seconds": round(seconds, 3), "extrapolated_seconds": round(found.step_seconds * steps_of(n), 3)},
        "the making of the net, which three epochs share, and the draws",
    )
