"""How much better than a random order is this explanation, on the same example?"""

from __future__ import annotations

from xai.records import Metric
from xai.units import PerExample

DELETION_RANDOM = Metric("deletion_random", "control", "none", 0.0, 1.0, "area under p(target)", "METHODS 2")
INSERTION_RANDOM = Metric("insertion_random", "control", "none", 0.0, 1.0, "area under p(target)", "METHODS 2")
DELETION_GAIN = Metric("deletion_gain", "faithfulness", "higher", -1.0, 1.0, "difference of areas", "METHODS 9")
INSERTION_GAIN = Metric("insertion_gain", "faithfulness", "higher", -1.0, 1.0, "difference of areas", "METHODS 9")


def deletion_gain(area: PerExample, random: PerExample) -> PerExample:
    """random - value of the raw areas, in [-1, 1]: positive is better than chance, since a faithful deletion area is small."""
    return random - area


def insertion_gain(area: PerExample, random: PerExample) -> PerExample:
    """value - random of the raw areas, in [-1, 1]: positive is better than chance, since a faithful insertion area is large."""
    return area - random
