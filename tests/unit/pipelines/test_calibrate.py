"""Does an estimate count what the engine does, and add it up as the run would spend it?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bronze.reference import Reference
from bronze.settings import SourceSettings, SplitSettings
from gold.settings import GoldSettings
from lake.identity import content_id
from lake.ledger import Cell
from models.decode import DecodeLimits, encode_png
from models.errors import ArtifactError
from models.image_scorer import ImageScorer
from models.images import preprocessing_of
from models.masked_value import MaskedValue
from models.recipe import Recipe
from models.scoring import Scoring
from ood.picture_shifts import PictureShifts
from ood.settings import CorruptionSettings
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.check.drawn import Drawn
from pipelines.check.splits import expected_splits
from pipelines.check.tried_pictures import TriedPictures
from pipelines.plan.calibrate import Costs, calibrate
from pipelines.plan.calibrate_training import TrainingCosts, training_costs
from pipelines.plan.calibrate_verbs import PictureWork, attributed, measured
from pipelines.plan.costs import computing_at_once
from pipelines.plan.dry_run import adapter_cells
from pipelines.plan.estimate import STAGE_SECONDS, Line, Machine, Size, filling, gold_seconds, longest, stage_lines
from pipelines.plan.forwards import looks_in_time, looks_per_picture, masks_per_picture
from pipelines.plan.judged import judged, worth_more
from pipelines.plan.row_bytes import Shape, foretold_row_bytes
from silver.adapters.offers import Zoo
from silver.methods import MethodSettings
from silver.settings import AdapterSettings, ExplanationSettings, MetricGroup
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, PREDICTIONS
from tests.adapter_folders import LABELS, small_backbone
from tests.lakes import config_of, settings
from xai.masks import Masking
from xai.presets import DEFAULT, KI

N = 4


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> tuple[PictureWork, TrainingCosts]:
    """A two-layer backbone, one adapter trained for a moment, four pictures."""
    folder = tmp_path_factory.mktemp("calibrate")
    backbone = small_backbone(folder / "backbone")
    scoring = Scoring(backbone, preprocessing_of(backbone.folder), DecodeLimits(), "float32", 4)
    generator = np.random.Generator(np.random.PCG64(1))
    contents = [encode_png(generator.integers(0, 256, (60, 60, 3), dtype=np.uint8)) for _ in range(N)]
    pictures = tuple(Drawn(Reference(f"{i}.png", f"{i}.png"), content, content_id("image", content)) for i, content in enumerate(contents))
    label_ids = (0, 1, 2, 0)
    zoo = Zoo("d", LABELS, scoring, AdapterSettings(), folder / "artifacts")
    tried = TriedPictures(scoring.pictures(contents), np.array(label_ids, dtype=np.int64))
    recipe = Recipe(name="r2", rank=2, learning_rate=1e-3)
    training = training_costs(recipe, zoo, tried, folder / "training", 0.2)
    own = ExplanationSettings(), PictureShifts(scoring, CorruptionSettings(names=("ki_contrast",)))
    return PictureWork(pictures, label_ids, scoring, scoring, *own, False, training.adapter), training


def test_the_engine_evaluates_the_masks_that_are_counted_but_for_chance_repeats(
    work: tuple[PictureWork, TrainingCosts], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = MaskedValue.__call__

    def counting(self: MaskedValue, rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return real(self, rows, keep)

    monkeypatch.setattr(MaskedValue, "__call__", counting)
    measured(work[0], N)
    expected = sum(len(masks) for masks in masks_per_picture(work[0].explanations, 16).values())
    # Masks of one or two of 16 units are now and then the same by chance, and then evaluated once.
    assert 0.95 * N * expected <= sum(asked) <= N * expected


def test_masks_that_curves_share_are_counted_once() -> None:
    # 16 units, step 1: 17 points a curve. Mean baseline: deletion and insertion of attention share nothing but both ends (all, none):
    # 17 + 15 = 32; `reverse` removes what insertion leaves, so that its two curves are the same masks again; `random` adds 15 + 15.
    one = ExplanationSettings(groups=(MetricGroup(preset=DEFAULT, controls=()),))
    assert {name: len(masks) for name, masks in masks_per_picture(one, 16).items()} == {"mean": 32}
    both = ExplanationSettings(groups=(MetricGroup(preset=DEFAULT),))
    assert {name: len(masks) for name, masks in masks_per_picture(both, 16).items()} == {"mean": 62}
    # KI's deletion is under mean too and costs nothing more; its insertion is under zero: 17.
    two = ExplanationSettings(groups=(MetricGroup(preset=DEFAULT), MetricGroup(preset=KI, controls=())))
    assert {name: len(masks) for name, masks in masks_per_picture(two, 16).items()} == {"mean": 62, "zero": 17}


MORE = ExplanationSettings(
    methods=("attention", "occlusion", "ig", "lime", "attention_rollout"),
    method_settings=MethodSettings(masks=Masking(n=20), ig_steps=3, baseline="mean"),
)


def test_the_engine_looks_no_more_often_than_is_counted_and_hardly_less(
    work: tuple[PictureWork, TrainingCosts], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    for of, name in ((MaskedValue, "__call__"), (ImageScorer, "explain"), (ImageScorer, "attention_maps")):
        real = getattr(of, name)

        def counting(self: object, inputs: np.ndarray, *more: object, _real: Any = real) -> Any:
            asked.append(len(inputs))
            return _real(self, inputs, *more)

        monkeypatch.setattr(of, name, counting)
    attributed(replace(work[0], explanations=MORE), N)
    # A picture of 16 patches: 1 clean, 16 patches hidden alone, 19 masks drawn beside the intact one, 3 steps of a gradient, 1 rollout.
    assert looks_per_picture(MORE, 16) == 1 + 16 + 19 + 3 + 1 and looks_in_time(MORE, 16) == looks_per_picture(MORE, 16) + 2 * 3
    forwards = N * (looks_per_picture(MORE, 16) - 3)  # gradients are no forwards of a scorer
    assert 0.95 * forwards <= sum(asked) <= forwards
    assert looks_per_picture(ExplanationSettings(), 16) == looks_in_time(ExplanationSettings(), 16) == 1


def test_every_cost_is_measured_and_positive_and_a_budget_of_nothing_still_measures_once(work: tuple[PictureWork, TrainingCosts]) -> None:
    found = calibrate(work[0], 1.0, 1)
    assert found.crowding == 1.0 and set(found.whole) <= set(found.stages)
    assert min(found.read, found.prepare, found.corrupt, found.forward, found.masked, found.load, *found.stages.values()) > 0
    hurried = calibrate(work[0], 0.0, 1)
    assert hurried.whole == () and hurried.stages["silver.predictions"] == hurried.forward
    assert work[1].picture > 0 and work[1].merged_bytes > work[1].adapter_bytes > 0


COSTS = Costs(0.1, 0.01, 0.02, 0.5, 1.0, 0.0, {"bronze.embeddings": 0.5, "silver.predictions": 0.5, "silver.attributions": 0.5,
              "silver.explanation_metrics": 30.0, "ood.predictions": 0.5}, (), 1.0, 20.0)  # fmt: skip
SIZE = Size(100, 20, 64, 2, 2, 62,
            {"silver.predictions": 1, "silver.attributions": 1, "silver.explanation_metrics": 4, "ood.predictions": 10},
            8, {}, (), 0.0, 0, 1000, 30)  # fmt: skip
ATTRIBUTED = ATTRIBUTIONS.full_name
MACHINE = Machine(2, dict.fromkeys((*COSTS.stages, "silver.outside_predictions"), 100.0) | {"bronze.examples": 1000.0})


def line_of(stage: str, rows: int) -> Line:
    training = TrainingCosts(0.1, 1.0, 0.5, 10, 100, None)  # type: ignore[arg-type]  # nothing is scored here
    lines = stage_lines(replace(SIZE, n_new_adapters=0, to_do={stage: rows}), COSTS, training, 0.0, MACHINE)
    return {line.stage: line for line in lines}[stage]


def test_a_stage_costs_its_rows_over_the_workers_plus_what_every_stage_pays() -> None:
    # 64 pictures x 2 adapters x 4 rows = 512 rows; 128 pairs x 30 s + 64 x 0.01 s of preparing, over two workers.
    found = line_of("silver.explanation_metrics", rows=512)
    assert found.seconds == pytest.approx((128 * 30 + 0.64) / 2 + STAGE_SECONDS)
    assert found.forwards == 128 * 62 and found.bytes == 51_200


def test_attributions_by_more_methods_cost_more_forwards_and_fill_their_batches() -> None:
    # 7 pictures x 2 adapters x 5 rows = 70 rows. 40 forwards a pair, more than a batch of 8: nothing is filled up, 14 x 20 s.
    one, more = replace(SIZE, n_meta=7), replace(SIZE, n_meta=7, n_looks=40, rows_per_picture=SIZE.rows_per_picture | {ATTRIBUTED: 5})
    costs = replace(COSTS, stages=COSTS.stages | {ATTRIBUTED: 20.0}, prepare=0.0)
    training = TrainingCosts(0.1, 1.0, 0.5, 10, 100, None)  # type: ignore[arg-type]  # nothing is scored here
    lines = [
        stage_lines(replace(size, n_new_adapters=0, to_do={ATTRIBUTED: rows}), costs, training, 0.0, MACHINE)[0]
        for size, rows in ((one, 14), (more, 70))
    ]
    assert [line.forwards for line in lines] == [14, 14 * 40]
    assert lines[1].seconds == pytest.approx(14 * 20 / 2 + STAGE_SECONDS)
    assert lines[0].seconds == pytest.approx(14 * 20 * 2 / 2 + STAGE_SECONDS)  # 4 pictures a worker, filled up to 8


def test_corrupting_is_paid_once_for_all_adapters() -> None:
    # 64 x 2 x 10 rows of 0.5 s, 64 pictures corrupted (0.02 s) and prepared (0.01 s) once; 1,280 rows go in two chunks.
    found = line_of("ood.predictions", rows=1280)
    assert found.seconds == pytest.approx((1280 * 0.5 + 64 * 0.03) / 2 + STAGE_SECONDS + 2.0)
    assert found.forwards == 1280


def test_answers_to_pictures_of_no_class_are_priced_as_the_others() -> None:
    # 30 pictures x 2 adapters of 0.5 s; 15 a worker in batches of 8 are filled up to 16; each picture prepared once (0.01 s); each worker
    # loads both adapters (0 s here)
    found = line_of("silver.outside_predictions", rows=60)
    assert found.seconds == pytest.approx((60 * 0.5 * 16 / 15 + 30 * 0.01) / 2 + STAGE_SECONDS)
    assert (found.rows, found.forwards, found.bytes) == (60, 60, 6000)


def test_a_stage_with_nothing_to_do_is_no_line() -> None:
    training = TrainingCosts(0.1, 1.0, 0.5, 10, 100, None)  # type: ignore[arg-type]  # nothing is scored here
    assert stage_lines(replace(SIZE, n_new_adapters=0), COSTS, training, 0.0, MACHINE) == []


def test_adapters_are_trained_side_by_side_and_the_last_wave_is_waited_for() -> None:
    assert longest([4.0, 3.0, 2.0], 2) == 5.0  # 4 | 3 + 2
    assert longest([], 2) == 0.0 and longest([1.0, 1.0], 1) == 2.0


def test_training_tasks_of_more_threads_share_the_workers_cores() -> None:
    # Two recipes, an epoch of 100 pictures and 20 / 3 to validate on, 0.1 s each: 106.67 x 0.1 + 1 s to start = 11.67 s a recipe.
    recipes = tuple(Recipe(name=f"r{seed}", rank=2, seed=seed, epochs=1, train_share=1.0) for seed in (0, 1))
    size = replace(SIZE, n_new_adapters=0, recipes=recipes)
    costs = replace(COSTS, prepare=0.0, crowding=1.5)

    def spent(threads: int) -> float:
        training = TrainingCosts(0.1, 1.0, 0.5, 10, 100, None, threads)  # type: ignore[arg-type]  # nothing is scored here
        return {line.stage: line.seconds for line in stage_lines(size, costs, training, 0.0, MACHINE)}["silver.adapters"]

    one = 1.0 + (100 + 20 / 3) * 0.1
    assert spent(1) == pytest.approx(one * 1.5)  # side by side on two workers, each slowed down by the other
    assert spent(2) == pytest.approx(2 * one)  # each needs both cores; the pace was measured with both
    assert spent(3) == pytest.approx(2 * one)


def test_the_price_of_training_is_measured_with_the_threads_that_the_run_trains_with(
    work: tuple[PictureWork, TrainingCosts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = torch.set_num_threads

    def noting(n: int) -> None:
        asked.append(n)
        real(n)

    monkeypatch.setattr(torch, "set_num_threads", noting)
    pictures = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (2, 56, 56, 3), dtype=np.uint8)
    zoo = Zoo("d", LABELS, work[0].scoring, AdapterSettings(threads=2), tmp_path / "artifacts")
    found = training_costs(Recipe(name="r2", rank=2), zoo, TriedPictures(pictures, np.array([0, 1])), tmp_path / "training", 0.0)
    assert found.threads == 2 and 2 in asked


def test_a_folder_that_the_run_would_reject_is_refused_with_the_runs_own_code(
    work: tuple[PictureWork, TrainingCosts], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    zoo = Zoo("d", LABELS, work[0].scoring, AdapterSettings(), tmp_path / "artifacts")
    with pytest.raises(ArtifactError) as refusal:
        judged(tmp_path / "empty", "empty", zoo, tmp_path / "scratch")
    assert refusal.value.code == "bad_config" and "bad_config: bad_config" not in str(refusal.value)


def test_a_second_training_is_as_long_as_the_budget_and_none_where_it_would_be_hardly_longer() -> None:
    # 3 epochs: 30 s are 10 s each, of 0.5 s an example 20; 64 at most; four are no more than twice the two of the first
    assert [worth_more(30.0, 0.5), worth_more(300.0, 0.5), worth_more(6.0, 0.5), worth_more(7.5, 0.5)] == [20, 64, None, 5]
    assert worth_more(0.0, 0.0) is None and worth_more(1.0, 0.0) == 64  # a pace below the clock's grain


@pytest.mark.parametrize(
    ("master", "parallelism", "expected"),
    [("local[8]", 8, 2), ("local[*]", 2, 2), ("local[1]", 1, 1), ("local", 1, 1), ("spark://host:7077", 8, 8), ("k8s://local", 8, 8)],
)
def test_a_local_master_computes_on_no_more_cores_than_there_are_and_a_cluster_on_its_own(
    master: str, parallelism: int, expected: int
) -> None:
    assert computing_at_once(master, parallelism, cores=2) == expected


def test_the_cells_of_a_plan_are_those_of_its_adapters_and_corruptions(tmp_path: Path) -> None:
    tree = settings(tmp_path, None) | {"corruptions": {"names": ["fog"], "severities": [1, 2]}}
    sizes = {PREDICTIONS: 7, ATTRIBUTIONS: 5, EXPLANATION_METRICS: 5, OOD_PREDICTIONS: 5}
    found = adapter_cells(config_of(tmp_path / "c.yaml", tree), {"a", "b"}, sizes)
    # clean and two severities for each adapter, on the 5 of 7 pictures that are examined
    assert set(found[OOD_PREDICTIONS]) == {Cell(a, *cell) for a in "ab" for cell in (("none", 0), ("fog", 1), ("fog", 2))}
    assert set(found[OOD_PREDICTIONS].values()) == {5}
    assert found[PREDICTIONS] == {Cell("a"): 7, Cell("b"): 7}


def test_the_last_batch_of_every_part_is_filled_up() -> None:
    # 140 examples on 2 workers: 70 each, 64 in full batches of 8 and 6 that are filled to 8.
    assert filling(140, 2, 8) == pytest.approx((64 + 8) / 70)
    assert filling(0, 2, 8) == 1.0 and filling(128, 2, 8) == 1.0


def test_gold_grows_with_rows_trees_and_fits() -> None:
    small, more = GoldSettings(n_folds=2), GoldSettings(n_folds=5)
    assert gold_seconds(0, small) < gold_seconds(10_000, small) < gold_seconds(10_000, more)


def test_bytes_of_a_row_are_those_of_the_digits_runs() -> None:
    # The demo's files: 169 bytes an embedding, 125 a prediction, 107 an attribution, 71 a row of metrics, 13 a corrupted answer.
    found = foretold_row_bytes(Shape(n_labels=10, n_units=16, dim=64, keep_units=False, picture_bytes=0))
    stored = {
        "bronze.embeddings": 169,
        "silver.predictions": 125,
        "silver.attributions": 107,
        "silver.explanation_metrics": 71,
        "ood.predictions": 13,
    }
    assert all(found[name] == pytest.approx(n, rel=0.15) for name, n in stored.items())
    # digits_full keeps 16 patch vectors of 64 numbers beside the pooled one: 2,239 bytes
    assert foretold_row_bytes(Shape(10, 16, 64, True, 0))["bronze.embeddings"] == pytest.approx(2239, rel=0.05)
    # where every method draws masks, each of 16 values has an error of 4 bytes
    drawn = foretold_row_bytes(Shape(10, 16, 64, False, 0, drawn_share=1.0))
    assert drawn["silver.attributions"] - found["silver.attributions"] == 64


def test_expected_splits_follow_the_sources_own_splits() -> None:
    own = SourceSettings(reader="folder", root="x", split_map={"train": {"adapter_train": 0.85, "adapter_val": 0.15}, "test": "meta"})
    sources: Counter[str | None] = Counter({"train": 1760, "test": 879, "lost": 5})
    assert expected_splits(sources, own, SplitSettings()) == {"adapter_train": 1496, "adapter_val": 264, "meta": 879}
    plain = SourceSettings(reader="folder", root="x")
    assert expected_splits(Counter({None: 100}), plain, SplitSettings()) == {"adapter_train": 50, "adapter_val": 10, "meta": 40}
