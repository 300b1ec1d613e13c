"""A small planted dataset: what is true of it is written here, so that the tests can expect it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import gold
from gold.frames import XAI_FEATURES, Frames
from gold.settings import BoostSettings, ForestSettings, GoldSettings

N_EXAMPLES = 60
ADAPTERS = ("a04", "a16", "a32")
CELLS = (("blur", 1), ("blur", 2), ("noise", 1), ("noise", 2))

# Ten trees instead of hundreds: the laws tested here do not depend on their number.
SMALL = GoldSettings(
    forest=ForestSettings(trees=10, depth=5),
    boost=BoostSettings(trees=10, depth=3),
    boost_tuned=BoostSettings(trees=10, depth=2, gamma=0.1, min_child_weight=3.0),
    permutation_repeats=3,
    bootstrap_resamples=50,
)


@pytest.fixture
def small() -> GoldSettings:
    return SMALL


def planted_rows(seed: int, strength: float, n_examples: int) -> pd.DataFrame:
    """logit P(correct) = strength * entropy + 0.5; the other features and the confidence are noise that knows nothing."""
    generator = np.random.default_rng(seed)
    names = [hashlib.sha256(f"{seed}-{place}".encode()).hexdigest()[:32] for place in range(n_examples)]
    clean = pd.DataFrame([(name, adapter) for name in names for adapter in ADAPTERS], columns=["example_id", "adapter_id"])
    for feature in (*XAI_FEATURES, "confidence", "margin", "softmax_entropy"):
        clean[feature] = generator.standard_normal(len(clean))
    clean["label"] = clean["example_id"].map(lambda name: "cat" if int(name, 16) % 2 else "dog")
    clean["clean_correct"] = generator.random(len(clean)) < 0.9
    rows = clean.merge(pd.DataFrame(CELLS, columns=["corruption", "severity"]), how="cross")
    chance = 1.0 / (1.0 + np.exp(-(strength * rows["entropy"] + 0.5)))
    rows["is_correct"] = generator.random(len(rows)) < chance
    rows["flipped"] = rows["clean_correct"] & ~rows["is_correct"]
    return rows


@pytest.fixture
def make_rows() -> Callable[..., pd.DataFrame]:
    """(seed=0, strength=3.0, n_examples=60) -> rows."""
    return lambda seed=0, strength=3.0, n_examples=N_EXAMPLES: planted_rows(seed, strength, n_examples)


def cells_of(rows: pd.DataFrame) -> pd.DataFrame:
    """The counts that Spark would make of the rows, and the clean cell from `clean_correct`."""
    clean = rows.drop_duplicates(["example_id", "adapter_id"]).assign(corruption="none", severity=0, flipped=False)
    clean["is_correct"] = clean["clean_correct"]
    both = pd.concat([rows, clean], ignore_index=True)
    keys = ["adapter_id", "label", "corruption", "severity"]
    return both.groupby(keys, as_index=False).agg(
        n=("is_correct", "size"), n_correct=("is_correct", "sum"), n_flipped=("flipped", "sum"), sum_confidence=("confidence", "sum")
    )


def means_of(rows: pd.DataFrame) -> pd.DataFrame:
    clean = rows.drop_duplicates(["example_id", "adapter_id"]).groupby("adapter_id")
    metrics = (*XAI_FEATURES, "confidence")
    figures = {f"{kind}_{metric}": clean[metric].agg(kind) for metric in metrics for kind in ("mean", "std")}
    return pd.DataFrame(figures).assign(n=clean.size()).reset_index()


def adapters_table() -> pd.DataFrame:
    """Ranks 4, 16, 32 with alpha = 2r and rsLoRA: scales 2 sqrt(r) = 4, 8, 11.313708; and one that was refused."""
    shared = {
        "recipe_settings": None,
        "backbone": "tiny",
        "recipe": "ce",
        "seed": 1,
        "use_dora": True,
        "use_rslora": True,
        "trainable_parameters": 10,
    }
    figures = dict.fromkeys(("trainable_share", "train_loss", "eval_loss", "accuracy", "f1", "precision", "recall"), 0.5)
    ready = [
        {
            "adapter_id": name,
            "name": f"lora-{name}",
            "rank": rank,
            "alpha": 2.0 * rank,
            "minutes": 0.1,
            "status": "ready",
            "reason": None,
            "recipe_settings": None,
        }
        for name, rank in zip(ADAPTERS, (4, 16, 32), strict=True)
    ]
    refused = {
        "adapter_id": "bad",
        "name": "broken",
        "rank": None,
        "alpha": None,
        "minutes": None,
        "status": "rejected",
        "reason": "tensor_mismatch",
    }
    return pd.DataFrame([{**row, **shared, **figures} for row in (*ready, refused)])


CORRUPTIONS = pd.DataFrame(
    [
        ("blur", 1, "radius", 1, "shallow"),
        ("blur", 2, "radius", 3.5, "heavy"),
        ("noise", 1, "sigma", 15, "shallow"),
        ("noise", 2, "sigma", 40, "heavy"),
        ("snow", 1, "constants", (0.1, 0.3), "1 of 5"),
    ],
    columns=["corruption", "severity", "parameter", "value", "expected_impact"],
)


@pytest.fixture
def make_frames() -> Callable[[pd.DataFrame], Frames]:
    """rows -> all frames of the dataset, without `built`."""

    def make(rows: pd.DataFrame) -> Frames:
        return Frames("pets", rows, cells_of(rows), means_of(rows), adapters_table(), CORRUPTIONS, SMALL)

    return make


@pytest.fixture(scope="session")
def planted() -> Frames:
    rows = planted_rows(0, 3.0, N_EXAMPLES)
    return Frames("pets", rows, cells_of(rows), means_of(rows), adapters_table(), CORRUPTIONS, SMALL)


@pytest.fixture(scope="session")
def built(planted: Frames) -> dict[str, pd.DataFrame]:
    """Every gold table of the planted dataset, each given only the frames it may read and the tables before it."""
    return build_all(planted)


def build_all(frames: Frames) -> dict[str, pd.DataFrame]:
    tables: dict[str, pd.DataFrame] = {}
    for table in gold.TABLES:
        allowed = (
            Frames(frames.dataset, rows=frames.rows, settings=frames.settings, built=tables)
            if table.needs_rows
            else Frames(
                frames.dataset,
                cells=frames.cells,
                means=frames.means,
                adapters=frames.adapters,
                corruptions=frames.corruptions,
                settings=frames.settings,
                built=tables,
            )
        )
        tables[table.spec.name] = table.build(allowed)
    return tables


@pytest.fixture
def make_built() -> Callable[[Frames], dict[str, pd.DataFrame]]:
    """Frames -> every gold table by name."""
    return build_all
