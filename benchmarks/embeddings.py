"""Do embeddings through Spark run at the speed of a bare PyTorch loop?

Two loops, both on pictures decoded and prepared beforehand, in batches of the same size, with the thread count that is best for each:
over the scorer that Spark's workers run (the one the aim is judged by: what Spark costs), and over transformers' own model in native
cast (what a person would write). Spark decodes, prepares, computes and hands rows back, session and workers warm.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.material import BASE, TINY, backbone_folder, decoded, picture_folder, pictures
from benchmarks.row import Row
from benchmarks.small_run import pipeline_on, write_config
from benchmarks.timing import in_turns, ratio, seconds_of, spread
from bronze.build import Examples, examples_of
from bronze.embeddings.build import build_embeddings, embedding_stage
from bronze.specs import SPLITS
from models.dtype import torch_dtype
from models.images import normalise
from models.scoring import Scoring
from pipelines.config import load_config
from pipelines.pictures_only import picture_scoring
from pipelines.run import Pipeline

AIM = 0.95
BATCH = 8
WHAT = "embeddings through Spark, warm"
LIMITED_BY = "decoding and preparing pictures, and the slower of the tasks, which the loop has not"
FADES = "; staging, checking and the commit are a fixed cost, which fades with the number of pictures"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Loop:
    """A bare loop: `pass_over(pixels)` with `threads` threads of torch."""

    pass_over: Callable[[Floats], None]
    threads: int

    def run(self, pixels: Floats) -> None:
        torch.set_num_threads(self.threads)
        self.pass_over(pixels)


def measure(folder: Path, quick: bool) -> list[Row]:
    """Ratios of pictures per second, Spark to loop: with staging, checks, commit and ledger, and the model stage alone."""
    n_pictures, size, name, rounds = (16, TINY, "tiny", 1) if quick else (512, BASE, "base", 2)
    backbone = backbone_folder(folder / name, size)
    config = write_config(
        folder / f"embeddings-{name}.yaml",
        picture_folder(folder / f"pictures-{n_pictures}", n_pictures),
        backbone.folder,
        embeddings={"batch_size": BATCH},
    )
    root = folder / "embeddings-lake"
    shutil.rmtree(root, ignore_errors=True)
    pipeline = pipeline_on(root / "examples", config)
    examples = pipeline.examples()
    scoring = picture_scoring(pipeline.scoring(backbone, pipeline.config.embeddings.dtype, BATCH))
    pixels = normalise(decoded(pictures(n_pictures), scoring.backbone.image_size), scoring.preprocessing)
    loops = {"scorer_loop": _best(partial(_scorer_pass, scoring), pixels), "transformers_loop": _best(_transformers_pass(scoring), pixels)}
    ways: dict[str, Callable[[], object]] = {name: partial(loop.run, pixels) for name, loop in loops.items()}
    ways |= {"spark": _stage_only(pipeline, examples, scoring), "table": _whole(root, config, examples, scoring, 1 + rounds)}
    for work in ways.values():  # workers start, models load, the first commit of a session is paid for
        work()
    return _rows(in_turns(ways, rounds), n_pictures, scoring.dtype, {f"{name}_threads": loop.threads for name, loop in loops.items()})


def _scorer_pass(scoring: Scoring, pixels: Floats) -> None:
    for start in range(0, len(pixels), BATCH):
        scoring.scorer().embed(pixels[start : start + BATCH])


def _transformers_pass(scoring: Scoring) -> Callable[[Floats], None]:
    from transformers import AutoModel

    model: Any = AutoModel.from_pretrained(scoring.backbone.folder, dtype=torch_dtype(scoring.dtype)).eval()

    def pass_over(pixels: Floats) -> None:
        with torch.inference_mode():
            for start in range(0, len(pixels), BATCH):
                model(torch.from_numpy(pixels[start : start + BATCH]).to(model.dtype)).last_hidden_state.float().numpy()

    return pass_over


def _best(pass_over: Callable[[Floats], None], pixels: Floats) -> Loop:
    """The loop with the thread count that is best for it, one or all of torch's."""
    every = torch.get_num_threads()
    times = {}
    for loop in (Loop(pass_over, threads) for threads in sorted({1, every})):
        loop.run(pixels[:BATCH])
        times[loop.threads] = seconds_of(partial(loop.run, pixels[: 4 * BATCH]))
    torch.set_num_threads(every)
    return Loop(pass_over, min(times, key=lambda threads: times[threads]))


def _stage_only(pipeline: Pipeline, examples: Examples, scoring: Scoring) -> Callable[[], object]:
    """The model stage alone: read the examples, compute, throw the rows away."""
    stage = embedding_stage(pipeline.lake, examples, scoring, keep_units=False)
    inputs = examples_of(pipeline.lake, examples, SPLITS, pipeline.config.execution.chunk_rows, by_content=False)
    return lambda: stage.compute(inputs.frame()).write.format("noop").mode("overwrite").save()


def _whole(root: Path, config: Path, examples: Examples, scoring: Scoring, times: int) -> Callable[[], object]:
    """What `assay run` does: plan, stage, check, commit, ledger, on a lake that has the examples and no embedding yet.

    One lake for each of `times` calls is made here, outside what is timed: a new place each, as Delta remembers what it saw at a path.
    """
    loaded = load_config(config)
    copies = [shutil.copytree(root / "examples", root / f"copy-{number}") for number in range(times)]
    fresh = iter([pipeline_on(copy, loaded) for copy in copies])

    def work() -> None:
        lake = next(fresh)
        build_embeddings(lake.lake, lake.ledger, examples, scoring, keep_units=False, chunk_rows=loaded.execution.chunk_rows)
        lake.ledger.commit()  # as a run's end does

    return work


def _rows(seconds: dict[str, list[float]], n_pictures: int, dtype: str, threads: dict[str, int]) -> list[Row]:
    speeds = {f"{name}_images_per_second": round(n_pictures / statistics.median(times), 2) for name, times in seconds.items()}
    shared: dict[str, float | int | str] = {
        "pictures": n_pictures, "dtype": dtype, **threads, **speeds, "spread_of_loop": round(spread(seconds["scorer_loop"]), 3),
    }  # fmt: skip
    extra = statistics.median(seconds["table"]) - statistics.median(seconds["spark"])
    written = shared | {"seconds_to_stage_check_and_commit": round(extra, 2)}
    own, theirs = "speed against a bare loop over the same scorer", "speed against a bare loop over transformers' model"
    judged = ratio(seconds["scorer_loop"], seconds["table"])
    return [
        Row(WHAT, f"{own}, table written and checked", judged, "ratio", f"≥ {AIM}", judged >= AIM, written, LIMITED_BY + FADES),
        _stated(f"{own}, rows thrown away", ratio(seconds["scorer_loop"], seconds["spark"]), shared, LIMITED_BY),
        _stated(f"{theirs}, table written and checked", ratio(seconds["transformers_loop"], seconds["table"]), written, LIMITED_BY + FADES),
        _stated(f"{theirs}, rows thrown away", ratio(seconds["transformers_loop"], seconds["spark"]), shared, LIMITED_BY),
    ]


def _stated(figure: str, value: float, details: dict[str, float | int | str], limited_by: str) -> Row:
    return Row(WHAT, figure, value, "ratio", "stated", None, details, limited_by)
