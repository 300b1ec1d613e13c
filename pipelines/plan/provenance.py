"""How many provenance networks does a plan still have to train?"""

from __future__ import annotations

from typing import TextIO

from gold.provenance.settings import ProvenanceSettings
from gold.provenance.tables.provenance_summary import SPEC
from gold.provenance.tasks import tasks_of
from lake.ledger import Cell, Ledger


def write_networks(ledger: Ledger, settings: ProvenanceSettings, stream: TextIO) -> None:
    """Prints how many networks and applications the configuration asks for, and whether gold has such rows; nothing where it asks for none.

    They are not priced: an epoch of 3,000 pictures at size large took 1.7 s in bfloat16 on one idle core of the bench machine."""
    if not settings.arms:
        return
    kinds = [task.kind for task in tasks_of(settings)]
    others = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds) if kind != "arm")
    known = ledger.generation(SPEC)
    done = known is not None and ledger.complete(SPEC, known, Cell(), known)
    stream.write(
        f"  provenance networks, not priced below: {kinds.count('arm')} of {settings.training.epochs} epochs"
        f"{'; besides ' + others if others else ''}; gold has {'rows of an earlier or the same study' if done else 'no such rows'}\n"
    )
