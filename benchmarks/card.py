"""How is work on a CUDA device timed: every call waited for, all ways warmed up first?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch

from benchmarks.timing import in_turns


def card_name(module: str) -> str:
    """The card's name. RuntimeError where torch finds none."""
    if not torch.cuda.is_available():
        raise RuntimeError(f"module {module} measures a CUDA device and torch finds none: run it on a machine with one")
    return torch.cuda.get_device_name()


def seconds_on_card(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds per way and round, in turns, warmed up."""

    def waited(work: Callable[[], object]) -> None:
        work()
        torch.cuda.synchronize()

    for work in ways.values():
        waited(work)
    return in_turns({name: partial(waited, work) for name, work in ways.items()}, rounds)
