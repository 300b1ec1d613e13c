"""Which classes are mistaken for each other most, by models that no prior has steered?"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from gold.steering.recipes import recipe_of


class Pair(NamedTuple):
    """Two classes, in the order of the alphabet, and how many meta texts of either were called the other."""

    label_a: str
    label_b: str
    n: int


def confusable_pairs(confusions: pd.DataFrame, trainings: pd.DataFrame, most: int) -> list[Pair]:
    """The `most` pairs with most mistakes, in either direction, on clean meta texts; ties by alphabet; none without a mistake.

    Mistakes are those of arm `none`, all seeds and settings together: of the very models that priors are to mend, before anything is done
    to them. (The keyword attacks' map of confusions is of another model, on adapter_val, one partner per class.) Where no such arm was
    scored, those of all adapters that were trained from a recipe. No prior and no explanation has a part in the choice.
    """
    recipes = {row["adapter_id"]: recipe_of(row["recipe_settings"]) for row in trainings.to_dict("records")}
    plain = {adapter_id for adapter_id, recipe in recipes.items() if recipe is not None and recipe.priors is None}
    own = confusions[confusions["adapter_id"].isin(plain)]
    if not len(own):
        own = confusions[confusions["adapter_id"].isin({adapter_id for adapter_id, recipe in recipes.items() if recipe is not None})]
    counts: dict[tuple[str, str], int] = {}
    for label, predicted, n in zip(own["label"], own["predicted"], own["n"], strict=True):
        if label != predicted:
            key = (min(label, predicted), max(label, predicted))
            counts[key] = counts.get(key, 0) + int(n)
    ranked = sorted(counts.items(), key=lambda found: (-found[1], found[0]))[:most]
    return [Pair(*labels, n) for labels, n in ranked]
