"""Which way of holding rows out is shown first, and in which order do feature sets stand?"""

from __future__ import annotations

from collections.abc import Iterable

from gold.forecast.features import FEATURE_SETS

PROTOCOLS = ("grouped", "leave_adapter_out", "leave_corruption_out", "leave_adapter_and_corruption_out")
LEAKY = "ki"
FEATURES = tuple(one.name for one in FEATURE_SETS)  # from the plainest to the ceiling
HEADLINE = "confidence+xai"


def in_order(names: Iterable[str]) -> list[str]:
    """Protocols, the leak-proof ones first, each once."""
    place = {name: number for number, name in enumerate((*PROTOCOLS, "", LEAKY))}
    return sorted(set(names), key=lambda name: (place.get(name, place[""]), name))


def main_protocol(names: Iterable[str]) -> str:
    """The one that stands for all where there is room for one."""
    return in_order(names)[0]


def features_first(names: Iterable[str]) -> list[str]:
    """Feature sets from the plainest to the richest, each once; unknown ones last."""
    place = {name: number for number, name in enumerate(FEATURES)}
    return sorted(set(names), key=lambda name: (place.get(name, len(FEATURES)), name))
