"""What does a worker need to know of an adapter to score with it?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoredAdapter:
    """One adapter ready to score: its identity, where its merged tensors are (float32; cast on loading), and its label order.

    `label_order[i]` is the position, in the adapter's own label order, of the dataset's label i: labels match by name.
    """

    adapter_id: str
    merged: str
    label_order: tuple[int, ...]
