"""Do embeddings through Spark run at the speed of a bare PyTorch loop?

The loop is what a person would write: transformers' own model, native cast, inference mode, batches of the same size on the
pictures decoded beforehand, with the best thread count. Spark decodes, prepares, computes and hands rows back, session and workers warm.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import torch

from benchmarks.material import BASE, TINY, backbone_folder, decoded, picture_folder, pictures
from benchmarks.row import Row
from benchmarks.small_run import pipeline_on, write_config
from benchmarks.timing import in_turns, ratio, seconds_of, spread
from bronze.build import Examples, build_embeddings, embedding_stage, examples_of
from bronze.specs import SPLITS
from models.dtype import torch_dtype
from models.images import normalise
from models.scoring import Scoring
from pipelines.run import Pipeline

AIM = 0.95
BATCH = 8


def measure(folder: Path, quick: bool) -> list[Row]:
    """Ratios of pictures per second, Spark to loop: the model stage alone, and with staging, checks, commit and ledger."""
    n_pictures, size, name, rounds = (16, TINY, "tiny", 1) if quick else (512, BASE, "base", 3)
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
    scoring = pipeline.scoring(backbone, pipeline.config.embeddings.dtype, BATCH)
    loop, threads = _bare_loop(scoring, n_pictures)
    ways = {"loop": loop, "spark": _stage_only(pipeline, examples, scoring), "table": _whole(root, config, examples, scoring)}
    for work in ways.values():  # workers start, models load, the first commit of a session is paid for
        work()
    return _rows(in_turns(ways, rounds), n_pictures, scoring.dtype, threads)


def _bare_loop(scoring: Scoring, n_pictures: int) -> tuple[Callable[[], object], int]:
    """The loop over the same pictures, and the thread count that was best for it."""
    model = _transformers_model(scoring)
    pixels = torch.from_numpy(normalise(decoded(pictures(n_pictures), scoring.backbone.image_size), scoring.preprocessing))

    def loop(rows: int = n_pictures) -> None:
        with torch.inference_mode():
            for start in range(0, rows, BATCH):
                model(pixels[start : start + BATCH].to(model.dtype)).last_hidden_state.float().numpy()

    times = {}
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        loop(BATCH)
        times[threads] = seconds_of(lambda: loop(min(n_pictures, 4 * BATCH)))
    best = min(times, key=lambda threads: times[threads])
    torch.set_num_threads(best)
    return loop, best


def _transformers_model(scoring: Scoring) -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(scoring.backbone.folder, dtype=torch_dtype(scoring.dtype)).eval()


def _stage_only(pipeline: Pipeline, examples: Examples, scoring: Scoring) -> Callable[[], object]:
    """The model stage alone: read the examples, compute, throw the rows away."""
    stage = embedding_stage(pipeline.lake, examples, scoring, keep_units=False)
    inputs = examples_of(pipeline.lake, examples, SPLITS, pipeline.config.execution.chunk_rows, by_content=False)
    return lambda: stage.compute(inputs.frame()).write.format("noop").mode("overwrite").save()


def _whole(root: Path, config: Path, examples: Examples, scoring: Scoring) -> Callable[[], object]:
    """What `assay run` does: plan, stage, check, commit, ledger, on a lake that has the examples and no embedding yet."""

    numbers = count()  # a new place each time: Delta remembers what it saw at a path

    def work() -> None:
        copy = pipeline_on(shutil.copytree(root / "examples", root / f"copy-{next(numbers)}"), config)
        build_embeddings(copy.lake, copy.ledger, examples, scoring, keep_units=False, chunk_rows=copy.config.execution.chunk_rows)

    return work


def _rows(seconds: dict[str, list[float]], n_pictures: int, dtype: str, threads: int) -> list[Row]:
    ratios = {name: ratio(seconds["loop"], seconds[name]) for name in ("spark", "table")}
    speeds = {f"{name}_images_per_second": round(n_pictures / statistics.median(times), 2) for name, times in seconds.items()}
    shared: dict[str, float | int | str] = {
        "pictures": n_pictures, "dtype": dtype, "loop_threads": threads, **speeds, "spread_of_loop": round(spread(seconds["loop"]), 3),
    }  # fmt: skip
    extra = statistics.median(seconds["table"]) - statistics.median(seconds["spark"])
    what, limit = "embeddings through Spark, warm", "decoding and preparing pictures, and the slower of the tasks, which the loop has not"
    return [
        Row(what, "speed against a bare PyTorch loop", ratios["spark"], "ratio", "≥ 0.95", ratios["spark"] >= AIM, shared, limit),
        Row(
            what,
            "the same, table written and checked",
            ratios["table"],
            "ratio",
            "stated",
            None,
            shared | {"seconds_to_stage_check_and_commit": round(extra, 2)},
            "a fixed cost per commit: it fades with the number of pictures",
        ),
    ]
