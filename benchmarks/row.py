"""What is one line of the bench: what was measured, which figure of it, the aim, and what limits it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured figure beside its aim.

    `what`: the work measured. `figure`: which figure of it. `value`: in `unit`. `aim`: the aim in words ("≥ 0.95", "flat", "stated").
    `met`: whether the aim is reached; None where the figure is only stated. `details`: further figures of the same measurement, for
    people and machines. `limited_by`: what bounds the figure, or the measured reason why the aim was missed; empty where nothing is known.
    """

    what: str
    figure: str
    value: float
    unit: str
    aim: str
    met: bool | None
    details: Mapping[str, float | int | str] = field(default_factory=dict)
    limited_by: str = ""


def to_json(row: Row) -> dict[str, Any]:
    """The row as plain JSON values."""
    return asdict(row)


def from_json(values: dict[str, Any]) -> Row:
    """The row that `to_json` gave. TypeError when a field is missing or unknown: the file was written by another version."""
    return Row(**values)
