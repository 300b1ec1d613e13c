"""What would an explanation say that has everything the wrong way round?"""

from __future__ import annotations

import numpy as np

from xai.records import Method
from xai.units import Attribution, Included, included_or_all

METHOD = Method(
    name="reverse",
    modalities=("image", "text"),
    category="control",
    needs="nothing",
    unit="unit of the attribution it reverses",
    paper="METHODS 9 (choice)",
    direction="none",
    forwards="0",
    control=True,
)


def reverse(attribution: Attribution, included: Included | None = None) -> Attribution:
    """max(a) + min(a) - a over the included units: the opposite order within the same range [min, max]; excluded units are 0.

    Not -a, which would leave metrics of |a| unchanged. The dtype stays. Units tied before are tied after, and both go by position; two
    values closer than a rounding of max + min may become tied. A non-finite attribution gives non-finite values, never 0.
    """
    kept = included_or_all(attribution, included)
    exact = attribution.astype(np.float64)
    high = np.max(exact, axis=-1, keepdims=True, where=kept, initial=-np.inf)
    low = np.min(exact, axis=-1, keepdims=True, where=kept, initial=np.inf)
    with np.errstate(invalid="ignore"):  # inf - inf is NaN: the null that belongs there
        turned = high + low - exact
    return np.where(kept, turned, 0.0).astype(attribution.dtype)
