"""Which rows do all methods give of texts, and what do they share?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from models.scored_adapter import ScoredAdapter
from silver.attribute import Attribution, attribute
from silver.explainers import EXPLAINERS, block_of, explained
from silver.methods import MethodSettings
from silver.settings import COMPUTED
from tests.unit.silver.text_rows import IDS, METHODS, ORDERS, SETTINGS, TEXTS, identity, rows_of
from xai.masks import Masking


def test_every_method_that_may_be_asked_for_has_its_function() -> None:
    assert set(EXPLAINERS) == {method for methods in COMPUTED.values() for method in methods}


def test_every_example_adapter_and_method_gives_one_row_over_the_texts_own_words(scoring, adapters) -> None:
    rows = rows_of(scoring, adapters)
    found = sorted((row["example_id"], row["adapter_id"], row["method"]) for row in rows)
    assert found == sorted((name, adapter, method) for name in IDS for adapter in ORDERS for method in METHODS)
    for row in rows:
        words = TEXTS[IDS.index(row["example_id"])].split()
        assert row["error_code"] is None and row["words"] == words and len(row["values"]) == row["n_units"] == len(words)
        assert np.isfinite(row["values"]).all()
    targets = {(row["example_id"], row["adapter_id"]): row["target_id"] for row in rows}
    assert all(row["target_id"] == targets[row["example_id"], row["adapter_id"]] for row in rows)  # one class, whatever the method


def test_what_is_drawn_carries_its_error_what_is_not_has_none_and_attention_says_nothing(scoring, adapters) -> None:
    rows = {(row["example_id"], row["method"]): row for row in rows_of(scoring, adapters[:1])}
    for name in IDS:
        assert rows[name, "attention"]["error"] is None and rows[name, "attention"]["errors"] is None
        for method in ("ig", "occlusion"):
            assert rows[name, method]["error"] == 0.0 and set(rows[name, method]["errors"]) == {0.0}
    assert rows["t1", "kernel_shap"]["error"] == 0.0  # seven words: all coalitions
    for method in ("lime", "kernel_shap", "cap"):
        errors = rows["t2", method]["errors"]
        assert len(errors) == 14 and min(errors) > 0
        assert rows["t2", method]["error"] == pytest.approx(np.sqrt(np.mean(np.square(errors))))


def test_masks_too_few_to_tell_an_error_leave_it_null_and_the_values_stay(scoring, adapters) -> None:
    few = MethodSettings(masks=Masking(n=5))  # four drawn masks over fourteen words
    (row,) = rows_of(scoring, adapters[:1], TEXTS[2:], settings=few, methods=("kernel_shap",))
    assert row["error"] is None and row["errors"] is None and np.isfinite(row["values"]).all()


def test_adapters_of_one_function_get_the_same_rows_whatever_their_label_order(scoring, adapters) -> None:
    # a and b are one file in two orders: the same masks, the same p of the same class by name, and so the same bits.
    rows = {(row["adapter_id"], row["example_id"], row["method"]): row for row in rows_of(scoring, adapters)}
    for name in IDS:
        for method in METHODS:
            assert rows["a", name, method]["values"] == rows["b", name, method]["values"], method
            assert rows["a", name, method]["errors"] == rows["b", name, method]["errors"], method
    assert any(rows["a", name, "ig"]["target_id"] != rows["b", name, "ig"]["target_id"] for name in IDS)


def test_a_text_has_to_the_bit_the_rows_it_has_alone(scoring, adapters) -> None:
    together = {(row["example_id"], row["method"]): row for row in rows_of(scoring, adapters[:1])}
    own = identity(adapters[:1])
    for name, text in zip(IDS, TEXTS, strict=True):
        columns = {"example_id": [name], "text": [text], "todo": [list(range(len(METHODS)))]}
        alone = attribute(iter([pa.RecordBatch.from_pydict(columns)]), Attribution(scoring, adapters[:1], own, SETTINGS))
        for row in (row for part in alone for row in part.to_pylist()):
            assert row == together[name, row["method"]], row["method"]


def test_masks_are_keyed_by_seed_and_example_alone(scoring, adapters) -> None:
    def masks(adapter: ScoredAdapter, rows: list[int], seed: int = 0) -> NDArray[np.bool_]:
        texts = scoring.prepare([TEXTS[row] for row in rows])
        names = [IDS[row] for row in rows]
        return block_of(scoring, adapter, texts, names, ("lime",), SETTINGS.model_copy(update={"seed": seed})).masks

    all_of_a = masks(adapters[0], [0, 1, 2])
    np.testing.assert_array_equal(all_of_a, masks(adapters[1], [0, 1, 2]))
    np.testing.assert_array_equal(all_of_a[2], masks(adapters[0], [2])[0])
    assert not np.array_equal(all_of_a, masks(adapters[0], [0, 1, 2], seed=1))


def test_a_method_that_inputs_of_this_kind_have_not_is_refused(scoring, adapters) -> None:
    texts = scoring.prepare(TEXTS)
    with pytest.raises(ValueError, match=r"one of attention, attention_rollout, ig, .* for text inputs, got rollout"):
        block_of(scoring, adapters[0], texts, IDS, ("lime", "rollout"), SETTINGS)
    with pytest.raises(ValueError, match="found attention behind lime"):
        explained(block_of(scoring, adapters[0], texts, IDS, ("lime",), SETTINGS), "attention")
