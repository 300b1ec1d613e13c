"""Which few pictures stand for a source when something is tried out? The same ones every time, whatever their names and order are."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bronze.readers import Reader
from bronze.reference import Listing, Reference
from lake.identity import content_id
from models.errors import RejectedInput

CANDIDATES = 500  # files that are read to choose from; all of them would be the whole source


@dataclass(frozen=True)
class Drawn:
    """One picture as it was read. `example_id` is its identity in the lake."""

    reference: Reference
    content: bytes
    example_id: str


def drawn(
    listing: Listing, reader: Reader, root: Path, n: int, max_bytes: int, labels: Collection[str]
) -> tuple[list[Drawn], list[RejectedInput]]:
    """The `n` contents of these labels with the lowest hashes, and why candidates could not be read.

    Of a source with more than 500 places, those 500 whose paths hash lowest are the candidates: no more files are opened.
    """
    usable = (reference for reference in listing if reference.error_code is None and reference.label in labels)
    candidates = heapq.nsmallest(CANDIDATES, usable, key=lambda reference: content_id("place", reference.source_path.encode()))
    found: dict[str, Drawn] = {}
    refused: list[RejectedInput] = []
    for reference in candidates:
        try:
            content = reader.content(reference, root, max_bytes)
        except RejectedInput as refusal:
            refused.append(refusal)
        except OSError as error:
            refused.append(RejectedInput("not_a_file", f"{reference.source_path} cannot be read: {error.strerror or type(error).__name__}"))
        else:
            identity = content_id(reader.modality, content)
            found.setdefault(identity, Drawn(reference, content, identity))
            if len(found) > n:
                del found[max(found)]
    return [found[identity] for identity in sorted(found)], refused
