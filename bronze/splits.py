"""Who may learn from an example: the adapters, their selection, or everything after?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lake.identity import unit_interval

if TYPE_CHECKING:
    from bronze.settings import SplitSettings, SplitShares


def split_of(
    example_id: str,
    settings: SplitSettings,
    source_split: str | None = None,
    split_map: Mapping[str, SplitShares] | None = None,
) -> str:
    """`adapter_train`, `adapter_val` or `meta`: a function of content and seed alone, so that it never moves (METHODS 4.2).

    With `split_map` the shares are those of the source's own split, else those of `settings`. Raises ValueError for a source split
    that the map does not name (readers refuse it).
    """
    shares: SplitShares = settings
    if split_map is not None:
        if source_split is None or source_split not in split_map:
            raise ValueError(f"source split must be one of source.split_map ({', '.join(split_map)}), found {source_split!r}")
        shares = split_map[source_split]
    return _drawn(unit_interval(settings.seed, example_id, "split"), shares)


def _drawn(position: float, shares: SplitShares) -> str:
    """The split whose part of [0, 1) holds `position`; meta is the rest, so that no position falls through a rounding gap."""
    if position < shares.adapter_train:
        return "adapter_train"
    if position < shares.adapter_train + shares.adapter_val or shares.meta == 0.0:
        return "adapter_val" if shares.adapter_val > 0.0 else "adapter_train"
    return "meta"
