"""Which few examples stand for a source in a small run?"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bronze.reference import Listing, Reference
from lake.identity import content_id
from models.errors import RejectedInput

if TYPE_CHECKING:
    from bronze.readers import Reader


def first_by_content(listing: Listing, reader: Reader, root: Path, limit: int, max_bytes: int) -> Listing:
    """The references to the first `limit` contents in the order of their hash, and all refused or unreadable ones; the rest is ignored.

    The choice does not depend on names or order, and a larger limit keeps what a smaller one had. Reads every content once.
    """
    kept = _kept(listing, reader, root, limit, max_bytes)
    return Listing(lambda: _filtered(listing, kept))


def _kept(listing: Listing, reader: Reader, root: Path, limit: int, max_bytes: int) -> frozenset[str]:
    """Source paths to keep; memory is bounded by `limit` and the number of unreadable files."""
    places: dict[str, list[str]] = {}
    largest: list[int] = []  # negated hashes: the heap's first is the largest id kept
    unreadable: list[str] = []
    for reference in listing:
        if reference.error_code is not None:
            continue
        try:
            found = content_id(reader.modality, reader.content(reference, root, max_bytes))
        except (RejectedInput, OSError):
            unreadable.append(reference.source_path)  # the ingest reads it again and states the reason
            continue
        if found not in places:
            places[found] = []
            heapq.heappush(largest, -int(found, 16))
        places[found].append(reference.source_path)
        if len(places) > limit:
            del places[f"{-heapq.heappop(largest):0{len(found)}x}"]
    return frozenset(unreadable).union(*places.values())


def _filtered(listing: Listing, kept: frozenset[str]) -> Iterator[Reference | None]:
    references = iter(listing)
    for reference in references:
        yield reference if reference.error_code is not None or reference.source_path in kept else None
    for _ in range(listing.ignored):
        yield None
