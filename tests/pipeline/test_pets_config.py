"""Does the KI study's own configuration run to the end, with nothing but weights and pictures in place of the real ones?"""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from bronze.specs import EXAMPLES
from gold.tables.classifier_comparison import SPEC as LEARNERS
from gold.tables.degradation import SPEC as DEGRADATION
from lake.audit import SETTINGS_OF
from ood.specs import PREDICTIONS as OOD_PREDICTIONS
from pipelines.config import Config, load_config
from pipelines.sql.on_duckdb import ask
from silver.specs import ADAPTERS, EXPLANATION_METRICS
from tests.lakes import rows_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.run import Outcome

pytestmark = pytest.mark.spark

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "pets.yaml"
BREEDS = ("Abyssinian", "american_bulldog", "Bombay")
# The real preprocessor_config.json of facebook/dinov2-base, and its architecture at a width that a test can pay for.
PROCESSOR = {
    "crop_size": {"height": 224, "width": 224}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True, "do_rescale": True,
    "do_resize": True, "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "BitImageProcessor",
    "image_std": [0.229, 0.224, 0.225], "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256},
}  # fmt: skip
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 518, "patch_size": 14}
N_TRAINVAL, N_TEST = 6, 3  # pictures per breed in each list
# What a test may change: where weights and pictures are, and how long is trained and learned. Nothing of what is computed.
CHEAPER = ("adapters.defaults.epochs=1", "gold.forest.trees=4", "gold.boost.trees=4", "gold.boost_tuned.trees=4", "gold.n_folds=2",
           "gold.permutation_repeats=1", "gold.bootstrap_resamples=20", "gold.min_n=3",
           "forecast.protocols=[grouped]", "forecast.n_folds=2", "forecast.resamples=20", "forecast.boosted.trees=4")  # fmt: skip


def make_pets(root: Path) -> Path:
    """Photographs' stand-ins in the layout of Oxford-IIIT Pet: images/NAME_n.jpg of several sizes and the two lists, as published."""
    (root / "images").mkdir(parents=True)
    (root / "annotations" / "trimaps").mkdir(parents=True)
    noise = np.random.default_rng(0)
    for stem, first, n in (("trainval", 1, N_TRAINVAL), ("test", 101, N_TEST)):
        lines = []
        for breed_id, breed in enumerate(BREEDS, start=1):
            for number in range(first, first + n):
                lines.append(f"{breed}_{number} {breed_id} {1 + (breed_id == 2)} {breed_id}")
                (root / "images" / f"{breed}_{number}.jpg").write_bytes(_photograph(noise, breed_id, number))
        (root / "annotations" / f"{stem}.txt").write_text("\n".join(lines) + "\n")
    (root / "annotations" / "list.txt").write_text("#Image CLASS-ID SPECIES BREED ID\n")
    (root / "images" / "Abyssinian_1.mat").write_bytes(b"the real set has a few of these")
    return root


def _photograph(noise: np.random.Generator, breed_id: int, number: int) -> bytes:
    height, width = 120 + 7 * (number % 5), 160 - 9 * (number % 7)
    pixels = noise.integers(0, 90, size=(height, width, 3))
    pixels[height // 4 : height // 2, :, breed_id - 1] += 150
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_backbone(folder: Path) -> Path:
    """A folder as `facebook/dinov2-base` has it: config.json, model.safetensors without a head, preprocessor_config.json."""
    import torch
    from transformers.models.dinov2 import modeling_dinov2

    model = modeling_dinov2.Dinov2Model(modeling_dinov2.Dinov2Config(**SHAPE))  # type: ignore[arg-type]  # keys of one record
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.1, generator=generator)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("pets")
    pictures, backbone = make_pets(folder / "oxford-iiit-pet"), make_backbone(folder / "dinov2-tiny")
    return load_config(CONFIG, (f"source.root={pictures}", f"backbone.name={backbone}", *CHEAPER))


def brought_up(spark: SparkSession, root: Path, config: Config, run_id: str) -> Outcome:
    from lake.door import Lake
    from pipelines.run import Pipeline

    return Pipeline(Lake(spark, str(root), run_id, config.sha256), config).run()


