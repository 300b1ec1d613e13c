"""How much more does one class use a word than the others do?"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

Counts = Int64[NDArray[np.int64], "classes words"]
PerWord = Float64[NDArray[np.float64], "classes words"]
PriorName = Literal["informative", "symmetric"]


class LogOdds(NamedTuple):
    """Of each class and word: the log-odds ratio (nats, unbounded, > 0 = more in this class) and it over its standard error."""

    ratio: PerWord
    z: PerWord


def log_odds(counts: Counts, alpha: float, prior: PriorName = "informative") -> LogOdds:
    """Log-odds of each word in each class against all other classes together, smoothed by a Dirichlet prior.

    With y counts of the word and n of all words in the class, Y - y and N - n in the others, and pseudo-counts a of the word and A of
    all: ratio = log((y + a) / (n + A - y - a)) - log((Y - y + a) / (N - n + A - (Y - y) - a)), variance = 1 / (y + a) + 1 / (Y - y + a).
    `symmetric`: a = alpha. `informative`: a = A Y / N, in proportion to the whole corpus, so that common words need more evidence. Both
    have A = alpha x words. Source: Monroe, Colaresi, Quinn 2008, "Fightin' Words", equations 15, 16, 22; a class is compared with the
    rest, not with one other group. Raises ValueError unless alpha > 0, and for fewer than two words or a word that never occurs.
    """
    if not alpha > 0:
        raise ValueError(f"alpha must be above 0 (log-odds of unseen words are infinite without it), found {alpha}")
    if counts.ndim != 2 or counts.shape[1] < 2 or not counts.any(axis=0).all():
        raise ValueError(f"counts must be [classes, words] with two words at least, each occurring somewhere, found shape {counts.shape}")
    of_class, everywhere = counts.astype(np.float64), counts.sum(axis=0, dtype=np.float64)
    of_others = everywhere - of_class
    mass = alpha * counts.shape[1]
    pseudo = np.full_like(everywhere, alpha) if prior == "symmetric" else mass * everywhere / everywhere.sum()
    variance = 1 / (of_class + pseudo) + 1 / (of_others + pseudo)
    ratio = _log_odds_within(of_class + pseudo) - _log_odds_within(of_others + pseudo)
    return LogOdds(ratio, ratio / np.sqrt(variance))


def _log_odds_within(smoothed: PerWord) -> PerWord:
    """log of each word's odds within its row of counts, pseudo-counts included."""
    return np.asarray(np.log(smoothed) - np.log(smoothed.sum(axis=1, keepdims=True) - smoothed))
