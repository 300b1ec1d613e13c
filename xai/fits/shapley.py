"""What does each unit add to p on average over all orders in which units can appear: exactly, or from drawn masks?"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from xai.estimate import Estimate, Packed, PackedP, fitted
from xai.fits.design import SHAPLEY_FIT, Design, ShapleyFit
from xai.fits.least_squares import X, applied
from xai.masks import coalitions
from xai.ragged import Group
from xai.units import BatchIncluded, Probability, Probability64

PerSize = Float64[NDArray[np.float64], "sizes"]
Marginal = Float64[NDArray[np.float64], "coalitions size"]


def fit_shapley(design: Design, p: Probability, included: BatchIncluded, settings: ShapleyFit = SHAPLEY_FIT) -> Estimate:
    """Shapley values φ of p, in its unit, unbounded sign: Σ φ = p(everything) - p(nothing) to rounding, for every example.

    `p` [batch, masks] answers `design.keep`. Enumerated examples get the definition itself, error 0. The others minimise the squared
    residual of p(nothing) + Σ visible φ over the drawn masks, weighted by the Shapley kernel, under that sum as an exact constraint and
    without a ridge. Where the masks do not determine φ (fewer distinct ones than units, mostly) φ is the minimiser of least norm: what
    the masks say nothing about is shared equally; its error is NaN. Else errors are the delete-one jackknife over drawn masks.
    Nothing is clipped. Raises ValueError when p is not of the design's shape. Source: Lundberg and Lee 2017; METHODS 9.
    """
    if np.shape(p) != design.keep.shape[:2]:
        raise ValueError(f"p must answer every mask of the design, {design.keep.shape[:2]}, got {np.shape(p)}")
    own = np.arange(design.keep.shape[1]) < design.lengths[:, None]
    answers = np.where(own, np.asarray(p, dtype=np.float64), 0.0)  # what an example did not ask cannot make it null

    def fit(group: Group, known: Probability64) -> tuple[Packed, Packed]:
        length = int(design.lengths[group.rows[0]])
        told = np.ascontiguousarray(known[group.rows, :length])
        if design.enumerated[group.rows[0]]:
            values = exact(told, group.size)
            return values, np.zeros_like(values)
        return from_masks(group.of_masks(design.keep)[:, : length - 1].astype(np.float64), told, settings.keep_probability)

    return fitted(answers, included, fit)


def exact(p: PackedP, size: int) -> Packed:
    """φ_j = Σ over coalitions S without j of |S|! (N - |S| - 1)! / N! · (p(S + j) - p(S)), p in the order of `coalitions`."""
    shows = coalitions(size)
    before = np.array([math.factorial(k) * math.factorial(size - k - 1) / math.factorial(size) for k in range(size)] + [0.0])
    seen = shows.sum(axis=1)[:, None]
    marginal: Marginal = np.where(shows, before[seen - 1], -before[seen])
    return (p[:, None, :] @ marginal)[:, 0]  # one product per example: a matrix of them all would round by the size of the batch


def from_masks(x: X, p: PackedP, keep_probability: float | None) -> tuple[Packed, Packed]:
    """φ and its errors from masks [group, masks, size], the first the intact one, and p of each and, last, of the empty mask."""
    size, nothing = x.shape[2], p[:, -1:]
    whole = p[:, :1] - nothing
    share = x.mean(axis=2)
    # φ = whole/N + ψ with Σ ψ = 0. Columns centred per mask are blind to the direction of equal ψ, so least norm keeps the sum at 0.
    centred = x - share[:, :, None]
    rest = p[:, :-1] - nothing - share * whole
    root = np.sqrt(kernel_weights(x, keep_probability))
    left, sizes, right = np.linalg.svd(root[:, :, None] * centred, full_matrices=False)
    told = sizes > sizes.max(axis=1, keepdims=True) * np.finfo(np.float64).eps * max(x.shape[1:])
    inverse = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=told)
    operator = right.transpose(0, 2, 1) @ (inverse[:, :, None] * left.transpose(0, 2, 1)) * root[:, None, :]
    values, error = applied(operator, centred, rest, np.zeros_like(rest))
    determined = told.sum(axis=1) == size - 1
    return whole / size + values, np.where(determined[:, None], error, np.nan)


def kernel_weights(x: X, keep_probability: float | None) -> PackedP:
    """Shapley kernel (N - 1) / (C(N, s) s (N - s)) of masks that show s of N units, the largest of an example scaled to 1.

    0 for masks that show all or nothing: the constraint speaks for them. Divided by q^s (1 - q)^(N - s) when q is given.
    """
    table = _log_kernel(x.shape[2], keep_probability)[x.sum(axis=2).astype(np.int64)]
    largest = table.max(axis=1, keepdims=True)
    weights: PackedP = np.exp(table - np.where(np.isfinite(largest), largest, 0.0))
    return weights


def _log_kernel(size: int, keep_probability: float | None) -> PerSize:
    log = np.full(size + 1, -np.inf)
    for seen in range(1, size):
        orders = math.lgamma(size + 1) - math.lgamma(seen + 1) - math.lgamma(size - seen + 1)
        log[seen] = math.log(size - 1) - orders - math.log(seen) - math.log(size - seen)
        if keep_probability is not None:
            log[seen] -= seen * math.log(keep_probability) + (size - seen) * math.log1p(-keep_probability)
    return log
