"""What is known about a corruption before it is applied: its name, family, constants and where they come from?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Function = Callable[[Image, int, np.random.Generator], Image]

KI_PAPER = "Knowledge Injection via XAI: Predicting OOD Robustness"
IMAGENET_C_PAPER = "Hendrycks and Dietterich 2019, arXiv 1903.12261"
KI_IMPACT = ("shallow", "medium", "heavy")
IMAGENET_C_IMPACT = ("1 of 5", "2 of 5", "3 of 5", "4 of 5", "5 of 5")


@dataclass(frozen=True)
class Corruption:
    """One named change of a picture that tests a model.

    `values` holds the leading parameter of severities 1..n, mildest first; it is empty for the clean row alone, whose severity is 0.
    `parameter` names it with its unit. `expected_impact` has one word or phrase per severity.
    `monotone`: the mean absolute distance to the clean picture, over many pictures, grows with severity.
    """

    name: str
    function: Function
    family: str
    parameter: str
    values: tuple[float, ...]
    monotone: bool
    expected_impact: tuple[str, ...]
    paper: str

    def __post_init__(self) -> None:
        if len(self.expected_impact) != len(self.severities):
            raise ValueError(
                f"{self.name}: expected_impact needs one entry per severity ({len(self.severities)}), found {len(self.expected_impact)}"
            )

    @property
    def severities(self) -> tuple[int, ...]:
        """1..n from mild to strong, or (0,) for the clean row."""
        return tuple(range(1, len(self.values) + 1)) or (0,)

    def value(self, severity: int) -> float | None:
        """The leading parameter at this severity; None for the clean row. Raises ValueError for a severity that does not exist."""
        position = self._position(severity)
        return self.values[position] if self.values else None

    def impact(self, severity: int) -> str:
        """How hard this severity is meant to hit, in the source's words. Raises ValueError for a severity that does not exist."""
        return self.expected_impact[self._position(severity)]

    def _position(self, severity: int) -> int:
        if severity not in self.severities:
            raise ValueError(f"{self.name}: severity must be one of {self.severities}, found {severity!r}")
        return self.severities.index(severity)
