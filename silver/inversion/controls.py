"""What do explanations that know nothing of the input say of it and its pokes: noise, and the model's output told again?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lake.identity import rng
from silver.inversion.figures import Outputs, Poked
from silver.inversion.pokes import Pokes
from xai.attribution import random
from xai.inversion import OUTPUT_ECHO, output_echo


def control(name: str, outputs: Outputs, pokes: Pokes, seed: int) -> Poked:
    """The attributions of one control. `random`: of the example the draw that every group's control of that name is, of each poke one of
    its own, for one draw for all would not move (METHODS 0). ValueError for a name that is no control."""
    if name == "random":
        return _random(pokes, seed)
    if name == OUTPUT_ECHO:
        return _echo(outputs, pokes)
    raise ValueError(f"a control of inversion is random or {OUTPUT_ECHO}, found {name!r}")


def _random(pokes: Pokes, seed: int) -> Poked:
    keys: Sequence[tuple[str | int, ...]] = [(), *(pokes.key(poke) for poke in range(len(pokes)))]
    generators = [rng(seed, pokes.example_id, "random", *key) for key in keys]
    drawn = random(generators, len(pokes.units)).astype(np.float64)
    alone = drawn[1 + pokes.n_whole :].reshape(len(pokes.units), -1, len(pokes.units))
    each = np.arange(len(pokes.units))
    return Poked(drawn[0], drawn[1 : 1 + pokes.n_whole], alone[each, :, each])


def _echo(outputs: Outputs, pokes: Pokes) -> Poked:
    n = len(pokes.units)
    told = output_echo(np.array([outputs.clean, *outputs.whole]), np.ones((1 + len(outputs.whole), n), dtype=bool))
    return Poked(told[0], told[1:], outputs.alone / n)
