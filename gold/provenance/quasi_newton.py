"""Where do many smooth convex functions of the same shape have their minima? L-BFGS on all of them at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # [problems, ...]: one point per problem
Step = Callable[[Points], Points]
MEMORY = 15  # pairs of steps and gradient changes that are remembered
OVERSHOOT = 0.5  # a step is shortened until the slope behind it is at most this part of the one it began with
SHORTENINGS = 30


def minimise(gradient: Step, start: Points, solve: Step, tolerance: float, iterations: int) -> tuple[Points, NDArray[np.float64]]:
    """The points reached, and the norm of each one's gradient, float64[problems]; a problem is left alone from `tolerance` on.

    `solve` applies a fixed positive definite guess at the inverse Hessian, the preconditioner. Only gradients are compared: differences of
    the functions themselves drown in rounding long before their gradients do. The caller must look whether the norms are small enough.
    """
    point, slope = start, gradient(start)
    memory: list[tuple[Points, Points, Points]] = []
    for _ in range(iterations):
        active = _norm(slope) > tolerance
        if not active.any():
            break
        direction = -_two_loops(slope, memory, solve) * _wide(active.astype(np.float64), slope)
        step, reached = _line_search(gradient, point, slope, direction)
        change = reached - slope
        memory = [*memory, (step, change, _inverse(_dot(step, change)))][-MEMORY:]
        point, slope = point + step, reached
    return point, _norm(slope)


def _two_loops(slope: Points, memory: list[tuple[Points, Points, Points]], solve: Step) -> Points:
    """The L-BFGS product of the inverse Hessian with `slope` (Nocedal & Wright, algorithm 7.4), per problem."""
    kept, found = [], slope
    for step, change, inverse in reversed(memory):
        part = inverse * _dot(step, found)
        found = found - _wide(part, found) * change
        kept.append(part)
    found = solve(found)
    for (step, change, inverse), part in zip(memory, reversed(kept), strict=True):
        found = found + _wide(part - inverse * _dot(change, found), found) * step
    return found


def _line_search(gradient: Step, point: Points, slope: Points, direction: Points) -> tuple[Points, Points]:
    """The step taken per problem, and the gradient behind it: the whole direction, or by secants less of it."""
    before, length = _dot(direction, slope), np.ones(len(point))
    for _ in range(SHORTENINGS):
        step = _wide(length, point) * direction
        reached = gradient(point + step)
        after = _dot(direction, reached)
        far = after > OVERSHOOT * np.abs(before)
        if not far.any():
            break
        length = np.where(far, length * np.clip(before / np.where(far, before - after, -1.0), 0.1, 0.7), length)
    return step, reached


def _dot(left: Points, right: Points) -> NDArray[np.float64]:
    axes = tuple(range(1, left.ndim))
    return np.asarray((left * right).sum(axis=axes))


def _norm(points: Points) -> NDArray[np.float64]:
    return np.sqrt(_dot(points, points))


def _wide(values: NDArray[np.float64], like: Points) -> NDArray[np.float64]:
    return values.reshape(-1, *(1,) * (like.ndim - 1))


def _inverse(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / value, and 0 where a problem took no step: the pair then says nothing."""
    return np.where(values > 0, 1.0 / np.where(values > 0, values, 1.0), 0.0)
