"""Where it is known which words decide: do rows say how well each attribution points at them, and is it null where it is not known?"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from safetensors.torch import save_file

from lake.rows import Identity
from models.classifier import new_classifier
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_scoring import TextScoring
from models.words import word_spans
from silver.measure import Measurement, measure
from silver.settings import ExplanationSettings, MetricGroup
from silver.truth import TRUTHS, Truth, decisive_words, grammar, truth_named
from tests.text_folders import save_family
from xai.metrics import precision_at_k, truth_share
from xai.presets import DEFAULT_TEXT
from xai.worlds.grammar import parse, texts

TEXTS = (
    "please set an alarm for seven",
    "cancel my alarm",
    "lost card",
    "please set an alarm " + "now " * 40,
    "now " * 40 + "set an alarm",
)
LABELS = ("set_alarm", "set_alarm", "set_alarm", "set_alarm", "set_alarm")  # the second is a wrong label; the third says nothing
IDS = tuple(f"t{row}" for row in range(len(TEXTS)))
METHODS = ("attention", "ig")
SETTINGS = ExplanationSettings(
    methods=METHODS, groups=(MetricGroup(preset=DEFAULT_TEXT, controls=("random", "reverse", "oracle")),), seed=3, truth="grammar"
)
SCORED = (*METHODS, "random", "reverse", "oracle")
VARIANTS = tuple({"adapter_id": "a", "method": method, "metric_group": DEFAULT_TEXT.name} for method in SCORED)
ENTRY = pa.struct([("adapter_id", pa.string()), ("method", pa.string()), ("target_id", pa.int32()), ("values", pa.list_(pa.float32()))])


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> TextScoring:
    folder = tmp_path_factory.mktemp("backbone")
    return TextScoring(resolve_text_backbone(str(save_family(folder / "roberta", "roberta"))), "float32", 4, (16, 32))


@pytest.fixture(scope="module")
def adapter(scoring: TextScoring, tmp_path_factory: pytest.TempPathFactory) -> ScoredAdapter:
    path = tmp_path_factory.mktemp("merged") / "m.safetensors"
    state = new_classifier(scoring.backbone, ["x", "y"], seed=4).requires_grad_(False).state_dict()
    save_file({name: 20 * tensor.clone() for name, tensor in state.items() if name.startswith("classifier.")}, path)
    return ScoredAdapter("a", str(path), (0, 1))


def values_of(scoring: TextScoring) -> dict[str, list[NDArray[np.float32]]]:
    included = scoring.prepare(TEXTS).included
    draw = np.random.default_rng(0)
    return {method: [draw.normal(size=int(own.sum())).astype(np.float32) for own in included] for method in METHODS}


def measured(
    scoring: TextScoring,
    adapter: ScoredAdapter,
    todo: list[int] | None = None,
    without: tuple[tuple[int, str], ...] = (),
    truth: Truth = grammar,
) -> dict[tuple[str, str], dict[str, Any]]:
    values = values_of(scoring)
    entries = [
        [
            {"adapter_id": "a", "method": method, "target_id": 0, "values": values[method][row].tolist()}
            for method in METHODS
            if (row, method) not in without
        ]
        for row in range(len(TEXTS))
    ]
    columns = {
        "example_id": list(IDS), "text": list(TEXTS), "label": list(LABELS), "attributions": pa.array(entries, pa.list_(ENTRY)),
        "todo": pa.array([todo or list(range(len(VARIANTS)))] * len(TEXTS), pa.list_(pa.int32())),
    }  # fmt: skip
    plan = Measurement(scoring, (adapter,), SETTINGS, Identity("d", "s", VARIANTS), truth)
    rows = [row for part in measure(iter([pa.RecordBatch.from_pydict(columns)]), plan) for row in part.to_pylist()]
    found = {(row["example_id"], row["method"]): row | {"metrics": dict(row["metrics"] or {})} for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_grammars_truth_is_its_parsers_over_the_words_that_are_the_units() -> None:
    for text, label in texts(200, seed=0):
        decisive = grammar(text, label)
        found = parse(text)
        assert decisive is not None and found is not None and tuple(np.flatnonzero(decisive)) == found.decisive
        assert len(decisive) == len(word_spans(text)) == len(text.split())
        other = next(known for _, known in texts(10, seed=0) if known != label)
        assert grammar(text, other) is None  # the truth is of the true label
    assert grammar("lost card", "set_alarm") is None and grammar("", "set_alarm") is None


def test_a_truth_travels_to_workers_by_name() -> None:
    for name, truth in TRUTHS.items():
        assert pickle.loads(pickle.dumps(truth)) is truth is truth_named(name)  # noqa: S301 - our own function, made a line before
    assert truth_named(None) is None
    with pytest.raises(ValueError, match="truth must be one of grammar, found 'gramar'"):
        truth_named("gramar")


def test_half_a_truth_is_none_and_words_behind_the_limit_that_decide_nothing_do_no_harm(scoring: TextScoring) -> None:
    included = scoring.prepare(TEXTS).included
    found = decisive_words(grammar, TEXTS, LABELS, included)
    assert [np.flatnonzero(row).tolist() for row in found] == [[1, 3], [], [], [1, 3], []]
    assert 0 < included[3].sum() < 44 and included[4].sum() < 43  # both are cut; what decides the last stands behind the limit
    first_and_last = lambda text, label: np.isin(np.arange(len(text.split())), (0, len(text.split()) - 1))  # noqa: E731 - said once
    both = decisive_words(first_and_last, TEXTS, LABELS, included)
    assert [np.flatnonzero(row).tolist() for row in both] == [[0, 5], [0, 2], [0, 1], [], []]
    with pytest.raises(ValueError, match="found 1 answers for 6 words"):
        decisive_words(lambda text, label: np.ones(1, dtype=bool), TEXTS, LABELS, included)


def test_rows_of_every_method_say_how_well_it_points_at_what_decides(scoring: TextScoring, adapter: ScoredAdapter) -> None:
    rows, values = measured(scoring, adapter), values_of(scoring)
    decisive = np.array([False, True, False, True, False, False])
    for method in METHODS:
        found = rows["t0", method]["metrics"]
        assert found["precision_at_k"] == float(precision_at_k(values[method][0], decisive))
        assert found["truth_share"] == pytest.approx(float(truth_share(values[method][0], decisive)))
    assert rows["t0", "oracle"]["metrics"]["precision_at_k"] == rows["t0", "oracle"]["metrics"]["truth_share"] == 1.0
    assert rows["t3", "oracle"]["metrics"]["truth_share"] == 1.0
    assert rows["t0", "oracle"]["metrics"]["deletion"] is not None
    # entropy of two equal shares of six words: 1 bit of log2 6
    assert rows["t0", "oracle"]["metrics"]["entropy"] == pytest.approx(1 / np.log2(6))


def test_where_the_truth_is_not_known_the_oracles_metrics_are_null_and_no_row_is_missing_or_rejected(
    scoring: TextScoring, adapter: ScoredAdapter
) -> None:
    rows = measured(scoring, adapter)
    assert sorted(rows) == sorted((name, method) for name in IDS for method in SCORED)
    assert all(row["error_code"] is None for row in rows.values())
    for name in ("t1", "t2", "t4"):
        known = {key for key, number in rows[name, "oracle"]["metrics"].items() if number is not None}
        assert known == {"p_intact", "deletion_random", "insertion_random"}  # of the text, and of another order than the oracle's
        for method in (*METHODS, "random", "reverse"):
            own = rows[name, method]["metrics"]
            assert own["precision_at_k"] is None and own["truth_share"] is None and own["comprehensiveness"] is not None


def test_a_method_that_was_rejected_for_one_text_takes_only_its_own_row_with_it(scoring: TextScoring, adapter: ScoredAdapter) -> None:
    whole, rows = measured(scoring, adapter), measured(scoring, adapter, without=((1, "ig"), (2, "attention")))
    refused = {key for key, row in rows.items() if row["error_code"] == "attribution_missing"}
    assert refused == {("t1", "ig"), ("t2", "attention"), ("t2", "reverse")}  # reverse is of the first method
    assert sorted(rows) == sorted(whole)
    assert all(row == whole[key] for key, row in rows.items() if key not in refused)
    nothing = measured(scoring, adapter, without=((2, "attention"), (2, "ig")))
    assert {key for key, row in nothing.items() if row["error_code"]} == {("t2", method) for method in SCORED}
    nowhere = measured(scoring, adapter, without=tuple((row, "attention") for row in range(len(TEXTS))))
    assert {key for key, row in nowhere.items() if row["error_code"]} == {(name, m) for name in IDS for m in ("attention", "reverse")}
    assert nowhere["t0", "ig"] == whole["t0", "ig"]


def test_only_the_variants_that_are_missing_are_scored_and_gains_still_know_the_random_order(
    scoring: TextScoring, adapter: ScoredAdapter
) -> None:
    whole, rows = measured(scoring, adapter), measured(scoring, adapter, todo=[SCORED.index("ig"), SCORED.index("oracle")])
    assert sorted(rows) == sorted((name, method) for name in IDS for method in ("ig", "oracle"))
    assert all(row == whole[key] for key, row in rows.items())
    assert rows["t0", "ig"]["metrics"]["deletion_gain"] is not None


def test_an_oracle_without_a_truth_is_refused_before_anything_is_scored(scoring: TextScoring, adapter: ScoredAdapter) -> None:
    with pytest.raises(ValueError, match="oracle needs a truth"):
        Measurement(scoring, (adapter,), SETTINGS, Identity("d", "s", VARIANTS))
