"""Which words mark a class, and which other class is it mistaken for? Read from training and validation data only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ood.log_odds import Counts, PriorName, log_odds
from ood.words import forms

Ids = Int64[NDArray[np.int64], "examples"]
Confusions = Int64[NDArray[np.int64], "labels labels"]
Reason = Literal["confusions", "shared_keywords", "only_class"]

Scores = dict[str, float]

DECIMALS = 6  # scores are rounded before they rank: a last bit that differs between processors then moves no word


class KeywordSettings(BaseModel):
    """How keywords are found (METHODS 6); part of what identifies attacked rows.

    `alpha`: pseudo-counts per word of the Dirichlet prior, `prior` how they are spread. `rank_by`: the log-odds over its standard error
    (`z`), or itself (`ratio`, which prefers rare words). `min_count`: uses of the word in the class. `per_class`: words kept of each class,
    fewer when fewer have positive log-odds. `neutral`: words kept that mark no class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    alpha: float = Field(default=0.1, gt=0)
    prior: PriorName = "informative"
    rank_by: Literal["z", "ratio"] = "z"
    min_count: int = Field(default=2, ge=1)
    per_class: int = Field(default=20, ge=1)
    neutral: int = Field(default=10, ge=0)


DEFAULT = KeywordSettings()


class ClassKeywords(BaseModel):
    """Of one class: its keywords, best first, with their scores; the class it is most mistaken for, and how that is known.

    `confusable` is None for the only class there is. `reason`: `confusions` of the baseline on validation, or, where it made none for this
    class, most `shared_keywords`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    label: str
    words: tuple[str, ...]
    scores: tuple[float, ...]
    confusable: str | None
    reason: Reason


class Keywords(BaseModel):
    """The keywords of all classes of a dataset, in label order, and words that mark none; plain data that can be hashed and shipped."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    settings: KeywordSettings
    classes: tuple[ClassKeywords, ...]
    neutral: tuple[str, ...]

    def of(self, label: str) -> ClassKeywords:
        """The keywords of a class. Raises ValueError for a label that has none."""
        for found in self.classes:
            if found.label == label:
                return found
        raise ValueError(
            f"label must be one of the {len(self.classes)} that keywords were found for, found {label!r}: match labels by name"
        )

    def confusing(self, label: str) -> tuple[str, ...]:
        """Keywords of the class that `label` is most mistaken for, without those that are its own too; best first."""
        own = self.of(label)
        theirs = () if own.confusable is None else self.of(own.confusable).words
        return tuple(word for word in theirs if word not in own.words)


def confusion_matrix(true: Ids, predicted: Ids, n_labels: int) -> Confusions:
    """Entry [a, b]: validation examples of class a that the baseline called b. Raises ValueError for unequal lengths or unknown ids."""
    if true.shape != predicted.shape or true.ndim != 1:
        raise ValueError(f"true and predicted ids must be two vectors of one length, found shapes {true.shape} and {predicted.shape}")
    if not (_fit(true, n_labels) and _fit(predicted, n_labels)):
        raise ValueError(f"label ids must be 0 to {n_labels - 1}, found others: match labels by name first")
    return np.bincount(true * n_labels + predicted, minlength=n_labels**2).reshape(n_labels, n_labels).astype(np.int64)


def _fit(ids: Ids, n_labels: int) -> bool:
    return ids.size == 0 or bool(ids.min() >= 0 and ids.max() < n_labels)