@pytest.fixture(scope="module")
def lake(spark: SparkSession, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pets-lake") / "lake"
    outcome = brought_up(spark, root, config, "run-pets")
    assert outcome.verdict == "done"
    assert outcome.ignored == 2  # list.txt and the .mat
    return root


def test_what_is_judged_trained_no_adapter(lake: Path) -> None:
    rows = rows_of(lake, EXAMPLES)
    places = Counter((row["source_path"].split("#")[0], row["split"] == "meta") for row in rows)
    assert places == {("annotations/trainval.txt", False): 3 * N_TRAINVAL, ("annotations/test.txt", True): 3 * N_TEST}
    assert {row["label"] for row in rows} == set(BREEDS)
    assert {row["split"] for row in rows} == {"adapter_train", "adapter_val", "meta"}


def test_the_three_adapters_are_the_studys(lake: Path) -> None:
    found = {row["name"]: row for row in rows_of(lake, ADAPTERS)}
    assert {row["status"] for row in found.values()} == {"ready"}
    assert all(row["use_dora"] and row["use_rslora"] and row["alpha"] == 2 * row["rank"] for row in found.values())
    # alpha / sqrt(rank) = 2 sqrt(rank): 4, 8, 11.3
    assert {name: row["update_scale"] for name, row in found.items()} == {
        f"r{rank}": pytest.approx(2 * math.sqrt(rank)) for rank in (4, 16, 32)
    }
    # Layers of width d = 32 and MLP 4d = 128; DoRA's magnitude is one number per output, the bias is trained with it.
    # query, value: r (32 + 32) + 32 + 32 each; fc1: r (32 + 128) + 128 + 128; fc2: r (128 + 32) + 32 + 32; two layers of all four.
    # head: CLS beside mean patch, 64 -> 3 breeds: 195. So 2 (448 r + 448) + 195.
    assert {name: row["trainable_parameters"] for name, row in found.items()} == {
        f"r{rank}": 2 * (448 * rank + 448) + 195 for rank in (4, 16, 32)
    }


def test_the_studys_nine_cells_and_clean_are_there_for_every_picture_and_adapter(lake: Path) -> None:
    cells = Counter((row["corruption"], row["severity"]) for row in rows_of(lake, OOD_PREDICTIONS))
    names = ("ki_gaussian_noise", "ki_gaussian_blur", "ki_contrast")
    assert cells == dict.fromkeys([("none", 0), *((name, severity) for name in names for severity in (1, 2, 3))], 3 * 3 * N_TEST)
    settings = {row["table_name"]: json.loads(row["settings"]) for row in rows_of(lake, SETTINGS_OF)}
    assert settings["ood.predictions"]["apply_at"] == "original"
    assert settings["ood.predictions"]["preprocessing"]["size"] == 224
    assert settings["ood.predictions"]["preprocessing"]["resize_to"] == 256


def test_the_studys_four_metrics_are_there_for_every_picture_and_adapter(lake: Path) -> None:
    rows = [row for row in rows_of(lake, EXPLANATION_METRICS) if row["method"] == "attention"]
    assert len(rows) == 3 * 3 * N_TEST
    assert {row["metric_group"] for row in rows} == {"ki"}
    for row in rows:
        metrics: dict[str, Any] = dict(row["metrics"])
        assert all(math.isfinite(metrics[name]) for name in ("entropy", "sparsity", "deletion", "insertion"))


def test_gold_answers_by_both_protocols_through_sql(lake: Path) -> None:
    assert {(row["protocol"], row["model"]) for row in rows_of(lake, LEARNERS)} == {
        (protocol, model) for protocol in ("ki", "grouped") for model in ("RandomForest", "XGBoost", "XGBoost_Tuned", "LogisticRegression")
    }
    degradation = rows_of(lake, DEGRADATION)
    answer = ask(str(lake), "SELECT adapter_id, corruption, severity, accuracy FROM gold.degradation ORDER BY 1, 2, 3")
    found = [tuple(row) for row in answer.rows]
    assert found == sorted((row["adapter_id"], row["corruption"], row["severity"], row["accuracy"]) for row in degradation)
    assert len(found) == 3 * 10


def test_a_second_run_finds_nothing_to_do(lake: Path, config: Config, spark: SparkSession) -> None:
    assert brought_up(spark, lake, config, "run-pets-again").verdict == "nothing_to_do"
