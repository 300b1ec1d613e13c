"""Which rows may a learner see before it is scored? KI's row split, and the one in which no example stands on both sides.

Every (example, adapter) feature vector repeats over the corruptions, so KI's split puts the same vector on both sides almost surely
(METHODS 4.1). It is computed for comparison and marked leaky; the headline is `grouped`. scikit-learn is imported late:
reading a table's spec must not cost its start-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gold.scores import Bools
from gold.settings import GoldSettings
from gold.statistics.estimate import Codes

Split = tuple[Codes, Codes]


@dataclass(frozen=True)
class Protocol:
    """`leaky`: the two sides of a split share examples, so its figures are too good."""

    name: str
    leaky: bool
    paper: str


KI = Protocol("ki", leaky=True, paper="KI: 80/20 stratified split of rows, 5-fold stratified cross-validation")
GROUPED = Protocol("grouped", leaky=False, paper="METHODS 4.1: the same, but all rows of an example stay on one side")
PROTOCOLS = (KI, GROUPED)


def chosen(settings: GoldSettings) -> tuple[Protocol, ...]:
    """The protocols of the settings, in the order of `PROTOCOLS`."""
    return tuple(protocol for protocol in PROTOCOLS if protocol.name in settings.protocols)


def obstacle(protocol: Protocol, correct: Bools, examples: Codes, parts: int, min_n: int) -> str | None:
    """Why these rows cannot be split into `parts` with both classes in each; None when they can.

    Counts rows under ki, examples under grouped: with fewer than `parts` of a class some part would lack it.
    """
    if len(correct) < min_n:
        return f"{len(correct)} complete rows; at least {min_n} are needed"
    if correct.all() or not correct.any():
        return f"one class only: all rows are {'correct' if correct.all() else 'wrong'}"
    unit, counted = ("examples", examples) if protocol is GROUPED else ("rows", np.arange(len(correct)))
    rarer = min(len(np.unique(counted[correct == side])) for side in (True, False))
    if rarer < parts:
        return f"the rarer class has {rarer} {unit}; {parts} parts need at least {parts}"
    return None


def holdout(protocol: Protocol, correct: Bools, examples: Codes, settings: GoldSettings) -> Split:
    """Row positions (train, test), stratified by class, `test_share` in test; sorted, so that learners see the order of the keys.

    `grouped` takes the first of round(1 / test_share) folds. Raises ValueError (scikit-learn's) where `obstacle` would answer.
    """
    if protocol is GROUPED:
        return folds(protocol, correct, examples, settings, round(1.0 / settings.test_share))[0]
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(correct))
    train, test = train_test_split(rows, test_size=settings.test_share, stratify=correct, random_state=settings.seed)
    return np.sort(train), np.sort(test)


def folds(protocol: Protocol, correct: Bools, examples: Codes, settings: GoldSettings, parts: int) -> list[Split]:
    """`parts` pairs (train, test) of row positions; the tests are disjoint and cover all rows."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind, groups = (StratifiedGroupKFold, examples) if protocol is GROUPED else (StratifiedKFold, None)
    splitter = kind(n_splits=parts, shuffle=True, random_state=settings.seed)
    return [(train, test) for train, test in splitter.split(np.zeros((len(correct), 1)), correct, groups)]
