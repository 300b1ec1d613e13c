"""Are failures chosen by the rule alone, spread over corruptions and adapters, and words shaded by what they give?"""

from __future__ import annotations

import itertools
import random

from pipelines.report.failures.choose import candidates, choose
from pipelines.report.failures.texts import WORDS, coloured, shade_classes, words_of
from tests.report_sources import reading_of


def failures(corruptions: str, adapters: str, examples: int) -> list[dict[str, object]]:
    keys = itertools.product(range(examples), adapters, corruptions)
    return [
        {"example_id": f"e{example}", "adapter_id": adapter, "corruption": corruption, "draw": f"{(7 * place) % 31:02}{place:03}"}
        for place, (example, adapter, corruption) in enumerate(keys)
    ]


def test_the_choice_does_not_depend_on_the_order_of_rows():
    rows = failures("abc", "xy", 9)
    chosen = choose(rows, 6)
    for seed in range(5):
        mixed = random.Random(seed).sample(rows, len(rows))
        assert choose(mixed, 6) == chosen


def test_corruptions_take_turns_adapters_share_and_no_example_comes_twice():
    chosen = choose(failures("abc", "xy", 20), 6)
    assert [row["corruption"] for row in chosen] == ["a", "b", "c", "a", "b", "c"]
    assert sorted(row["adapter_id"] for row in chosen) == ["x", "x", "x", "y", "y", "y"]
    assert len({row["example_id"] for row in chosen}) == 6


def test_fewer_failures_than_wanted_are_all_there_are():
    assert len(choose(failures("a", "x", 3), 12)) == 3 and choose([], 12) == []


def test_a_candidate_is_the_mildest_severity_that_fails_and_a_corruption_of_the_list():
    row = {"example_id": "e", "adapter_id": "x", "confidence": 0.5, "settings_id": "s", "flipped": True}
    rows = [row | {"corruption": "fog", "severity": severity, "predicted_id": severity} for severity in (3, 2, 5)]
    rows += [row | {"corruption": "fog", "severity": 1, "predicted_id": 9, "flipped": False}]
    rows += [row | {"corruption": "natural:camera", "severity": 1, "predicted_id": 9}]
    found = candidates(reading_of({"ood.predictions_current": rows}), ["fog", "snow"])
    assert [(one["corruption"], one["severity"], one["predicted_id"]) for one in found] == [("fog", 2, 2)]


def test_shades_are_fifths_of_the_largest_in_either_direction():
    assert shade_classes([1.0, 0.2, 0.21, -0.5, 0.0, float("nan")]) == ["p5", "p1", "p2", "n3", "", ""]
    assert shade_classes([0.0, 0.0]) == ["", ""]


def test_touched_words_are_framed_and_long_texts_cut_around_them():
    words = words_of(" ".join(f"w{place}" for place in range(500)))
    made = coloured(words, (), {300}, 280, "mark")
    assert made.startswith("… ") and made.count("<mark") == 1 and f"({500 - 280 - WORDS} more words)" in made
    assert "w279<" not in made and "w280<" in made
