"""Rows of texts: every family in one evaluation, words of unlike number, and settings that pictures do not notice."""

from __future__ import annotations

import numpy as np
import pytest

from xai.attribution import random, reverse
from xai.explain import explanation_metrics
from xai.metrics import METRICS, comprehensiveness, deletion, entropy, gini, insertion, sufficiency
from xai.presets import DEFAULT, DEFAULT_TEXT, DROP_TEXT, Preset
from xai.value import deduplicated, deduplicated_baselines

SIZES = np.array([25, 11, 4, 1])
INCLUDED = np.arange(25) < SIZES[:, None]
TRUTH = np.where(INCLUDED, np.random.default_rng(0).dirichlet(np.ones(25), size=4), 0.0).astype(np.float32)
NOISE = random([np.random.default_rng(seed) for seed in range(4)], 25, INCLUDED)
ALL = {"attention": TRUTH, "random": NOISE, "reverse": reverse(TRUTH, INCLUDED)}
WEIGHTS = np.round(TRUTH.astype(np.float64) * 1024) / 1024  # sums of these are exact, so that padding cannot move the toy's p


def crooked(keep: np.ndarray, weights: np.ndarray = WEIGHTS, pull: float = 3.0) -> np.ndarray:
    return 1 / (1 + np.exp(-pull * (keep * weights[:, None, : keep.shape[2]]).sum(axis=2)))


@pytest.mark.parametrize("preset", [DEFAULT_TEXT, DROP_TEXT], ids=lambda preset: preset.name)
def test_rows_hold_what_each_metric_says_alone(preset: Preset) -> None:
    found = explanation_metrics(ALL, {preset.deletion_baseline: crooked}, preset, INCLUDED)
    without_truth = {metric.name for metric in METRICS if metric.category not in ("truth", "inversion", "provenance")}
    assert all(set(row) == without_truth for rows in found.values() for row in rows)
    for name, attribution in ALL.items():
        expected = {
            "entropy": entropy(attribution, INCLUDED),
            "sparsity": gini(attribution, INCLUDED),
            "deletion": deletion(attribution, crooked, preset, INCLUDED).area,
            "insertion": insertion(attribution, crooked, preset, INCLUDED).area,
            "comprehensiveness": comprehensiveness(attribution, crooked, included=INCLUDED),
            "sufficiency": sufficiency(attribution, crooked, included=INCLUDED),
            "comprehensiveness_20": comprehensiveness(attribution, crooked, (20,), INCLUDED),
            "sufficiency_20": sufficiency(attribution, crooked, (20,), INCLUDED),
        }
        for key, numbers in expected.items():
            ours = [np.nan if row[key] is None else row[key] for row in found[name]]
            np.testing.assert_allclose(ours, numbers, atol=1e-12, err_msg=key)


def test_a_padded_text_has_to_the_bit_the_rows_it_has_alone() -> None:
    together = explanation_metrics(ALL, {"mask": crooked}, DEFAULT_TEXT, INCLUDED)
    for row, size in enumerate(SIZES):
        short = {name: a[row : row + 1, :size] for name, a in ALL.items()}
        alone = explanation_metrics(short, {"mask": lambda keep, row=row: crooked(keep, WEIGHTS[row : row + 1])}, DEFAULT_TEXT)
        for name in ALL:
            assert alone[name][0] == together[name][row]


def test_comprehensiveness_removes_under_one_baseline_and_sufficiency_reveals_under_the_other() -> None:
    preset = Preset(name="mixed", deletion_baseline="mask", insertion_baseline="drop", families=("removal",))
    values = {"mask": crooked, "drop": lambda keep: crooked(keep, pull=9.0)}
    found = explanation_metrics({"attention": TRUTH}, values, preset, INCLUDED)["attention"]
    assert [row["comprehensiveness"] for row in found] == pytest.approx(list(comprehensiveness(TRUTH, values["mask"], included=INCLUDED)))
    assert [row["sufficiency"] for row in found] == pytest.approx(list(sufficiency(TRUTH, values["drop"], included=INCLUDED)))


def test_one_word_is_all_that_is_lost_and_all_that_is_enough() -> None:
    row = explanation_metrics({"random": np.ones((1, 1))}, {"mask": lambda keep: np.where(keep[..., 0], 0.8, 0.3)}, DEFAULT_TEXT)["random"][
        0
    ]
    assert {name: row[name] for name in row if "ness" in name} == pytest.approx({"comprehensiveness": 0.5, "comprehensiveness_20": 0.5})
    assert (row["sufficiency"], row["sufficiency_20"], row["entropy"], row["sparsity"]) == (0.0, 0.0, None, 0.0)


