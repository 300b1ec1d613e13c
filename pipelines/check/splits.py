"""How many examples will each split have? Foretold from the source's own splits and the shares, before a picture is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bronze.settings import SourceSettings, SplitSettings, SplitShares
from bronze.specs import SPLITS


def expected_splits(sources: Counter[str | None], source: SourceSettings, splits: SplitSettings) -> dict[str, int]:
    """Split -> expected number of pictures, rounded. `sources`: the source's own split (None for none) -> pictures.

    The true numbers differ by chance, for each picture is drawn by its content, and by duplicates, which count once.
    """
    totals = dict.fromkeys(SPLITS, 0.0)
    for name, n in sources.items():
        shares = _shares(name, source.split_map, splits)
        for split in SPLITS:
            totals[split] += n * float(getattr(shares, split)) if shares is not None else 0.0
    return {split: round(n) for split, n in totals.items()}


def _shares(name: str | None, split_map: Mapping[str, SplitShares] | None, splits: SplitSettings) -> SplitShares | None:
    """None for a split without a place in the map: its pictures are rejected."""
    if split_map is None:
        return splits
    return None if name is None else split_map.get(name)
