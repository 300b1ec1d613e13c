"""Which output of an index head stands for which training example?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
NOBODY = -1  # a place of a ranking that no training example can take


@dataclass(frozen=True)
class Slots:
    """N training examples of C classes as outputs of an index head. `labels` int64[N] in the order of the training set; every class below
    `n_classes` may be absent.

    Class-independent heads have N slots, one per example in order. Class-conditional ones have max_y K_y: slot s of class y is the s-th
    training example of that class, and slots from K_y on do not exist for it.
    """

    labels: Positions
    n_classes: int
    conditional: bool

    def __post_init__(self) -> None:
        if self.labels.ndim != 1 or len(self.labels) == 0:
            raise ValueError(f"an index head needs training examples as int64[N], found shape {self.labels.shape}")
        if self.labels.min() < 0 or self.labels.max() >= self.n_classes:
            raise ValueError(f"labels must lie in 0..{self.n_classes - 1}, found {self.labels.min()}..{self.labels.max()}")

    @cached_property
    def members(self) -> tuple[Positions, ...]:
        """Per class the positions of its training examples, in order."""
        return tuple(np.flatnonzero(self.labels == label) for label in range(self.n_classes))

    @cached_property
    def sizes(self) -> Positions:
        """K_y: training examples per class, int64[C]."""
        return np.bincount(self.labels, minlength=self.n_classes)

    @cached_property
    def within(self) -> Positions:
        """Place of each training example among those of its class, int64[N]."""
        found = np.empty(len(self.labels), dtype=np.int64)
        for members in self.members:
            found[members] = np.arange(len(members))
        return found

    @property
    def width(self) -> int:
        """Outputs of the head: N, or max_y K_y of a class-conditional one."""
        return int(self.sizes.max()) if self.conditional else len(self.labels)

    @property
    def slot_of(self) -> Positions:
        """The output that stands for each training example, int64[N]; of a class-conditional head given the example's own class."""
        return self.within if self.conditional else np.arange(len(self.labels))

    def groups(self, classes: Positions) -> list[tuple[Positions, Positions]]:
        """Rows that see the same slots, and the training examples behind these slots from slot 0 on: all rows and all examples of a
        class-independent head; per class those conditioned on it, int64[n] `classes`, of a class-conditional one. A class without a
        training example has no slot."""
        if not self.conditional:
            return [(np.arange(len(classes)), np.arange(len(self.labels)))]
        return [(np.flatnonzero(classes == label), self.members[label]) for label in np.unique(classes)]

    def mixed(self, rows: Positions, alpha: float, generator: np.random.Generator) -> Positions:
        """Targets of these training examples, int64[n] positions: each its own with probability 1 - alpha, else another of its class,
        uniformly; the only one of its class stays its own."""
        labels = self.labels[rows]
        sizes = self.sizes[labels]
        other = (self.within[rows] + 1 + np.floor(generator.random(len(rows)) * (sizes - 1)).astype(np.int64)) % sizes
        moved = (generator.random(len(rows)) < alpha) & (sizes > 1)
        starts = np.r_[0, np.cumsum(self.sizes)[:-1]]
        by_class = np.argsort(self.labels, kind="stable")
        return np.where(moved, by_class[starts[labels] + other], rows)
