"""How many forwards does it take to ask whether the explanations of one example are used?"""

from __future__ import annotations

from collections.abc import Collection

from silver.inversion.settings import PokingSettings
from silver.methods import FROM_DRAWN_MASKS, MethodSettings


def forwards_per_example(methods: Collection[str], n_units: int, settings: MethodSettings, asked: PokingSettings) -> int:
    """Model calls for one example of `n_units` units under one adapter, all of `methods` together: the most that can be.

    Two of the clean input, one per poke, and one without each unit besides the one with all. A step of integrated gradients counts as one,
    and costs about three. Masks that are drawn twice, or hide what was poked, are asked once.
    """
    alone = asked.repeats * n_units
    total = 2 + asked.pokes + alone + n_units + 1
    if "occlusion" in methods:
        total += (1 + asked.pokes) * (n_units + 1) + alone
    if "ig" in methods:
        total += settings.ig_steps * (asked.pokes + alone)
    if "attention_rollout" in methods:
        total += asked.pokes + alone
    enumerated = n_units <= settings.shapley.enumerate_up_to
    drawn = bool({*FROM_DRAWN_MASKS} & set(methods)) or ("kernel_shap" in methods and not enumerated)
    masks = settings.masks.n * drawn + (2**n_units if "kernel_shap" in methods and enumerated else 0)
    return total + masks * (1 + asked.pokes + alone)
