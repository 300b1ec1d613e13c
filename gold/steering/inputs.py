"""What must gold be told of a dataset of texts besides what it is told of pictures?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.text_recipe import Choice

# (text, label) -> which of the text's words (models.words) decide that it has this label; None where that is not known.
Truth = Callable[[str, str], NDArray[np.bool_] | None]


@dataclass(frozen=True)
class PriorGeneration:
    """One generation of silver.priors that steers trainings of this run: rows of `sources` by one `scorer` about the texts of `choice`.

    `n`: masks per text, 0 for ig, which draws none. `leaky`: as silver.priors has it. `scorer_name`: the language model as the
    configuration calls it; models trained here, one per choice, have one name. For ig, scorer is the adapter_id of the twin and `pair_id`
    that of the trainings it is the twin of (gold.steering.recipes).
    """

    settings_id: str
    scorer: str
    sources: tuple[str, ...]
    choice: Choice
    n: int = 0
    leaky: bool | None = None
    scorer_name: str = "trained"
    pair_id: str | None = None


@dataclass(frozen=True)
class TextInputs:
    """The generations that the tables about priors read.

    `examples_id`, `embeddings_id`, `attributions_id`: settings_id of bronze.examples, bronze.embeddings and silver.attributions. `attacks`:
    the names of the keyword attacks, over which adversarial accuracy is averaged. `truth`: where the makers of the data know which words
    decide; `truth_name` stands for it in the fingerprint.
    """

    examples_id: str
    embeddings_id: str
    attributions_id: str
    priors: tuple[PriorGeneration, ...] = ()
    attacks: tuple[str, ...] = ()
    truth: Truth | None = None
    truth_name: str | None = None

    def settings(self) -> dict[str, object]:
        """All of it that defines rows, as plain data."""
        return {
            "examples": self.examples_id,
            "embeddings": self.embeddings_id,
            "attributions": self.attributions_id,
            "attributions_of": "true_class",  # of silver's rows those about the text's own class
            "priors": sorted([one.settings_id, one.scorer, one.scorer_name, *one.sources] for one in self.priors),
            "attacks": sorted(self.attacks),
            "truth": self.truth_name,
        }
