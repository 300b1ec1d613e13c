"""How many labelled examples does a reader list, by label and by the source's own split?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bronze.readers import list_source
from bronze.settings import DecodeSettings, SourceSettings

K = TypeVar("K")


@dataclass(frozen=True)
class Counted:
    """`pairs`: (label, the source's own split) -> examples. `refused`: error code -> places. `ignored`: files that are no examples."""

    pairs: Counter[tuple[str, str | None]]
    refused: Counter[str]
    ignored: int

    @property
    def labels(self) -> Counter[str]:
        return _summed((label, n) for (label, _), n in self.pairs.items())

    @property
    def splits(self) -> Counter[str | None]:
        return _summed((split, n) for (_, split), n in self.pairs.items())


def _summed(parts: Iterable[tuple[K, int]]) -> Counter[K]:
    found: Counter[K] = Counter()
    for key, n in parts:
        found[key] += n
    return found


def counted(settings: SourceSettings) -> Counted:
    """What a reader lists, counted."""
    pairs: Counter[tuple[str, str | None]] = Counter()
    refused: Counter[str] = Counter()
    listing = list_source(settings, Path(settings.root or "."), DecodeSettings().max_bytes)
    for reference in listing:
        if reference.error_code is not None:
            refused[reference.error_code] += 1
        elif reference.label is not None:
            pairs[reference.label, reference.source_split] += 1
    return Counted(pairs, refused, listing.ignored)