def find_keywords(
    texts: Sequence[str], label_ids: Ids, labels: Sequence[str], confusions: Confusions | None = None, settings: KeywordSettings = DEFAULT
) -> Keywords:
    """Keywords of each class from the *training* texts, and its most confusable class from the baseline's confusions on *validation* texts.

    `label_ids` are positions in `labels`. The order of the texts does not matter; ties go to the word, or label, that comes first in
    code-point order. A class without texts has no keywords. Raises ValueError for lengths, ids or a matrix that do not fit the labels.
    """
    _check(texts, label_ids, labels, confusions)
    vocabulary, counts = _counted(texts, label_ids, len(labels))
    ranked = _ranked(vocabulary, counts, settings)
    nearest = _nearest(labels, ranked, np.zeros((len(labels),) * 2, dtype=np.int64) if confusions is None else confusions)
    classes = tuple(
        ClassKeywords(label=label, words=tuple(scores), scores=tuple(scores.values()), confusable=confusable, reason=reason)
        for label, scores, (confusable, reason) in zip(labels, ranked, nearest, strict=True)
    )
    return Keywords(settings=settings, classes=classes, neutral=_neutral(vocabulary, counts, ranked, settings.neutral))


def _check(texts: Sequence[str], label_ids: Ids, labels: Sequence[str], confusions: Confusions | None) -> None:
    if len(set(labels)) != len(labels) or not labels:
        raise ValueError(f"labels must be distinct and at least one, found {list(labels)}")
    if label_ids.shape != (len(texts),):
        raise ValueError(f"there must be one label id per text, found {len(texts)} texts and ids of shape {label_ids.shape}")
    if not _fit(label_ids, len(labels)):
        raise ValueError(
            f"label ids must be 0 to {len(labels) - 1}, found {label_ids.min()} to {label_ids.max()}: match labels by name first"
        )
    if confusions is not None and confusions.shape != (len(labels), len(labels)):
        raise ValueError(f"confusions must be [labels, labels] for {len(labels)} labels, found shape {confusions.shape}")


def _counted(texts: Sequence[str], label_ids: Ids, n_labels: int) -> tuple[list[str], Counts]:
    """The words in code-point order, and how often each class uses them."""
    of_class = [Counter[str]() for _ in range(n_labels)]
    for text, label in zip(texts, label_ids.tolist(), strict=True):
        of_class[label].update(word for word in forms(text) if word)
    vocabulary = sorted(set().union(*of_class))
    return vocabulary, np.array([[counter[word] for word in vocabulary] for counter in of_class], dtype=np.int64)


def _ranked(vocabulary: list[str], counts: Counts, settings: KeywordSettings) -> list[Scores]:
    """Of each class its keywords with their scores, best first."""
    if len(vocabulary) < 2:  # one word cannot be commoner here than another
        return [{} for _ in counts]
    scores = getattr(log_odds(counts, settings.alpha, settings.prior), settings.rank_by).round(DECIMALS)
    marks = (scores > 0) & (counts >= settings.min_count)
    ranked = []
    for row, marked in zip(scores, marks, strict=True):
        best = sorted(np.flatnonzero(marked).tolist(), key=lambda at: (-row[at], vocabulary[at]))[: settings.per_class]
        ranked.append({vocabulary[at]: float(row[at]) for at in best})
    return ranked


def _nearest(labels: Sequence[str], ranked: list[Scores], confusions: Confusions) -> list[tuple[str | None, Reason]]:
    """Of each class the other one that it is called most, then that is called it most, then with most common keywords."""
    found: list[tuple[str | None, Reason]] = []
    for own in range(len(labels)):
        mistaken = [(int(confusions[own, at]), int(confusions[at, own])) for at in range(len(labels))]
        others = [(*mistaken[at], len(ranked[own].keys() & ranked[at].keys()), at) for at in range(len(labels)) if at != own]
        best = min(others, key=lambda other: (*(-number for number in other[:3]), labels[other[3]]), default=None)
        if best is None:
            found.append((None, "only_class"))
        else:
            found.append((labels[best[3]], "confusions" if best[0] or best[1] else "shared_keywords"))
    return found


def _neutral(vocabulary: list[str], counts: Counts, ranked: list[Scores], n: int) -> tuple[str, ...]:
    """The words that mark no class and are used in most classes, then most often."""
    marking = set().union(*ranked)
    spread = {word: (-int(np.count_nonzero(column)), -int(column.sum())) for word, column in zip(vocabulary, counts.T, strict=True)}
    return tuple(sorted((word for word in vocabulary if word not in marking), key=lambda word: (*spread[word], word))[:n])
