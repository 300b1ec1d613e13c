"""What is known about an attack before it is made, and what is kept of it afterwards?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ood.keywords import Keywords

Preserves = Callable[[str], bool]
Family = Literal["keyword", "character"]

CAP_PAPER = "Hybrid Attribution Priors for Explainable and Robust Model Training, arXiv 2512.14719"
METHODS_6 = "METHODS 6"  # of this project's own
IMPACT = ("shallow", "medium", "heavy")


@dataclass(frozen=True)
class Attacked:
    """One text before and after, as it goes into the audit table.

    `positions`: the touched words, ascending, from 0: of `edited` where words were inserted or changed, of `original` where they were
    deleted. `rule` names each edit, in their order; where there was none it is `not_editable: why`, and `edited` is the original.
    """

    original: str
    edited: str
    rule: str
    positions: tuple[int, ...]

    @property
    def is_edited(self) -> bool:
        """True when a word was touched."""
        return bool(self.positions)


# (text, its label, severity, generator, keywords of the dataset, and what must hold of the edited text or None)
Function = Callable[[str, str, int, np.random.Generator, Keywords, Preserves | None], Attacked]


@dataclass(frozen=True)
class Attack:
    """One named edit of a text that tests a model and is meant to leave the label true: proved where a grammar can parse the text
    (`Preserves`), hoped elsewhere.

    `values` holds the leading parameter of severities 1..n, mildest first; `parameter` names it with its unit; `expected_impact` has one
    word per severity. Names, severities, `value` and `impact` are used as those of a corruption are.
    """

    name: str
    function: Function
    family: Family
    parameter: str
    values: tuple[float, ...]
    expected_impact: tuple[str, ...]
    paper: str

    def __post_init__(self) -> None:
        if not self.values or len(self.expected_impact) != len(self.values):
            raise ValueError(
                f"{self.name}: expected_impact needs one entry per severity ({len(self.values)}), found {len(self.expected_impact)}"
            )

    @property
    def severities(self) -> tuple[int, ...]:
        """1..n from mild to strong."""
        return tuple(range(1, len(self.values) + 1))

    def value(self, severity: int) -> float:
        """The leading parameter at this severity. Raises ValueError for a severity that does not exist."""
        return self.values[self._position(severity)]

    def impact(self, severity: int) -> str:
        """How hard this severity is meant to hit. Raises ValueError for a severity that does not exist."""
        return self.expected_impact[self._position(severity)]

    def _position(self, severity: int) -> int:
        if severity not in self.severities:
            raise ValueError(f"{self.name}: severity must be one of {self.severities}, found {severity!r}")
        return self.severities.index(severity)
