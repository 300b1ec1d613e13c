"""Do drawings put values where they belong, whatever the values?"""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from pipelines.report.charts.panel import Axis, Curve, Panel
from pipelines.report.charts.scale import Scale, around, label
from pipelines.report.charts.strips import MARGIN, WIDTH, Point, Strip


def test_a_scale_puts_its_ends_at_its_ends_and_the_rest_between():
    up = Scale(0.0, 1.0, 100.0, 0.0)  # pixels run down
    assert [up.at(value) for value in (0.0, 0.25, 1.0, 2.0)] == [100.0, 75.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("values", "least", "bounds", "expected"),
    [
        ([0.61, 0.88], 0.2, (0.0, 1.0), (0.6, 0.9)),  # steps of 0.1: the fourth part of 0.27 rounded up
        ([0.5, 0.5], 0.2, (0.0, 1.0), (0.4, 0.6)),  # one value: as wide as the least
        ([0.999], 0.2, (0.0, 1.0), (0.85, 1.0)),  # 0.899 to the bound, a fourth of it is above 0.025: outwards to a step of 0.05
        ([None, math.nan], 0.1, (0.0, 1.0), (0.0, 1.0)),
        ([], 0.1, None, (0.0, 1.0)),
    ],
)
def test_the_ends_of_an_axis_are_round_and_hold_every_value(values, least, bounds, expected):
    low, high = around(values, least, bounds)
    known = [value for value in values if value is not None and math.isfinite(value)]
    assert all(low <= value <= high for value in known) and high > low
    assert (low, high) == pytest.approx(expected)


def test_ticks_are_round_and_few():
    assert Scale(0.0, 1.0, 0, 1).ticks(5) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert Scale(-0.1, 0.3, 0, 1).ticks(5) == [-0.1, 0.0, 0.1, 0.2, 0.3]
    for low, high in ((0.0, 1e-9), (-5e6, 5e6), (0.499, 0.501)):
        assert 2 <= len(Scale(low, high, 0, 1).ticks(5)) <= 6
    assert (label(0.25, "%"), label(-0.5)) == ("25", "\u22120.5")


def test_a_strip_draws_the_interval_and_the_value_and_says_them():
    drawn = Strip(0.0, 1.0).cell("0.5 of 1", [Point(0.5, 0.25, 0.75)])
    root = ElementTree.fromstring(drawn)
    interval = next(line for line in root.iter("line") if line.get("class") == "interval a")
    span = WIDTH - 2 * MARGIN
    assert [float(interval.get(end, "nan")) for end in ("x1", "x2")] == [MARGIN + span / 4, MARGIN + 3 * span / 4]
    assert root.findtext("title") == root.get("aria-label") == "0.5 of 1"
    assert "circle" not in Strip(0.0, 1.0).cell("none", [Point(None)])


def test_a_panel_names_both_axes_and_moves_apart_words_that_would_meet():
    panel = Panel("noise", Axis("severity", 0, 2, values=(0.0, 1.0, 2.0)), Axis("% right", 0, 1, "%"))
    ends = [Curve("first", [(0.0, 0.9), (2.0, 0.50)], kind="a", end="50"), Curve("second", [(0.0, 0.9), (2.0, 0.49)], kind="b", end="49")]
    root = ElementTree.fromstring(panel.curves("two curves", ends))
    words = {found.text: float(found.get("y", "nan")) for found in root.iter("text")}
    assert {"severity", "% right", "noise", "100", "2"} <= set(words)
    assert words["49"] - words["50"] >= 11


def test_a_hostile_title_is_one_word_of_the_drawing():
    drawn = Panel("a", Axis("x", 0, 1), Axis("y", 0, 1)).cloud('"><script>', [(0.5, 0.5, "a", "</title><script>")])
    assert not re.search("<script", drawn) and ElementTree.fromstring(drawn) is not None
