"""What do the tables about priors and steered training start from? One text dataset's frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from gold.steering.inputs import PriorGeneration, Truth

SCORES = ("comprehensiveness", "sufficiency", "comprehensiveness_20", "sufficiency_20")
EXPLAINERS = ("occlusion", "ig", "random")
TRAIN, META, OUTSIDE = "adapter_train", "meta", "outside"

TRAININGS = ("adapter_id", "name", "recipe_settings", "minutes", "status", "reason")
EXPLAINED = ("adapter_id", "method", *SCORES)
ANSWERED = ("adapter_id", "n", "n_correct")
EXAMPLES = ("example_id", "split", "label_id", "text", "pooled")
CONFUSIONS = ("adapter_id", "label", "predicted", "n")
PRIORS = ("settings_id", "example_id", "source", "scorer", "target_id", "values", "words")
REFUSED = ("settings_id", "scorer", "source", "example_id", "error_code")
ATTRIBUTIONS = ("adapter_id", "example_id", "label", "values", "words")


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})


@dataclass(frozen=True)
class TextFrames:
    """`labels` are ordered; label ids are positions in them. A frame a table does not need may stay empty.

    trainings     `TRAININGS` of silver.adapters; recipe_settings is null for adapters that were not trained from a recipe.
    explained     `EXPLAINED`: means over meta examples, of the explainers `EXPLAINERS` in gold's metric group.
    answered      `ANSWERED`: clean meta examples, also those that are not explained, and how many the adapter calls by their name.
    examples      `EXAMPLES` of adapter_train, meta and outside; text null but in adapter_train; pooled: half-precision numbers as bytes,
                  or null.
    confusions    `CONFUSIONS`: clean meta examples of class `label` that the adapter calls `predicted`, by name, wrong answers alone.
    priors        `PRIORS`, raw, of `generations` alone; texts of more words than the settings allow are left out.
    refused       `REFUSED`: texts that a source of `generations` has no prior of, and why, from audit.rejected.
    attributions  `ATTRIBUTIONS` of method ig on meta examples of the confusable classes, of their own class (the texts that an adapter gets
                  right), by adapters that were trained from a recipe.
    attacks       names of the keyword attacks.
    """

    labels: tuple[str, ...]
    trainings: pd.DataFrame = field(default_factory=lambda: _empty(TRAININGS))
    explained: pd.DataFrame = field(default_factory=lambda: _empty(EXPLAINED))
    answered: pd.DataFrame = field(default_factory=lambda: _empty(ANSWERED))
    examples: pd.DataFrame = field(default_factory=lambda: _empty(EXAMPLES))
    confusions: pd.DataFrame = field(default_factory=lambda: _empty(CONFUSIONS))
    priors: pd.DataFrame = field(default_factory=lambda: _empty(PRIORS))
    refused: pd.DataFrame = field(default_factory=lambda: _empty(REFUSED))
    attributions: pd.DataFrame = field(default_factory=lambda: _empty(ATTRIBUTIONS))
    generations: tuple[PriorGeneration, ...] = ()
    attacks: tuple[str, ...] = ()
    truth: Truth | None = None

    def __post_init__(self) -> None:
        """Raises ValueError when a frame lacks one of its columns."""
        wanted = {
            "trainings": TRAININGS, "explained": EXPLAINED, "answered": ANSWERED, "examples": EXAMPLES,
            "confusions": CONFUSIONS, "priors": PRIORS, "refused": REFUSED, "attributions": ATTRIBUTIONS,
        }  # fmt: skip
        for name, columns in wanted.items():
            if lacking := [column for column in columns if column not in getattr(self, name).columns]:
                raise ValueError(
                    f"gold of texts: frame {name!r} must have the columns {', '.join(lacking)}; select them in gold/steering/build.py"
                )
