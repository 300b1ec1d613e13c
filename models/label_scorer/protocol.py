"""What does a prior need of a language model? p of the true label under each mask, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float64


class LabelScorer(Protocol):
    """A frozen scorer bound to one label space, one prompt and one reading of p. Not for two threads at once."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The label space, in the order in which the prompt names it."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything that decides the numbers, as plain JSON values, to be hashed into settings_id."""
        ...

    def probabilities(
        self,
        texts: Sequence[Sequence[str]],
        true_labels: Sequence[str],
        keep: Sequence[Bool[np.ndarray, "masks words"]],
    ) -> Float64[np.ndarray, "examples masks"]:
        """p of each text's true label in [0, 1] while only the words where its `keep` is True are shown, the others being placeholders.

        Every text has as many masks as the others. A text's row has the same bits whatever the other texts are. NaN where the model's
        logits are not finite. Raises RejectedInput `empty_text` (no word), `too_large` (longer than the model reads) and `bad_record` (the
        name of a chat model's special token), ArtifactError `label_unknown`, ValueError for shapes that do not fit.
        """
        ...
