"""Which coefficients fit an example's answers best, and how far would they move with other masks?

Every function takes a group of examples of one size and solves them in one call; each example's bits are those it has alone.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from xai.estimate import Packed, PackedP

X = Float64[NDArray[np.float64], "group masks size"]
Operator = Float64[NDArray[np.float64], "group size masks"]
Square = Float64[NDArray[np.float64], "group size size"]

PINNED = 1e-9  # a mask with a leverage this close to 1 is fitted by itself alone: without it its direction is unknown


def ridge(x: X, y: PackedP, weights: PackedP, penalty: float, intercept: bool) -> tuple[Packed, Packed]:
    """argmin over b of Σ_i w_i (y_i - a - x_i·b)² + penalty ||b||² per example, by Cholesky, and the standard errors of b.

    With `intercept` a is free and not penalised (weighted means are taken off first), else 0. `weights` >= 0 multiply the squared
    residual, as scikit-learn's sample_weight; penalty > 0. Errors: see `jackknife`. Where units outnumber masks, the system of the masks
    is solved, which has the same solution: with X = √w x, (XᵀX + λI)⁻¹Xᵀ = Xᵀ(XXᵀ + λI)⁻¹, the smaller of the two.
    """
    held = np.zeros_like(y)  # leverage of the intercept
    if intercept:
        share = weights / weights.sum(axis=1, keepdims=True)
        x = x - share[:, None, :] @ x
        y = y - (share * y).sum(axis=1, keepdims=True)
        held = share
    root = np.sqrt(weights)
    rows = root[:, :, None] * x
    columns = np.ascontiguousarray(rows.transpose(0, 2, 1))
    few_units = x.shape[2] <= x.shape[1]
    gram = (columns @ rows if few_units else rows @ columns) + penalty * np.eye(min(x.shape[1:]))
    inverse = lower_inverse(np.asarray(np.linalg.cholesky(gram), dtype=np.float64))
    back = inverse.transpose(0, 2, 1)
    operator = (back @ (inverse @ columns) if few_units else (columns @ back) @ inverse) * root[:, None, :]
    return applied(operator, x, y, held)


def applied(operator: Operator, x: X, y: PackedP, held: PackedP) -> tuple[Packed, Packed]:
    """Coefficients operator·y of a linear fit and their errors. `held`: what an intercept adds to the masks' leverage."""
    coefficients = (operator @ y[:, :, None])[:, :, 0]
    residual = y - (x @ coefficients[:, :, None])[:, :, 0]
    leverage = (x.transpose(0, 2, 1) * operator).sum(axis=1) + held
    return coefficients, jackknife(operator, residual, leverage)


def jackknife(operator: Operator, residual: PackedP, leverage: PackedP) -> Packed:
    """Standard error of coefficients over the draw of masks: sqrt((m - 1) / m · Σ_i (d_i - mean d)²) over the m drawn masks.

    d_i = operator_i · residual_i / (1 - leverage_i) is exactly how far the coefficients move when mask i is left out, so this is
    the delete-one jackknife without refitting. The first mask is always there, is no draw, and is never left out. The residual variance
    enters mask by mask: a model is no line plus equal noise, what is left over grows with what is hidden. NaN where fewer
    than two masks were drawn, or one of them alone tells about some direction (leverage 1).
    """
    slack = 1.0 - leverage[:, 1:]
    free = slack > PINNED
    drawn = residual.shape[1] - 1
    moved = operator[:, :, 1:] * np.where(free, residual[:, 1:] / np.where(free, slack, 1.0), 0.0)[:, None, :]
    about = moved - moved.mean(axis=2, keepdims=True)
    error = np.sqrt((drawn - 1) / drawn * (about**2).sum(axis=2))
    told = free.all(axis=1) & (drawn > 1)
    return np.where(told[:, None], error, np.nan)


def lower_inverse(lower: Square) -> Square:
    """Inverse of lower triangular matrices by forward substitution, row after row, all examples at once."""
    inverse = np.zeros_like(lower)
    for row in range(lower.shape[1]):
        inverse[:, row, row] = 1.0
        inverse[:, row] -= (lower[:, row, None, :row] @ inverse[:, :row])[:, 0]
        inverse[:, row] /= lower[:, row, row, None]
    return inverse
