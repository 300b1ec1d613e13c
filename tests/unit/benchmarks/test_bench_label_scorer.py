"""Do the label scorer's rows count real calls, extrapolate only the rest, and measure two ways that give the same numbers?"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import label_material, label_scorer
from benchmarks.label_scorer import SIZES


def test_a_row_says_how_many_calls_were_real_and_what_was_extrapolated() -> None:
    size = SIZES[False]
    # 2 texts: 105 calls each of 100 masks x 77 labels for closed_set, all 100 each for sequence
    assert size.rounds * size.calls == 210 and size.rounds * size.masks == 200  # at least 200 each
    facts = {name: {"parameters": 54_500_000, "labels": 77, "token_ratio": 80.0} for name in label_scorer.AIMS}
    seconds = {"naive closed_set": [90.0, 40.0], "closed_set": [3.0, 4.0], "naive sequence": [8.0] * 2, "sequence": [1.01] * 2}
    closed, sequence = (label_scorer._row(name, seconds, size, facts, (2e-5, 1.0)) for name in label_scorer.AIMS)
    # rounds' own ratios: 30 and 10 -> 20; 8 / 1.01 -> 7.92
    assert (closed.value, closed.met, sequence.value, sequence.met) == (20.0, True, 7.92, False)
    assert closed.details["naive_calls"] == "210 real, extrapolated to 2 x 7,700" and closed.details["largest_logit_difference"] == 2e-5
    assert sequence.details["naive_calls"] == "200 real, all of them"


@pytest.mark.parametrize(("worst", "met"), [(9e-5, True), (1.1e-4, False)])
def test_logits_are_judged_by_their_largest_difference(worst: float, met: bool) -> None:
    assert label_scorer._agreement((worst, 1.0), {"closed_set": {"parameters": 1}}).met is met


def test_naive_calls_are_spread_over_masks_and_labels_without_repetition() -> None:
    calls = label_scorer._calls(SIZES[False], 77, 0)
    assert len(set(calls)) == 105 and calls != label_scorer._calls(SIZES[False], 77, 1)
    assert {mask < 100 and label < 77 for mask, label in calls} == {True}
    # 105 of 7,700 draws: more than 40 of the 100 masks, more than 35 of the 77 labels
    assert len({mask for mask, _ in calls}) > 40 and len({label for _, label in calls}) > 35


def test_without_the_real_texts_as_many_labels_are_made_the_same_every_time(tmp_path: Path) -> None:
    kind, labels, examples = label_material.banking(tmp_path)
    assert kind == "made" and len(set(labels)) == 77 and (kind, labels, examples) == label_material.banking(tmp_path)
    assert {label for _, label in examples} <= set(labels)
    words = [len(text) for text, _ in label_material.typical(examples, 5)]
    assert len(words) == 5 and len(set(words)) == 1


def test_banking77_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("age_limit\natm_support\n")
    (tmp_path / "train.csv").write_text('text,label\n"How old, exactly?",age_limit\n')
    assert label_material.banking(tmp_path) == ("Banking77", ("age_limit", "atm_support"), [(("How", "old,", "exactly?"), "age_limit")])


def test_the_small_twin_of_the_row_measures_the_same_numbers_both_ways(tmp_path: Path) -> None:
    rows = label_scorer.measure(tmp_path, quick=True)
    assert [row.figure.split(" ")[0] for row in rows] == ["times", "times", "largest"]
    assert rows[2].met and 0 < rows[2].value < 1e-4 and float(rows[2].details["sd_of_logits"]) > 0.1
    assert all(row.value > 1 and row.details["shared_tokens"] > 100 for row in rows[:2])
