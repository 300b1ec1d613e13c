"""Which rows does the verb of silver.explanation_metrics give, and does each say what xai says of that example alone?"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image

from lake.identity import rng
from lake.rows import ERROR_COLUMNS, Identity
from models.backbone import Backbone
from models.decode import DecodeLimits
from models.images import Preprocessing
from models.scoring import ScoredAdapter, Scoring
from silver.measure import Measurement, measure
from silver.settings import ExplanationSettings, MetricGroup
from silver.specs import EXPLANATION_METRICS
from xai.attribution import random, reverse
from xai.explain import explanation_metrics
from xai.presets import DEFAULT, KI
from xai.value import deduplicated

SIZE, UNITS = 14, 6
WEIGHTS = np.array([[5, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 5]], dtype=np.float64) / 10  # what each class rests on; rows sum to 1
BASELINES = {"mean": 0.0, "zero": 0.05}
ADAPTERS = (ScoredAdapter("a", "", (0, 1)), ScoredAdapter("b", "", (1, 0)))  # b has the dataset's labels in the other order
GROUPS = (MetricGroup(preset=DEFAULT, controls=("random", "reverse")), MetricGroup(preset=KI, controls=()))
EXPLANATIONS = ExplanationSettings(groups=GROUPS, seed=3)
VARIANTS = tuple(
    {"adapter_id": adapter.adapter_id, "method": method, "metric_group": group.preset.name}
    for adapter in ADAPTERS for group in GROUPS for method in ("attention", *group.controls)
)  # fmt: skip
ALL = list(range(len(VARIANTS)))
ENTRY = pa.struct([("adapter_id", pa.string()), ("method", pa.string()), ("target_id", pa.int32()), ("values", pa.list_(pa.float32()))])
Pairs = list[tuple[str, int, bytes]]


@dataclass(frozen=True)
class ToyScorer:
    """p(target) = what is kept of the target's weights, and a baseline's own share of what is removed, in an adapter's own label order.
    Notes every pair it is asked."""

    asked: Pairs

    def value(self, pixels: NDArray[np.float32], targets: NDArray[np.int64], baseline: str) -> Callable[..., NDArray[np.float32]]:
        strength = pixels.mean(axis=(1, 2, 3))

        def flat(rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
            self.asked.extend((baseline, int(row), mask.tobytes()) for row, mask in zip(rows, keep, strict=True))
            kept = (WEIGHTS[targets[rows]] * keep).sum(axis=1)
            return (BASELINES[baseline] * (1 - keep.mean(axis=1)) + 0.9 * strength[rows] * kept).astype(np.float32)

        return flat


@dataclass(frozen=True)
class ToyScoring(Scoring):
    asked: Pairs = field(default_factory=list)

    def scorer(self, adapter: ScoredAdapter | None = None, dtype: str | None = None) -> Any:
        return ToyScorer(self.asked)


def scoring() -> ToyScoring:
    plain = Preprocessing(size=SIZE, resize_to=SIZE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return ToyScoring(Backbone("toy", Path(), None, "", "dinov2", SIZE, SIZE, 1, 1, 1, 1), plain, DecodeLimits(), "float32", 4)


def picture(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((SIZE, SIZE, 3), level, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def attribution(example: int) -> list[float]:
    return np.random.default_rng(example).dirichlet(np.ones(UNITS)).astype(np.float32).tolist()


def entries(example: int, adapters: tuple[str, ...] = ("a", "b"), target: int = 0) -> list[dict[str, object]]:
    return [{"adapter_id": name, "method": "attention", "target_id": target, "values": attribution(example)} for name in adapters]


def batch(examples: list[int], attributions: list[list[dict[str, object]] | None], todo: list[list[int]] | None = None) -> pa.RecordBatch:
    columns = {
        "example_id": [f"e{example}" for example in examples],
        "image": [picture(250 - 10 * example) for example in examples],
        "attributions": pa.array(attributions, pa.list_(ENTRY)),
        "todo": pa.array(todo or [ALL] * len(examples), pa.list_(pa.int32())),
    }
    return pa.RecordBatch.from_pydict(columns)


def measured(given: pa.RecordBatch, toy: ToyScoring | None = None) -> list[dict[str, Any]]:
    plan = Measurement(toy or scoring(), ADAPTERS, EXPLANATIONS, Identity("d", "s", VARIANTS))
    made = list(measure(iter([given]), plan))
    assert all(part.schema == EXPLANATION_METRICS.arrow_schema(ERROR_COLUMNS) for part in made)
    return [row for part in made for row in part.to_pylist()]


def key(row: dict[str, Any]) -> tuple[str, ...]:
    return row["example_id"], row["adapter_id"], row["method"], row["metric_group"]


def test_every_example_adapter_group_and_control_gives_one_row() -> None:
    found = [key(row) for row in measured(batch([1, 2], [entries(1), entries(2)]))]
    assert sorted(found) == sorted((f"e{e}", *variant.values()) for e in (1, 2) for variant in VARIANTS)


@pytest.mark.parametrize("target", [0, 1])
def test_a_row_is_what_xai_says_of_that_example_alone_for_the_class_meant_by_name(target: int) -> None:
    rows = {key(row): dict(row["metrics"]) for row in measured(batch([1, 2, 3], [entries(e, target=target) for e in (1, 2, 3)]))}
    for example in (1, 2, 3):
        attributions = {"attention": np.array([attribution(example)], dtype=np.float32)}
        attributions["random"] = random([rng(3, f"e{example}", "random")], UNITS)
        attributions["reverse"] = reverse(attributions["attention"])
        pixels = scoring().pixels(scoring().pictures([picture(250 - 10 * example)]))
        for adapter in ADAPTERS:
            own = np.array([adapter.label_order[target]])  # b calls the dataset's class 0 its 1
            values = {name: deduplicated(ToyScorer([]).value(pixels, own, name), 1) for name in BASELINES}
            for group in GROUPS:
                given = {name: attributions[name] for name in ("attention", *group.controls)}
                for method, expected in explanation_metrics(given, values, group.preset).items():
                    assert rows[f"e{example}", adapter.adapter_id, method, group.preset.name] == expected[0]


def test_adapters_of_two_label_orders_explain_the_same_class() -> None:
    # a and b rest on different units for the same class: unit 0 for a's class 0, unit 5 for what b calls 1.
    rows = {key(row): dict(row["metrics"]) for row in measured(batch([1], [entries(1)]))}
    assert rows["e1", "a", "attention", "default"]["deletion"] != rows["e1", "b", "attention", "default"]["deletion"]


def test_no_pair_of_picture_and_mask_is_asked_twice_of_one_adapter() -> None:
    toy = scoring()
    measured(batch([1, 2], [entries(1, ("a",)), entries(2, ("a",))], [[0, 1, 2, 3]] * 2), toy)  # the four rows of adapter a
    assert len(toy.asked) == len(set(toy.asked)) > 0
    whole = np.ones(UNITS, dtype=bool).tobytes()
    assert sorted(row for _, row, mask in toy.asked if mask == whole) == [0, 1]  # with nothing removed no baseline is seen: asked once


def test_an_example_without_its_attribution_is_rejected_and_its_neighbours_are_not() -> None:
    rows = measured(batch([1, 2, 3], [entries(1), None, entries(3, ("a",))]))
    assert len(rows) == 3 * len(VARIANTS)  # rejected ones count in the product
    lost = {(row["example_id"], row["adapter_id"]) for row in rows if row["error_code"] == "attribution_missing"}
    assert lost == {("e2", "a"), ("e2", "b"), ("e3", "b")}
    assert all((row["metrics"] is None) == (row["error_code"] is not None) for row in rows)


def test_gains_need_the_random_control_of_their_own_group() -> None:
    rows = {key(row): dict(row["metrics"]) for row in measured(batch([1], [entries(1)]))}
    assert rows["e1", "a", "attention", "default"]["deletion_gain"] is not None
    assert rows["e1", "a", "attention", "ki"]["deletion_gain"] is None
    assert rows["e1", "a", "random", "default"]["deletion_gain"] == 0  # no better than itself