def test_only_the_families_asked_for_are_computed_and_paid_for() -> None:
    pairs: list[int] = []

    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        pairs.extend(rows.tolist())
        return keep.mean(axis=1)

    def asked(*families: str) -> set[str]:
        pairs.clear()
        preset = Preset(name="some", deletion_baseline="mask", insertion_baseline="mask", families=families)
        return set(explanation_metrics({"attention": TRUTH[:1]}, {"mask": deduplicated(flat, 1)}, preset)["attention"][0])

    assert asked("complexity") == {"entropy", "sparsity", "p_intact"} and len(pairs) == 1
    removal = {"comprehensiveness", "sufficiency", "comprehensiveness_20", "sufficiency_20", "p_intact"}
    # Of 25 words 1, 2, 3, 5, 13 go or stay, and the intact input.
    assert asked("removal") == removal and len(pairs) == 11


def test_removal_beside_curves_asks_only_for_masks_that_the_curves_do_not_have() -> None:
    asked: list[int] = []

    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return keep.mean(axis=1)

    explanation_metrics({"attention": TRUTH[:1]}, {"mask": deduplicated(flat, 1)}, DEFAULT_TEXT)
    # Steps of 2: 2 · 12 masks and both ends; of 1, 2, 3, 5, 13 words only 2 is a step; 1, 3, 5, 13 are new on both sides.
    assert asked == [2 * 12 + 2 + 2 * 4]


def test_a_broken_attribution_is_null_in_its_own_row_and_costs_no_forwards() -> None:
    broken = TRUTH.copy()
    broken[1, 3] = np.nan
    row = explanation_metrics({"attention": broken}, {"mask": crooked}, DEFAULT_TEXT, INCLUDED)["attention"]
    assert {name for name, number in row[1].items() if number is not None} == {"p_intact"}
    assert row[0]["comprehensiveness"] is not None and row[2]["sufficiency_20"] is not None
    rows_asked: list[int] = []

    def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        rows_asked.extend(rows.tolist())
        return keep.mean(axis=1)

    explanation_metrics({"attention": broken}, {"mask": deduplicated(flat, 4)}, DEFAULT_TEXT, INCLUDED)
    assert rows_asked.count(1) == 2  # all words and none


def test_a_non_finite_p_is_null_where_it_is_used() -> None:
    def broken(keep: np.ndarray) -> np.ndarray:
        return np.where(keep.sum(axis=2) == 24, np.nan, crooked(keep))

    row = explanation_metrics({"attention": TRUTH}, {"mask": broken}, DEFAULT_TEXT, INCLUDED)["attention"][0]
    # 24 of 25 words are what the top 1 % leaves; 20 % of 25 are five.
    assert row["comprehensiveness"] is None and row["comprehensiveness_20"] is not None and row["sufficiency"] is not None


def test_without_a_choice_of_families_there_are_none_of_text() -> None:
    row = explanation_metrics({"attention": TRUTH}, {"mean": crooked}, DEFAULT, INCLUDED)["attention"][0]
    assert not {"comprehensiveness", "sufficiency"} & set(row)


def test_baselines_of_padded_texts_share_the_intact_input() -> None:
    pairs: dict[str, list[int]] = {"mask": [], "drop": []}

    def counting(name: str):
        def flat(rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
            pairs[name].extend(rows.tolist())
            return keep.sum(axis=1) / SIZES[rows]

        return flat

    values = deduplicated_baselines({name: counting(name) for name in pairs}, 4, INCLUDED)
    np.testing.assert_array_equal(values["mask"](INCLUDED[:, None, :]), values["drop"](INCLUDED[:, None, :]))
    assert (len(pairs["mask"]), len(pairs["drop"])) == (4, 0)
    values["drop"](np.zeros((4, 1, 25), dtype=bool))
    assert len(pairs["drop"]) == 4
    with pytest.raises(ValueError, match="one row per example"):
        deduplicated_baselines({"mask": counting("mask")}, 3, INCLUDED)
    with pytest.raises(ValueError, match="units=25"):
        values["mask"](np.ones((4, 1, 24), dtype=bool))
