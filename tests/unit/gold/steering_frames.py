"""A small text dataset by hand: recipes, trainings and frames that the tests of steered training share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gold.aggregates import clean
from gold.frames import Frames
from gold.settings import GoldSettings
from gold.steering.frames import ATTRIBUTIONS, CONFUSIONS, EXAMPLES, EXPLAINED, PRIORS, REFUSED, TextFrames
from gold.steering.inputs import PriorGeneration, Truth
from gold.steering.selections import choices_of, trained_on
from models.text_recipe import Choice, TextRecipe

LABELS = ("off", "on")
FULL = Choice()
SCORER = "llama"


def recipe(name: str = "plain", sources: str | None = None, control: str | None = None, **given: Any) -> TextRecipe:
    """A recipe; with `sources` ("cap+ig") or a control it is steered. `beta`, `n` and `fusion` are the prior's."""
    prior = {key: given.pop(key) for key in ("beta", "n", "fusion") if key in given}
    if sources is None and control is None:
        return TextRecipe.model_validate({"name": name, "use_dora": False, **given})
    prior |= {"sources": tuple(sources.split("+")) if sources else (), "control": control}
    return TextRecipe.model_validate({"name": name, "kind": "cap_hybrid", "use_dora": False, "priors": prior, **given})


def trainings(recipes: dict[str, TextRecipe | None], minutes: float = 0.5) -> pd.DataFrame:
    """Rows of silver.adapters by adapter id; None stands for an adapter from elsewhere."""
    rows = [
        (adapter_id, own.name if own else "foreign", own.model_dump_json() if own else None, minutes, "ready", None)
        for adapter_id, own in recipes.items()
    ]
    return pd.DataFrame(rows, columns=["adapter_id", "name", "recipe_settings", "minutes", "status", "reason"])


def cells(*rows: tuple[str, str, int, int, int]) -> pd.DataFrame:
    """(adapter, corruption, severity, n, n_correct) -> cells of one label."""
    found = pd.DataFrame(rows, columns=["adapter_id", "corruption", "severity", "n", "n_correct"])
    return found.assign(label="on", n_flipped=0, sum_confidence=0.0)


def pooled(*numbers: float) -> bytes:
    """A stored embedding."""
    return np.array(numbers, dtype="<f2").tobytes()


def examples(*rows: tuple[str, str, int, str | None, bytes | None]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(EXAMPLES))


def explained(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """(adapter, method, comprehensiveness, sufficiency, the same at 20 %)."""
    return pd.DataFrame(list(rows), columns=list(EXPLAINED))


def priors(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """(settings_id, example, source, scorer, target_id, values, text)."""
    split = [(*row[:-2], np.array(row[-2], dtype=np.float32), row[-1].split()) for row in rows]
    return pd.DataFrame(split, columns=list(PRIORS))


def refused(*rows: tuple[str, ...]) -> pd.DataFrame:
    """(settings_id, scorer, source, example, code)."""
    return pd.DataFrame(list(rows), columns=list(REFUSED))


def attributions(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """(adapter, example, label, values, text)."""
    split = [(*row[:-2], np.array(row[-2], dtype=np.float32), row[-1].split()) for row in rows]
    return pd.DataFrame(split, columns=list(ATTRIBUTIONS))


def confusions(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(CONFUSIONS))


def generation(identity: str, sources: str, scorer: str = SCORER, choice: Choice = FULL, n: int = 100, **given: Any) -> PriorGeneration:
    return PriorGeneration(identity, scorer, tuple(sources.split("+")), choice, 0 if sources == "ig" else n, **given)


def frames(
    own_cells: pd.DataFrame | None = None,
    truth: Truth | None = None,
    settings: GoldSettings | None = None,
    separations: pd.DataFrame | None = None,
    **given: Any,
) -> Frames:
    """Frames of the dataset `intents` with these text frames, and logistic regression on their examples."""
    if own_cells is not None:
        given = {"answered": clean(own_cells).groupby("adapter_id", as_index=False)[["n", "n_correct"]].sum()} | given
    text = TextFrames(LABELS, attacks=("keyword_addition", "keyword_deletion"), truth=truth, **given)
    rest: dict[str, Any] = {} if own_cells is None else {"cells": own_cells}
    rest |= {} if separations is None else {"separations": separations}
    linear = trained_on(text.examples, choices_of(text.trainings), len(LABELS))
    return Frames("intents", settings=settings or GoldSettings(), text=text, linear=linear, **rest)
