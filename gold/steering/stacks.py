"""How do rows of ragged numbers and words become the arrays that xai counts in?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gold.steering.frames import TextFrames
from gold.steering.inputs import PriorGeneration
from gold.steering.recipes import NOTHING, choice_columns
from models.text_recipe import Choice
from xai.priors import Source, prior
from xai.units import BatchIncluded, BatchUnits64


@dataclass(frozen=True)
class Stack:
    """Texts of one source: [texts, words], padded, `included` True on words; label and words of each text."""

    values: BatchUnits64
    included: BatchIncluded
    words: list[list[str]]
    labels: list[str]

    def __len__(self) -> int:
        return len(self.words)


def stacked(values: Sequence[Any], words: Sequence[Any], labels: Sequence[str]) -> Stack:
    """One row per text. Raises ValueError when a text has not a number for each word."""
    own_words = [list(own) for own in words]
    sizes = np.array([len(own) for own in own_words], dtype=np.int64)
    included = np.arange(sizes.max(initial=1)) < sizes[:, None]
    if [len(own) for own in values] != sizes.tolist():
        raise ValueError("every text must have one number per word, found others: delete this generation of silver and run again")
    padded = np.zeros(included.shape)
    padded[included] = np.concatenate([np.zeros(0), *(np.asarray(own, dtype=np.float64) for own in values)])
    return Stack(padded, included, own_words, list(labels))


def as_prior(stack: Stack, source: Source) -> Stack:
    """The raw numbers as they steer: clipped at 0 (not ig) and of L2 norm 1."""
    return Stack(prior(stack.values, source, stack.included), stack.included, stack.words, stack.labels)


@dataclass(frozen=True)
class PriorRows:
    """The priors of one source by one scorer: the columns that name them, and what they say of each text (`example_ids`)."""

    generation: PriorGeneration
    source: Source
    example_ids: list[str]
    stack: Stack

    @property
    def columns(self) -> dict[str, object]:
        own = self.generation
        return {"scorer": own.scorer, "source": self.source, **choice_columns(own.choice), "n_perturbations": own.n}


def prior_rows(text: TextFrames) -> Iterator[PriorRows]:
    """Every (generation, source) that has rows, as priors, texts in the order of their ids."""
    for generation in sorted(text.generations, key=lambda one: (one.settings_id, one.scorer)):
        mine = text.priors[(text.priors["settings_id"] == generation.settings_id) & (text.priors["scorer"] == generation.scorer)]
        for source in sorted(generation.sources):
            rows = mine[mine["source"] == source].sort_values("example_id")
            if len(rows):
                labels = [text.labels[target] for target in rows["target_id"]]
                stack = stacked(rows["values"].tolist(), rows["words"].tolist(), labels)
                yield PriorRows(generation, source, rows["example_id"].tolist(), as_prior(stack, source))  # type: ignore[arg-type]  # checked by silver.priors


@dataclass(frozen=True)
class PriorSet:
    """What one choice of texts is told by one language model with one number of masks, and by the twins on the same texts: source -> rows.

    `scorer` is the language model's; `none` where only twins speak.
    """

    choice: Choice
    scorer: str
    n: int
    sources: dict[str, list[PriorRows]]


def prior_sets(rows: Sequence[PriorRows]) -> list[PriorSet]:
    """All sets. A twin's ig belongs to every language model that was asked about the same choice."""
    asked = [one for one in rows if one.source != "ig"]
    twins = [one for one in rows if one.source == "ig"]
    keys = dict.fromkeys((one.generation.choice, one.generation.scorer, one.generation.n) for one in asked)
    known = {choice for choice, _, _ in keys}
    keys |= dict.fromkeys((one.generation.choice, NOTHING, 0) for one in twins if one.generation.choice not in known)
    found = []
    for choice, scorer, n in keys:
        mine = [one for one in asked if (one.generation.choice, one.generation.scorer, one.generation.n) == (choice, scorer, n)]
        mine += [one for one in twins if one.generation.choice == choice]
        sources: dict[str, list[PriorRows]] = {}
        for one in mine:
            sources.setdefault(one.source, []).append(one)
        found.append(PriorSet(choice, scorer, n, sources))
    return found
