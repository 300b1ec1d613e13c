"""How good is a forecast of failure? The figures of METHODS 4.2, for any integer weights of the rows.

The positive class is `failed`; a higher risk says that failure is likelier. A resample of a bootstrap is a vector of weights: rows are put
in order once and never copied. A figure that does not exist is NaN here, and `reason` says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gold.forecast import curves
from gold.forecast.calibration import Calibration
from gold.forecast.pairs import Pairs, share, share_of_copies
from gold.scores import Bools
from gold.statistics.estimate import Codes, Floats

Integers = npt.NDArray[np.integer]

POOLED = ("auroc", "average_precision", "lift", "aurc", "augrc", "fpr95", "brier", "ece")
# The same inside each adapter, averaged over adapters by their rows: knowing the adapter cannot help. (Brier: it is the pooled one.)
WITHIN = tuple(f"{name}_within" for name in POOLED if name != "brier")
FIGURES = (*POOLED, *WITHIN)
LIMITS = {**dict.fromkeys(FIGURES, (0.0, 1.0))} | dict.fromkeys(("lift", "lift_within"), (0.0, np.inf))
LIMITS |= dict.fromkeys(("augrc", "augrc_within"), (0.0, 0.5))

_NO_PAIR = "no test fold holds both failed and correct rows"
_NO_PAIR_WITHIN = "no adapter has both failed and correct rows inside one test fold"
_REASONS = {"auroc": _NO_PAIR, "fpr95": _NO_PAIR, "auroc_within": _NO_PAIR_WITHIN, "fpr95_within": _NO_PAIR_WITHIN}
_REASONS |= dict.fromkeys(("average_precision", "lift", "average_precision_within", "lift_within"), "no row failed")
_OF_CURVES = (*curves.FIGURES, curves.LIFT)
_OF_PROBABILITIES = ("brier", "ece", "ece_within")


class Scored:
    """One forecast over n rows: risk float[n], failed bool[n], folds and adapters int[n] (codes), all in the same order.

    `is_probability`: the risk is a probability of failure, so that Brier and ECE exist. Raises ValueError when lengths differ, a risk is
    not finite, or a probability lies outside [0, 1]: leave out rows without a forecast, for every forecast that is compared.
    """

    def __init__(self, risk: Floats, failed: Bools, folds: Codes, adapters: Codes, is_probability: bool) -> None:
        shapes = [np.shape(given) for given in (risk, failed, folds, adapters)]
        if len(set(shapes)) > 1 or len(shapes[0]) != 1:
            raise ValueError(f"risk, failed, folds and adapters must be one-dimensional and equally long, got {shapes}")
        if not np.isfinite(risk).all():
            raise ValueError(f"risks must be finite, got {np.sum(~np.isfinite(risk))} that are not; leave out rows without a forecast")
        if is_probability and len(risk) and not 0.0 <= risk.min() <= risk.max() <= 1.0:
            raise ValueError(f"probabilities must lie in [0, 1], got {risk.min():g} to {risk.max():g}; say is_probability=False")
        self.risk, self.failed, self.folds, self.adapters, self.is_probability = risk, failed, folds, adapters, is_probability

    def __len__(self) -> int:
        return len(self.risk)

    def figures(self, weights: Integers | None = None, wanted: Sequence[str] = FIGURES, copies: Integers | None = None) -> dict[str, float]:
        """The wanted figures by name; NaN where one does not exist. Only what they need is computed.

        weights int[n] >= 0: how often each row counts (None: once), as if the rows were repeated. copies int[n]: how often the row's
        adapter was drawn, where adapters are resampled and `weights` holds that factor: its copies then make no pairs with each other.
        Raises ValueError for an unknown name and for weights that do not count rows.
        """
        if unknown := set(wanted) - set(FIGURES):
            raise ValueError(f"figures must be among {', '.join(FIGURES)}, got {', '.join(sorted(unknown))}")
        counts = self._counts(weights)
        found = self._aurocs(counts, wanted, copies)
        if of_curves := [name for name in wanted if name in _OF_CURVES]:
            found |= self._curves.figures(counts, of_curves)
        if inside := [name for name in _OF_CURVES if f"{name}_within" in wanted]:
            found |= {f"{name}_within": value for name, value in self._curves_within.figures(counts, inside).items()}
        for name in (name for name in wanted if name in _OF_PROBABILITIES):
            found[name] = getattr(self._calibration, name)(counts) if self.is_probability else np.nan
        return {name: found[name] for name in wanted}

    def reason(self, name: str) -> str | None:
        """Why a figure of the rows as they are does not exist; None where it does."""
        if np.isfinite(self.figures(wanted=(name,))[name]):
            return None
        if len(self) and name in _OF_PROBABILITIES:
            return "the score is no probability"
        return _REASONS[name] if len(self) else "no rows"

    def _counts(self, weights: Integers | None) -> Codes:
        if weights is None:
            return np.ones(len(self), dtype=np.int64)
        if weights.shape != self.risk.shape or not np.issubdtype(weights.dtype, np.integer) or weights.min(initial=0) < 0:
            raise ValueError(f"weights must be {len(self)} counts from 0 up, got {weights.dtype} of shape {weights.shape}")
        return weights.astype(np.int64, copy=False)

    def _aurocs(self, counts: Codes, wanted: Sequence[str], copies: Integers | None) -> dict[str, float]:
        found: dict[str, float] = {}
        within = self._within.counts(counts) if "auroc_within" in wanted or ("auroc" in wanted and copies is not None) else None
        drawn = None if copies is None else copies[self._within.first].astype(np.int64)
        if "auroc" in wanted:
            pairs = self._pairs.counts(counts)
            found["auroc"] = share(*pairs) if within is None or drawn is None else share_of_copies(pairs, within, drawn)
        if "auroc_within" in wanted and within is not None:
            found["auroc_within"] = share(*within) if drawn is None else share(*(part / np.maximum(drawn, 1) for part in within))
        return found

    @cached_property
    def _pairs(self) -> Pairs:
        return Pairs(self.risk, self.failed, self.folds)

    @cached_property
    def _adapter_in_fold(self) -> Codes:
        _, adapters = np.unique(self.adapters, return_inverse=True)
        found: Codes = self.folds * (adapters.max(initial=0) + 1) + adapters
        return found

    @cached_property
    def _within(self) -> Pairs:
        return Pairs(self.risk, self.failed, self._adapter_in_fold)

    @cached_property
    def _curves(self) -> curves.Curves:
        return curves.Curves(self.risk, self.failed, self.folds)

    @cached_property
    def _curves_within(self) -> curves.Curves:
        return curves.Curves(self.risk, self.failed, self._adapter_in_fold)

    @cached_property
    def _calibration(self) -> Calibration:
        return Calibration(self.risk, self.failed, self.adapters)
