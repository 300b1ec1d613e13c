"""Do the verbs of silver give a text, whatever stands beside it, what the model and xai say of that text alone?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from lake.identity import rng
from lake.rows import ERROR_COLUMNS, Identity
from models.scored_adapter import ScoredAdapter
from models.text_scoring import TextScoring
from silver.attribute import Attribution, attribute
from silver.measure import Measurement, measure
from silver.predict import Prediction, predict
from silver.settings import ExplanationSettings, MetricGroup
from silver.specs import ATTRIBUTIONS, EXPLANATION_METRICS, OUTSIDE_PREDICTIONS, PREDICTIONS
from tests.unit.silver.text_rows import ORDERS
from xai.attribution import random, reverse
from xai.explain import explanation_metrics
from xai.presets import DEFAULT_TEXT
from xai.value import deduplicated

TEXTS = ("lost", "i lost my card, please block it", "set an alarm for seven 👍🏽")
IDS = ("t0", "t1", "t2")
EXPLANATIONS = ExplanationSettings(groups=(MetricGroup(preset=DEFAULT_TEXT, controls=("random", "reverse")),), seed=3)


def batch(todo: list[int], **columns: list[object]) -> pa.RecordBatch:
    rows = {"example_id": list(IDS), "label_id": [0, 1, 2], "text": list(TEXTS), "todo": [todo] * len(TEXTS)} | columns
    return pa.RecordBatch.from_pylist([dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)])


def test_predictions_are_the_models_answers_in_the_datasets_label_order(scoring: TextScoring, adapters: tuple[ScoredAdapter, ...]) -> None:
    identity = Identity("d", "s", tuple({"adapter_id": name} for name in ORDERS))
    rows = [row for part in predict(iter([batch([0, 1])]), Prediction(scoring, adapters, identity)) for row in part.to_pylist()]
    assert len(rows) == 6
    for row in rows:
        own = scoring.scorer(adapters[0]).logits(scoring.prepare([TEXTS[IDS.index(row["example_id"])]]))[0]
        expected = own[list(ORDERS[row["adapter_id"]])]
        assert row["logits"] == expected.tolist()
        assert row["predicted_id"] == int(expected.argmax())
        assert row["is_correct"] == (row["predicted_id"] == IDS.index(row["example_id"]))
    assert PREDICTIONS.arrow_schema(ERROR_COLUMNS).names == list(rows[0])
    # of inputs of no class the same answers, which are neither right nor wrong
    apart = Prediction(scoring, adapters, identity, OUTSIDE_PREDICTIONS)
    found = [row for part in predict(iter([batch([0, 1])]), apart) for row in part.to_pylist()]
    assert found == [{name: value for name, value in row.items() if name != "is_correct"} for row in rows]


def test_attributions_stand_beside_the_words_they_belong_to(scoring: TextScoring, adapters: tuple[ScoredAdapter, ...]) -> None:
    identity = Identity("d", "s", tuple({"adapter_id": name, "method": "attention"} for name in ORDERS))
    rows = [row for part in attribute(iter([batch([0, 1])]), Attribution(scoring, adapters, identity)) for row in part.to_pylist()]
    assert len(rows) == 6
    for row in rows:
        text = TEXTS[IDS.index(row["example_id"])]
        assert row["words"] == text.split() and row["n_units"] == len(text.split())
        alone = scoring.scorer(adapters[0]).attention(scoring.prepare([text]))[0]
        assert row["values"] == alone.tolist()
        np.testing.assert_allclose(sum(row["values"]), 1.0, atol=1e-6)
    assert ATTRIBUTIONS.arrow_schema(ERROR_COLUMNS).names == list(rows[0])


def test_metrics_of_a_text_are_those_it_has_alone(scoring: TextScoring, adapters: tuple[ScoredAdapter, ...]) -> None:
    """The batch holds texts of 1, 7 and 6 words; each row must be what explanation_metrics gives for that text unpadded."""
    methods = ("attention", "random", "reverse")
    variants = tuple({"adapter_id": name, "method": method, "metric_group": DEFAULT_TEXT.name} for name in ORDERS for method in methods)
    looks = Identity("d", "s", tuple({"adapter_id": name, "method": "attention"} for name in ORDERS))
    entries: dict[str, list[object]] = {example_id: [] for example_id in IDS}
    for part in attribute(iter([batch([0, 1])]), Attribution(scoring, adapters, looks)):
        for row in part.to_pylist():
            entries[row["example_id"]].append({name: row[name] for name in ("adapter_id", "method", "target_id", "values")})
    given = batch(list(range(len(variants))), attributions=[entries[example_id] for example_id in IDS])
    plan = Measurement(scoring, adapters, EXPLANATIONS, Identity("d", "s", variants))
    rows = [row for part in measure(iter([given]), plan) for row in part.to_pylist()]
    assert len(rows) == len(IDS) * len(variants)
    for row in rows:
        place = IDS.index(row["example_id"])
        texts = scoring.prepare([TEXTS[place]])
        adapter = adapters[list(ORDERS).index(row["adapter_id"])]
        own = scoring.scorer(adapter).attention(texts)
        noise = random([rng(3, row["example_id"], "random")], own.shape[1])
        target = scoring.scorer(adapter).logits(texts).argmax(axis=1)
        value = deduplicated(scoring.scorer(adapter).value(texts, target, "mask"), 1)
        expected = explanation_metrics({"attention": own, "random": noise, "reverse": reverse(own)}, {"mask": value}, DEFAULT_TEXT)
        found = {name: None if number is None else pytest.approx(number, abs=1e-6) for name, number in row["metrics"]}
        assert expected[row["method"]][0] == found
    assert {"comprehensiveness", "sufficiency", "deletion", "insertion"} <= set(dict(rows[0]["metrics"]))
    assert EXPLANATION_METRICS.arrow_schema(ERROR_COLUMNS).names == list(rows[0])
