"""How fast are five training examples of very many found: by an index head, exactly in a space that is there, or approximately?

A batch of 256 questions against N vectors of width 768 (benchmarks/vectors.py says which). The index head is one of that width whose
slots' weights are the vectors themselves: it multiplies as much as exact search and has its hidden layer beside it. The twin is what one
writes first: all scores, a softmax, an argsort. Approximate indexes are built and asked in processes of their own, beside the exact
answer; what they give up is recall, and the probability over all N, which nobody knows who has not looked at all N.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks import approximate, vectors
from benchmarks.apart import apart
from benchmarks.approximate import LIBRARIES, Measured
from benchmarks.row import Row
from benchmarks.timing import in_turns, ratio, spread
from benchmarks.vectors import WIDTH
from models.provenance.index_head import IndexHead
from models.provenance.neighbours import unit
from models.provenance.ranking import top_linear
from models.provenance.slots import Slots

K, QUESTIONS, CLASSES = 5, 256, 100
RECALL = 0.95  # below it an index is no answer to "which examples stand behind this?"
LIMIT_SECONDS = 1900.0  # of one index, building and asking
SIZES = {
    False: (("isotropic", 10_000), ("clustered", 10_000), ("clustered", 100_000), ("clustered", 1_000_000)),
    True: (("clustered", 3000),),
}

Details = dict[str, float | int | str]


def measure(folder: Path, quick: bool) -> list[Row]:
    """Per N the exact ways beside the twin, and each library that is installed beside the exact answer."""
    found, built = [], dict[tuple[str, str], float]()  # seconds per candidate of the last index of this kind
    for kind, n in SIZES[quick]:
        place = vectors.stored(folder, kind, n)
        questions = vectors.KINDS[kind](QUESTIONS, 1)
        rounds = 3 if n < 1_000_000 else 2
        if kind == "clustered":
            found += _exact(place, questions, rounds)
        for number, library in enumerate(LIBRARIES):
            if not library.installed:
                continue
            if why := _too_long(n, built.get((library.name, kind))):
                found.append(_approximate_row(number, kind, n, None, library.version, why))
                continue
            threads = torch.get_num_threads()
            answer = apart(approximate.measured, number, place, questions, K, threads, rounds, limit_seconds=LIMIT_SECONDS)
            built[library.name, kind] = (LIMIT_SECONDS if answer is None else answer.build_seconds) / n
            why = f"not built and asked within {LIMIT_SECONDS:,.0f} s"
            found.append(_approximate_row(number, kind, n, answer, library.version, why))
    return found


def _too_long(n: int, seconds_per_candidate: float | None) -> str | None:
    """Why an index over n is not tried after one of fewer candidates; building a graph grows faster than its size."""
    if seconds_per_candidate is None or n * seconds_per_candidate <= LIMIT_SECONDS:
        return None
    return f"not tried: at the pace of fewer it takes {n * seconds_per_candidate:,.0f} s to build or more, above {LIMIT_SECONDS:,.0f} s"


def _exact(place: Path, questions: vectors.Vectors, rounds: int) -> list[Row]:
    known = torch.from_numpy(approximate.mapped(place))
    asked = torch.from_numpy(questions)
    told = torch.arange(QUESTIONS) % CLASSES
    ways: dict[str, Callable[[], object]] = {
        "twin": partial(_twin, asked, known),
        "exact kNN": partial(top_linear, asked, known, None, K),
        "index head": partial(index_head(known, conditional=False).top, asked, told, K),
        "class-conditional index head": partial(index_head(known, conditional=True).top, asked, told, K),
    }
    for name, work in ways.items():
        if name != "twin":
            work()  # pages are read, threads started
    seconds = in_turns(ways, rounds)
    prepared = in_turns({"unit": partial(unit, known[:10_000].numpy())}, rounds)["unit"]
    return [_exact_row(name, len(known), seconds, statistics.median(prepared) / min(len(known), 10_000)) for name in ways if name != "twin"]


def index_head(known: torch.Tensor, conditional: bool) -> IndexHead:
    """A head with a slot per vector, of which the vectors are the weights; conditional on CLASSES classes of equal size, K_y of them."""
    slots = Slots(np.arange(len(known)) % CLASSES, CLASSES, conditional)
    with torch.device("meta"):  # no 3 GB are made to be thrown away
        head = IndexHead(WIDTH, slots)
    head.hidden, head.norm = torch.nn.Linear(head.hidden.in_features, WIDTH), torch.nn.BatchNorm1d(WIDTH)
    head.outputs.weight = torch.nn.Parameter(known[: slots.width], requires_grad=False)
    head.outputs.bias = torch.nn.Parameter(torch.zeros(slots.width), requires_grad=False)
    return head.eval().requires_grad_(False)


def _twin(asked: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """All scores at once, their softmax, and a sort of all of them."""
    scores = asked @ known.T
    order = torch.argsort(scores, dim=1, descending=True, stable=True)[:, :K]
    return order, scores.softmax(dim=1).gather(1, order)


def _exact_row(name: str, n: int, seconds: Mapping[str, list[float]], unit_seconds: float) -> Row:
    gflop = 2 * QUESTIONS * (n if name != "class-conditional index head" else n // CLASSES) * WIDTH / 1e9
    middle = statistics.median(seconds[name])
    details: Details = {
        "candidates": n,
        "questions": QUESTIONS,
        "milliseconds": round(1e3 * middle, 2),
        "questions_per_second": round(QUESTIONS / middle, 1),
        "twin_milliseconds": round(1e3 * statistics.median(seconds["twin"]), 2),
        "gflop_per_second": round(gflop / middle, 1),
        "times_exact_knn": round(ratio(seconds[name], seconds["exact kNN"]), 3),
        "spread": round(spread(seconds[name]), 3),
        "threads": torch.get_num_threads(),
    }
    if name == "exact kNN":
        details["seconds_to_bring_candidates_to_length_one_once"] = round(unit_seconds * n, 2)
    why = "the multiplication with all candidates" if name != "class-conditional index head" else (
        f"it multiplies with the {n // CLASSES:,} slots of a class, class after class: about {QUESTIONS / CLASSES:.2g} questions at a time"
    )  # fmt: skip
    return Row(
        what=f"top {K} of {n:,} candidates, width {WIDTH}, {name}",
        figure="times all scores, their softmax and an argsort",
        value=round(ratio(seconds["twin"], seconds[name]), 2),
        unit="x",
        aim="stated",
        met=None,
        details=details,
        limited_by=why,
    )


def _approximate_row(number: int, kind: str, n: int, found: Measured | None, version: str, absent: str) -> Row:
    what = f"top {K} of {n:,} candidates ({kind}), width {WIDTH}, {LIBRARIES[number].name}"
    figure = f"times the questions per second of exact kNN, recall@{K} ≥ {RECALL}"
    if found is None:
        return Row(what, figure, 0.0, "x", "stated", None, {}, absent)
    gains = {effort: ratio(found.exact_seconds, seconds) for effort, seconds in found.seconds.items() if found.recall[effort] >= RECALL}
    best = max(gains, key=lambda effort: gains[effort], default=None)
    details: Details = {"build_seconds": round(found.build_seconds, 1), "index_mib": round(found.mib), "threads": torch.get_num_threads()}
    details["version"] = version
    for effort, seconds in found.seconds.items():
        details[f"recall_at_effort_{effort}"] = round(found.recall[effort], 3)
        details[f"questions_per_second_at_effort_{effort}"] = round(QUESTIONS / statistics.median(seconds))
    details["exact_questions_per_second"] = round(QUESTIONS / statistics.median(found.exact_seconds))
    if best is None:
        return Row(
            what, figure, 0.0, "x", "stated", None, details, f"no effort reached that recall, the best {max(found.recall.values()):.3f}"
        )
    saved = (statistics.median(found.exact_seconds) - statistics.median(found.seconds[best])) / QUESTIONS
    details["questions_until_the_building_is_paid"] = round(found.build_seconds / saved) if saved > 0 else "never"
    why = "the building, and the candidates that are looked at one by one where exact search multiplies blocks"
    return Row(what, figure, round(gains[best], 2), "x", "stated", None, details | {"effort": best}, why)
