"""What must be known of any architecture to load it? Its class, and how names on disk become names on the classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Architecture:
    """How the tensors of one kind of model are found; vision and text families add how it is fed and read.

    `head`: the linear modules between the backbone's hidden states and the logits, first to last; the rows of the last are the labels.
    Those below `prefix` (BERT's pooler) may come pretrained with a backbone, the others only with a head of its own.
    """

    name: str
    prefix: str  # attribute of the classifier that holds the backbone, and prefix of its tensor names
    classes: Callable[[], tuple[Any, Any]]  # (configuration class, classifier class), imported only when asked for
    renames: tuple[tuple[str, str], ...]  # (name on disk, name on the model), applied in order to parts of tensor names
    ignored: tuple[str, ...]  # tensors of a checkpoint that a classifier has no place for, by how their names begin behind the prefix
    head_modules: tuple[str, ...]

    @property
    def output(self) -> str:
        """The module whose rows are the labels."""
        return self.head_modules[-1]

    @property
    def head_tensors(self) -> tuple[str, ...]:
        """Names of the head's tensors on the classifier."""
        return tuple(f"{module}.{part}" for module in self.head_modules for part in ("weight", "bias"))
