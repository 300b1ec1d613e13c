"""What did each attack make of each text? The verb of ood.attacked_texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from lake.rows import Identity, batch_of
from ood.specs import ATTACKED_TEXTS
from ood.text_shifts import TextShifts


@dataclass(frozen=True)
class Audit:
    """What the verb must know: how texts are attacked, and what `todo` counts in (attack, severity)."""

    shifts: TextShifts
    identity: Identity


def audit(batches: Iterator[pa.RecordBatch], plan: Audit) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, label_id, text, todo) -> batches of ood.attacked_texts with error columns, one per attack and severity.

    The edits are those that `expose` scores: both call `TextShifts.attacked`, whose randomness is keyed by example, attack and severity.
    """
    for batch in batches:
        ids, read = batch.column("example_id").to_pylist(), plan.shifts.read(batch)
        wanted: dict[int, list[int]] = {}
        for row, todo in enumerate(batch.column("todo").to_pylist()):
            for index in todo:
                wanted.setdefault(index, []).append(row)
        for index, rows in wanted.items():
            attack, severity = str(plan.identity.variants[index]["attack"]), int(plan.identity.variants[index]["severity"])
            yield batch_of(ATTACKED_TEXTS, (_row(plan, *read[row], ids[row], attack, severity) for row in rows))


def _row(plan: Audit, text: str, label: str, example_id: str, attack: str, severity: int) -> dict[str, object]:
    found = plan.shifts.attacked(text, label, example_id, attack, severity)
    proof = plan.shifts.keeps_label
    return plan.identity.columns() | {
        "example_id": example_id,
        "attack": attack,
        "severity": severity,
        "original": found.original,
        "edited": found.edited,
        "rule": found.rule,
        "positions": list(found.positions),
        "is_edited": found.is_edited,
        "keeps_label": None if proof is None else proof(label, found.edited),
    }
