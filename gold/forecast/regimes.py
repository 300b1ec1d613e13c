"""What does a forecast never see while it learns? Examples always (but under KI's row split), and adapters, corruptions or both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gold.forecast.rows import Rows
from gold.forecast.settings import REGIME_NAMES, ForecastSettings
from gold.statistics.estimate import Codes
from lake.identity import rng, unit_interval


@dataclass(frozen=True)
class Regime:
    """`adapters`, `corruptions`: held out. `leaky`: train and test share examples, so its figures are too good."""

    name: str
    adapters: bool
    corruptions: bool
    leaky: bool
    meaning: str


REGIMES = (
    Regime("ki", False, False, True, "rows split at random, as KI did: the same picture stands on both sides"),
    Regime("grouped", False, False, False, "all rows of an example on one side"),
    Regime("leave_adapter_out", True, False, False, "tested on adapters and examples that were not seen"),
    Regime("leave_corruption_out", False, True, False, "tested on corruptions and examples that were not seen"),
    Regime("leave_adapter_and_corruption_out", True, True, False, "tested on adapters, corruptions and examples that were not seen"),
)
GROUPED = REGIMES[1]
assert tuple(regime.name for regime in REGIMES) == REGIME_NAMES  # noqa: S101  # two lists of one thing, checked at import


@dataclass(frozen=True)
class Block:
    """One test block and what may be learned from for it; row positions, ascending. Blocks of a regime cover every row once."""

    train: Codes
    test: Codes


def obstacle(rows: Rows, regime: Regime, settings: ForecastSettings) -> str | None:
    """Why nothing can be forecast under this regime; None when it can."""
    if len(rows) < settings.min_rows:
        return f"{len(rows)} complete rows; at least {settings.min_rows} are needed"
    if rows.failed.all() or not rows.failed.any():
        return f"one class only: all rows are {'wrong' if rows.failed.all() else 'correct'}"
    is_held = regime.adapters or regime.corruptions
    wanted, n = (settings.example_parts, len(np.unique(halves(rows, settings)))) if is_held else (settings.n_folds, len(rows.example_ids))
    if n < wanted:
        return f"{len(rows.example_ids)} examples do not fill {wanted} parts"
    for held, values, what in ((regime.adapters, rows.adapters, "adapter"), (regime.corruptions, rows.corruptions, "corruption")):
        if held and len(np.unique(values)) < 2:
            return f"one {what} only: it cannot be held out"
    if not all(len(block.train) for block in blocks(rows, regime, settings)):
        return "for some rows nothing is left to learn from when what must be held out is"
    return None


def blocks(rows: Rows, regime: Regime, settings: ForecastSettings) -> list[Block]:
    """The regime's test blocks. Which part an example, adapter or corruption falls in is drawn from the settings' seed."""
    if regime.leaky:
        parts = _parts(np.arange(len(rows)), settings.n_folds, settings.seed, "row")
        return [_block(parts == part, parts == part) for part in range(settings.n_folds)]
    if not (regime.adapters or regime.corruptions):
        parts = _parts(rows.examples, settings.n_folds, settings.seed, "example")
        return [_block(parts == part, parts == part) for part in range(settings.n_folds)]
    return list(_held_out(rows, regime, settings))


def _held_out(rows: Rows, regime: Regime, settings: ForecastSettings) -> Iterator[Block]:
    most = settings.crossed_folds if regime.adapters and regime.corruptions else settings.held_out_folds
    examples = halves(rows, settings)
    none = np.zeros(len(rows), dtype=np.int64)
    adapters = _parts(rows.adapters, most, settings.seed, "adapter") if regime.adapters else none
    corruptions = _parts(rows.corruptions, most, settings.seed, "corruption") if regime.corruptions else none
    for adapter in range(int(adapters.max()) + 1):
        for corruption in range(int(corruptions.max()) + 1):
            for example in range(settings.example_parts):
                same_adapter, same_corruption, same_example = adapters == adapter, corruptions == corruption, examples == example
                seen = same_example.copy()
                seen |= same_adapter if regime.adapters else False
                seen |= same_corruption if regime.corruptions else False
                block = _block(same_adapter & same_corruption & same_example, seen)
                if len(block.test):
                    yield block


def halves(rows: Rows, settings: ForecastSettings) -> Codes:
    """Per row the part its example is in where adapters or corruptions are held out, and in the kept forecaster: int64[n]."""
    return parts_of(rows.example_ids, settings.example_parts, settings.seed)[rows.examples]


def parts_of(example_ids: Iterable[str], n_parts: int, seed: int) -> Codes:
    """int64[examples] in 0..n_parts-1: a function of id and seed alone, so that an example is in its part wherever it is scored."""
    return np.asarray([int(unit_interval(seed, "forecast", "part", one) * n_parts) for one in example_ids], dtype=np.int64)


def _block(test: np.ndarray, unseen: np.ndarray) -> Block:
    return Block(np.flatnonzero(~unseen), np.flatnonzero(test))


def _parts(values: Codes, most: int, seed: int, what: str) -> Codes:
    """Per row the part 0.. its value falls in: values are put in a drawn order and dealt out, one part each while there are no more."""
    n = int(values.max()) + 1
    places = np.empty(n, dtype=np.int64)
    places[rng(seed, "", "forecast", what).permutation(n)] = np.arange(n)
    return places[values] % min(most, n)
