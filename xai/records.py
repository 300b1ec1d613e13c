"""What do we say about every attribution method and every metric, besides its function?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Needs = Literal["attention", "value", "gradient", "truth", "nothing"]
Sign = Literal["signed", "size", "none"]
Direction = Literal["higher", "lower", "none"]


@dataclass(frozen=True)
class Method:
    """One attribution method: a function of the same name in `xai.attribution`.

    `needs` is what it asks for: `attention` (last layer's weights), `value` (p under masks), `gradient`, `truth` (which units decide, of
    data whose makers know it), or `nothing`. `direction`: `signed` speaks for the target above 0 and against it below, `size` is never
    negative and larger says more, `none` says nothing. `forwards`: model calls for one example of N units, with n masks where drawn.
    `control`: says nothing about the model and exists so that a metric can be seen to tell it apart.
    """

    name: str
    modalities: tuple[str, ...]
    category: str
    needs: Needs
    unit: str
    paper: str
    direction: Sign
    forwards: str
    control: bool = False


@dataclass(frozen=True)
class Metric:
    """One number about one attribution of one example.

    `direction` is the better side for faithfulness; `none` where the number describes and does not judge.
    `low` and `high` bound it inclusively (infinite where unbounded); null (NaN) is always possible and never stands for 0.
    """

    name: str
    category: str
    direction: Direction
    low: float
    high: float
    unit: str
    paper: str
