"""What does it cost to take an adapter that was trained for a moment into the lake, and how large is it?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from models.adapter_files import WEIGHTS
from models.errors import ArtifactError
from models.scored_adapter import ScoredAdapter
from silver.adapters.offers import Offer, Zoo, judge

FEW, MOST = 2, 64  # examples of a first short training, and of a second one where that took little
EPOCHS = 3


@dataclass(frozen=True)
class JudgedAdapter:
    """`seconds` to check, merge and probe it. `adapter_bytes`, `merged_bytes`: its files. `adapter`: ready to score."""

    seconds: float
    adapter_bytes: int
    merged_bytes: int
    adapter: ScoredAdapter


def judged(folder: Path, name: str, zoo: Zoo, scratch: Path) -> JudgedAdapter:
    """Judges a trained folder as the run does; what is merged goes to `scratch`. Raises ArtifactError, with the run's own code, for one
    that cannot be used."""
    before = time.perf_counter()
    row, adapter = judge(Offer(folder, folder.parent, name), replace(zoo, artifacts=scratch), set())
    seconds = time.perf_counter() - before
    if adapter is None:
        code, _, message = str(row["reason"]).partition(": ")
        raise ArtifactError(code, message)
    return JudgedAdapter(seconds, (folder / WEIGHTS).stat().st_size, Path(adapter.merged).stat().st_size, adapter)


def worth_more(seconds: float, pace: float) -> int | None:
    """How many examples a second training of EPOCHS has, at so many seconds an example and epoch; None where it would tell little more."""
    n = min(MOST, int(seconds / EPOCHS / max(pace, 1e-9)))
    return n if n > 2 * FEW else None
