"""Of which examples is it asked whether their explanations are used or merely told?"""

from __future__ import annotations

from bronze.build import first_examples
from lake.fill import Inputs
from silver.settings import ExplanationSettings


def poked_examples(examined: Inputs, explanations: ExplanationSettings) -> Inputs | None:
    """Of the explained examples those of the smallest ids, as many as `explanations.inversion` says; None where it is not asked."""
    return None if explanations.inversion is None else first_examples(examined, explanations.inversion.n)
