"""Is no forward of a text done twice, and only what is missing done at all?"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from lake.identity import rng
from silver.methods import forwards_per_example
from tests.unit.silver.text_rows import IDS, METHODS, SETTINGS, TEXTS, rows_of
from xai.masks import coalitions, drawn_masks


@pytest.mark.parametrize("methods", [METHODS, *((method,) for method in METHODS)], ids="-".join)
def test_no_forward_is_done_twice_within_one_adapter_and_batch(scoring, adapters, calls, methods: tuple[str, ...]) -> None:
    scoring.asked.clear()
    rows_of(scoring, adapters[:1], methods=methods)
    assert len(scoring.asked) == len(set(scoring.asked))
    included = scoring.prepare(TEXTS).included
    assert not {(row, own.tobytes()) for row, own in enumerate(included)} & set(scoring.asked)  # the clean forward knows that one
    assert calls["logits"] + calls["explain"] == len(TEXTS) and calls["integrated_gradients"] == len(TEXTS) * ("ig" in methods)
    assert calls["attention_maps"] == len(TEXTS) * ("attention_rollout" in methods)
    asked = Counter(row for row, _ in scoring.asked)
    for row, (name, text) in enumerate(zip(IDS, TEXTS, strict=True)):
        assert asked[row] == len(wanted_masks(name, len(text.split()), methods))
        gradients = SETTINGS.ig_steps if "ig" in methods else 0
        assert 1 + asked[row] + gradients + ("attention_rollout" in methods) <= forwards_per_example(methods, len(text.split()), SETTINGS)


def wanted_masks(name: str, n_words: int, methods: tuple[str, ...]) -> set[tuple[bool, ...]]:
    """The distinct masks that these methods need of one text beside the intact one, written down method by method."""
    (drawn,) = drawn_masks([rng(0, name, "masks")], np.ones((1, n_words), dtype=bool), SETTINGS.masks)
    masks: list[NDArray[np.bool_]] = []
    if "occlusion" in methods:
        masks.extend(~np.eye(n_words, dtype=bool))
    if {"lime", "cap"} & set(methods) or ("kernel_shap" in methods and n_words > 10):
        masks.extend(drawn)
    if "kernel_shap" in methods:
        masks.extend(coalitions(n_words) if n_words <= 10 else [np.zeros(n_words, dtype=bool)])
    return {tuple(mask.tolist()) for mask in masks if not mask.all()}


def test_forwards_by_hand() -> None:
    # 1 clean. Occlusion: N. A draw of n: n - 1 more. Shapley: 2^N - 1 more up to ten words, else the draw and the empty mask.
    expected = {
        ("attention",): (1, 1), ("occlusion",): (8, 15), ("lime",): (20, 20), ("cap",): (20, 20), ("kernel_shap",): (128, 21),
        ("ig",): (4, 4), ("lime", "cap"): (20, 20), ("attention", "attention_rollout"): (2, 2), METHODS: (132, 39),
    }  # fmt: skip
    for methods, (of_seven, of_fourteen) in expected.items():
        assert (forwards_per_example(methods, 7, SETTINGS), forwards_per_example(methods, 14, SETTINGS)) == (of_seven, of_fourteen), methods
    assert forwards_per_example(("lime",), 2, SETTINGS) == 4 - 1 + 1  # there are no more masks than four, of which one is the clean text


def test_only_what_is_missing_is_computed(scoring, adapters, calls) -> None:
    """A method that was added later, and a text of which one row was rejected before a kill."""
    lime, ig = METHODS.index("lime"), METHODS.index("ig")
    rows = rows_of(scoring, adapters, todo=[[lime], [ig, lime, len(METHODS) + ig], [lime]])
    found = sorted((row["example_id"], row["adapter_id"], row["method"]) for row in rows)
    expected = [("t0", "a", "lime"), ("t1", "a", "ig"), ("t1", "a", "lime"), ("t1", "b", "ig"), ("t2", "a", "lime")]
    assert found == expected
    assert calls["explain"] == 0 and calls["integrated_gradients"] == 2
    whole = {(row["example_id"], row["adapter_id"], row["method"]): row for row in rows_of(scoring, adapters)}
    assert all(row == whole[row["example_id"], row["adapter_id"], row["method"]] for row in rows)
