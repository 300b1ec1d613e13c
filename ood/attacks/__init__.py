"""Which attacks on texts are there? One file each; adding one is a file and its line in `ATTACKS`."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np

from ood.attacks import case_noise, homoglyphs, keyword_addition, keyword_deletion, keyword_replacement, typos
from ood.attacks.record import Attack, Attacked, Preserves
from ood.keywords import Keywords

ATTACKS: tuple[Attack, ...] = (
    keyword_addition.RECORD,
    keyword_replacement.RECORD,
    keyword_deletion.RECORD,
    typos.RECORD,
    case_noise.RECORD,
    homoglyphs.RECORD,
)

KEYWORD: tuple[str, ...] = tuple(record.name for record in ATTACKS if record.family == "keyword")
CHARACTER: tuple[str, ...] = tuple(record.name for record in ATTACKS if record.family == "character")

# In every settings_id of attacked texts. Raise it with any change of what an attack, a word of ood.words or ood.text_shifts makes of a
# text: edits made before and after must never stand in one generation. 2: only words that the model reads are edited.
ENGINE = 2

__all__ = ["ATTACKS", "CHARACTER", "ENGINE", "KEYWORD", "Attack", "Attacked", "Preserves", "attack", "by_name"]


def by_name(name: str) -> Attack:
    """The record of an attack. Raises ValueError, with the nearest names, when there is none."""
    for record in ATTACKS:
        if record.name == name:
            return record
    names = [record.name for record in ATTACKS]
    near = get_close_matches(name, names, n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(names)}"
    raise ValueError(f"no attack is called {name!r}: {hint}")


def attack(
    text: str,
    name: str,
    label: str,
    severity: int,
    rng: np.random.Generator,
    keywords: Keywords,
    preserves: Preserves | None = None,
) -> Attacked:
    """`text`, whose true label is `label`, under the named attack: the edited text, the rule and the touched positions.

    The same generator state gives the same edit; no model and no attribution has a part in it. With `preserves`, which says whether an
    edited text still has the label, edits are drawn again a bounded number of times, and a text that none fits stays as it is. Raises
    ValueError for an unknown name, for a severity that the attack does not have, and, of the keyword family, for a label that keywords
    were not found for.
    """
    return by_name(name).function(text, label, severity, rng, keywords, preserves)
