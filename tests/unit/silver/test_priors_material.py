"""Does a training get from raw priors exactly what METHODS 5 says, and nothing from rows that do not fit it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lake.errors import ContractError
from lake.identity import rng
from models.text_recipe import PriorRecipe
from models.text_training_data import TextTrainingSet
from silver.priors.material import training_priors

TEXTS = ("lost my card", "🙂", "שלום עולם")
EXAMPLES = TextTrainingSet(TEXTS, np.array([1, 0, 2]), ("a", "b", "c"))


def row(source: str, values: list[float], example: int = 0, **changes: object) -> dict[str, Any]:
    own = {"example_id": EXAMPLES.example_ids[example], "source": source, "target_id": int(EXAMPLES.label_ids[example])}
    return own | {"values": values, "words": TEXTS[example].split()} | changes


ROWS = [
    row("cap", [3.0, -1.0, 4.0]), row("ig", [0.0, 5.0, 12.0]), row("lime", [-1.0, -2.0, 0.0]),
    row("cap", [-0.5], 1), row("ig", [2.0], 1), row("cap", [0.0, 2.0], 2),
]  # fmt: skip


def made(rows: list[dict[str, Any]] = ROWS, seed: int = 0, **how: object) -> dict[str, np.ndarray]:
    return training_priors(rows, EXAMPLES, PriorRecipe.model_validate(how), seed)


def test_sources_are_clipped_scaled_and_fused_as_worked_by_hand() -> None:
    # cap (3, -1, 4) -> (3, 0, 4) / 5; ig (0, 5, 12) / 13.
    # mean: (.3, .192308, .861538), norm sqrt(.09 + .036982 + .742249) = .932325
    # max: (.6, .384615, .923077), norm sqrt(.36 + .147929 + .852071) = sqrt(1.36) = 1.166190
    np.testing.assert_allclose(made(sources=["cap"])["a"], [0.6, 0.0, 0.8], atol=1e-7)
    np.testing.assert_allclose(made(sources=["cap", "ig"])["a"], [0.321776, 0.206267, 0.924075], atol=1e-6)
    np.testing.assert_allclose(made(sources=["cap", "ig"], fusion="max")["a"], [0.514496, 0.329805, 0.791532], atol=1e-6)


def test_nothing_left_after_clipping_is_uniform() -> None:
    found = made(sources=["cap"])
    np.testing.assert_allclose(found["b"], [1.0])  # one word, whatever its score
    np.testing.assert_allclose(made(sources=["lime"])["a"], [1 / np.sqrt(3)] * 3, rtol=1e-6)


def test_a_text_that_one_source_lacks_has_no_prior() -> None:
    assert list(made(sources=["cap"])) == ["a", "b", "c"]
    assert list(made(sources=["cap", "ig"])) == ["a", "b"]
    assert list(made(sources=["cap", "lime"])) == ["a"]


def test_the_shuffled_control_holds_the_fused_numbers_in_the_order_of_seed_and_example() -> None:
    fused = made(sources=["cap", "ig"])["a"]
    orders = set()
    for seed in range(20):
        found = made(sources=["cap", "ig"], control="shuffled", seed=seed)["a"]
        np.testing.assert_array_equal(found, fused[rng(seed, "a", "shuffled").permutation(3)])
        orders.add(tuple(found.tolist()))
    assert len(orders) > 3
    again = made(rows=ROWS[::-1], sources=["cap", "ig"], control="shuffled", seed=3)["a"]
    np.testing.assert_array_equal(again, made(sources=["cap", "ig"], control="shuffled", seed=3)["a"])


def test_the_random_control_reads_no_row_and_covers_every_text() -> None:
    found = made(rows=[], control="random", seed=4)
    assert list(found) == ["a", "b", "c"]
    noise = np.abs(rng(4, "a", "random").standard_normal(3))
    np.testing.assert_allclose(found["a"], noise / np.sqrt((noise**2).sum()), rtol=1e-6)
    assert not np.array_equal(found["a"], made(rows=[], control="random", seed=5)["a"])


@pytest.mark.parametrize("how", [{"sources": ["cap"]}, {"sources": ["cap", "ig"], "control": "shuffled"}, {"control": "random"}])
def test_every_prior_is_what_a_training_set_accepts(how: dict[str, Any]) -> None:
    found = made(**how)
    assert all(prior.dtype == np.float32 for prior in found.values())
    assert EXAMPLES.with_priors(found).priors is not None  # checked there: length, finite, 0 or more, L2 norm 1


def test_rows_of_other_examples_and_sources_are_passed_over() -> None:
    others = [row("cap", [9.0], 1, example_id="unknown"), row("shap", [np.nan] * 3)]
    np.testing.assert_array_equal(made([*others, *ROWS], sources=["cap"])["a"], made(sources=["cap"])["a"])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("cap", [1.0, 2.0]), "a number for each of the text's 3 words, found 2"),
        (row("cap", [1.0, 2.0, 3.0, 4.0]), "a number for each of the text's 3 words, found 4"),
        (row("cap", [1.0, float("nan"), 3.0]), "finite numbers"),
        (row("cap", [1.0, float("inf"), 3.0]), "finite numbers"),
        (row("ig", [1.0, -2.0, 3.0]), "of ig 0 or more"),
        (row("cap", [1.0, 2.0, 3.0], target_id=0), "the label that is trained, 1, found 0"),
        (row("cap", [1.0, 2.0, 3.0], words=["lost", "my", "cart"]), "words"),
    ],
    ids=["too few", "too many", "nan", "infinite", "negative ig", "other label", "other words"],
)
def test_a_row_that_does_not_fit_its_text_is_refused_by_example_and_source(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=rf"silver.priors: example a, source {bad['source']} must hold .*{message}"):
        made([bad], sources=["cap", "ig"])


def test_two_rows_of_one_source_are_refused() -> None:
    with pytest.raises(ContractError, match="one row per source, found two"):
        made([*ROWS, ROWS[0]], sources=["cap"])
