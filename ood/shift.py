"""What must a change of inputs offer, so that adapters can be tried under it, whether it corrupts pictures or attacks texts?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa

from models.any_scoring import Inputs


class Shift(Protocol):
    """What gold and the layers need to know of one named change; corruptions and attacks both are such records."""

    @property
    def name(self) -> str: ...

    @property
    def parameter(self) -> str: ...

    @property
    def severities(self) -> tuple[int, ...]: ...

    def value(self, severity: int) -> float | None:
        """The leading parameter at this severity; None for the clean row."""

    def impact(self, severity: int) -> str:
        """How hard this severity is meant to hit, in a word or phrase."""


class Shifts(Protocol):
    """How the examples of a batch are changed and made ready for the model. The same for every adapter; ships to workers by pickle."""

    def settings(self) -> dict[str, object]:
        """What of the changes defines a row; not which of them are asked for."""

    def cells(self) -> tuple[tuple[str, int], ...]:
        """(name, severity) of every change that is asked for, clean ("none", 0) first."""

    def by_name(self, name: str) -> Shift:
        """The record of a change. Raises ValueError, with the nearest names, when there is none."""

    def columns(self) -> tuple[str, ...]:
        """The columns of the examples that `read` needs."""

    def read(self, batch: pa.RecordBatch) -> Sequence[Any]:
        """What is the same under every change, once per batch."""

    def changed(self, read: Sequence[Any], ids: Sequence[str], name: str, severity: int) -> Inputs:
        """The batch under one change, ready to be scored; ("none", 0) leaves the inputs alone. Keyed by example, change and severity."""

    def value(self, name: str, severity: int) -> float | None:
        """The leading parameter of a change."""
