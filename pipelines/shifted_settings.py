"""Can these shifted sources stand beside each other, beside the synthetic shifts, and beside the dataset?"""

from __future__ import annotations

from collections.abc import Sequence

from bronze.readers import reader_named
from bronze.settings import ShiftedSettings
from ood.attacks import ATTACKS
from ood.corruptions import CORRUPTIONS

SYNTHETIC = frozenset((*(record.name for record in CORRUPTIONS), *(record.name for record in ATTACKS)))


def check_shifted(shifts: Sequence[ShiftedSettings], modality: str) -> None:
    """Raises ValueError for two sources of one name, the name of a corruption or attack, and inputs of the other modality."""
    names = [shift.name for shift in shifts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"shifted: a name must stand once, found {', '.join(twice)} again")
    if taken := sorted(SYNTHETIC & set(names)):
        raise ValueError(f"shifted: {', '.join(taken)} is the name of a corruption or attack: choose another")
    for shift in shifts:
        if (found := reader_named(shift.source.reader).modality) != modality:
            raise ValueError(
                f"shifted: {shift.name} must be of {modality} inputs, as the dataset is; reader {shift.source.reader!r} gives {found}"
            )
