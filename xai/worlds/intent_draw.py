"""How hard are the intent texts, and how is one choice drawn?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class GrammarSettings(BaseModel):
    """The difficulty of the texts; part of what identifies them. All but `rarity` are probabilities.

    `rarity`: the n-th commonest of several synonyms is drawn with weight n ** -rarity, so a larger one makes late synonyms rarer.
    `topic_bait`, `act_bait`, `idioms`: a clause before the core (and independently one after it) with words that decide another topic or
    another act elsewhere, or are such words in another sense. `negation`, `turning`, `waking`: share of the texts where it is possible that
    say it so. `context`: a phrase that usually goes with the topic, and one with the act; `foreign_context`: it is taken from any topic or
    act. `adjectives`, `politeness`: fillers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rarity: float = Field(default=1.2, ge=0.0, le=4.0)
    topic_bait: float = Field(default=0.2, ge=0.0, le=1.0)
    act_bait: float = Field(default=0.2, ge=0.0, le=1.0)
    idioms: float = Field(default=0.1, ge=0.0, le=1.0)
    negation: float = Field(default=0.25, ge=0.0, le=1.0)
    turning: float = Field(default=0.2, ge=0.0, le=1.0)
    waking: float = Field(default=0.2, ge=0.0, le=1.0)
    context: float = Field(default=0.5, ge=0.0, le=1.0)
    foreign_context: float = Field(default=0.3, ge=0.0, le=1.0)
    adjectives: float = Field(default=0.3, ge=0.0, le=1.0)
    politeness: float = Field(default=0.3, ge=0.0, le=1.0)


@dataclass(frozen=True, slots=True)
class Draw:
    """One text's source of choices: everything random comes from `rng`."""

    rng: np.random.Generator
    settings: GrammarSettings

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def one_of(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely."""
        return items[int(self.rng.integers(len(items)))]

    def ranked(self, items: Sequence[Item]) -> Item:
        """One of the items, the n-th with weight n ** -rarity."""
        return self.weighted([((at + 1.0) ** -self.settings.rarity, item) for at, item in enumerate(items)])

    def weighted(self, items: Sequence[tuple[float, Item]]) -> Item:
        """One of the items, each with its weight."""
        rest = self.rng.random() * sum(weight for weight, _ in items)
        for weight, item in items[:-1]:
            rest -= weight
            if rest < 0:
                return item
        return items[-1][1]
