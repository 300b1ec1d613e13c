"""What would a class head say that was trained to the end on frozen features, with all training examples or without some of them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from gold.provenance.quasi_newton import Points, minimise
from models.provenance.slots import Positions

Floats = NDArray[np.float64]
Features = NDArray[np.float32] | NDArray[np.float64]
# Of the gradient's norm at zero weights. On 3,000 examples of 512 numbers and 10 classes it leaves p within 1e-8 where the features have
# length 5, and within 5e-6 for a conv net's of length 53 whose first direction is 125 times as long as its hundredth. A refit takes 0.1 to
# 0.45 s on one core.
TOLERANCE = 1e-10
ROUNDS, PER_ROUND, PER_REFIT = 60, 25, 500
LOGITS = 1_000_000  # held at once: refits run side by side, in parts


@dataclass(frozen=True)
class Head:
    """`weight` float64[d, C] and `bias` float64[C]; the bias of a class without training examples is -inf."""

    weight: Floats
    bias: Floats

    def probabilities(self, features: Features) -> Floats:
        """float64[n, C] of features [n, d]; exactly 0 for a class without training examples."""
        return _softmax(features.astype(np.float64) @ self.weight + self.bias)


@dataclass(frozen=True)
class FrozenHead:
    """The head on all training examples, and what its refits need. `rows` float64[N, r + 1]: the features within the space they span, and
    a 1 for the bias; `basis` [d, r] of that space, None for the features' own."""

    head: Head
    labels: Positions
    l2: float
    rows: Floats
    basis: Floats | None

    def without(self, removed: Sequence[Positions]) -> Iterator[Head]:
        """Per set of training positions the head fitted without them, started from the head on all: the minimum is the same from any
        start. Raises ValueError where a set leaves nothing, names what is not there, or the fit does not end."""
        start = self._inside()
        preconditioner = _Preconditioner(self.rows, _shut(self.labels, len(self.head.bias), [np.zeros(0, np.int64)]), self.l2, start)
        together = max(1, LOGITS // (len(self.rows) * len(self.head.bias)))
        for first in range(0, len(removed), together):
            part = [np.unique(one) for one in removed[first : first + together]]
            problem = _problem(self.rows, self.labels, len(self.head.bias), self.l2, part)
            points, norms = minimise(problem.gradient, np.repeat(start, len(part), 0), preconditioner.solve, problem.tolerance, PER_REFIT)
            _ended(norms, problem.tolerance)
            yield from (_head(point, shut, self.basis) for point, shut in zip(points, problem.shut, strict=True))

    def _inside(self) -> Points:
        weight = self.head.weight if self.basis is None else self.basis.T @ self.head.weight
        bias = np.where(np.isfinite(self.head.bias), self.head.bias, 0.0)
        return np.vstack([weight, bias])[None]


def fit_head(features: Features, labels: Positions, n_classes: int, l2: float) -> FrozenHead:
    """Multinomial logistic regression: the minimum of the summed cross-entropy plus l2 / 2 times the squared weights, without the bias
    (scikit-learn's C is 1 / l2). float64, deterministic, started at zero.

    features [N, d], labels int64[N] in 0..n_classes - 1; l2 above 0 makes the minimum unique but for a constant on all biases, whose
    mean is held at 0. A class without examples gets probability 0, the limit of its bias. Where N < d the fit runs in the space that the
    examples span: the weights of the minimum lie in it. Memory: 8 C (d + 1)^2 bytes. Raises ValueError on bad input, or where the fit
    does not end.
    """
    _check(features, labels, n_classes, l2)
    basis = np.linalg.qr(features.astype(np.float64).T)[0] if len(features) < features.shape[1] else None
    rows = features.astype(np.float64) if basis is None else features.astype(np.float64) @ basis
    rows = np.column_stack([rows, np.ones(len(rows))])
    problem = _problem(rows, labels, n_classes, l2, [np.zeros(0, dtype=np.int64)])
    point = np.zeros((1, rows.shape[1], n_classes))
    for _ in range(ROUNDS):
        preconditioner = _Preconditioner(rows, problem.shut, l2, point)
        point, norms = minimise(problem.gradient, point, preconditioner.solve, problem.tolerance, PER_ROUND)
        if norms[0] <= problem.tolerance:
            break
    _ended(norms, problem.tolerance)
    return FrozenHead(_head(point[0], problem.shut[0], basis), labels, l2, rows, basis)


@dataclass(frozen=True)
class _Problem:
    """The loss on all rows but, per problem, those of `gone` (their places, and the problem of each)."""

    rows: Floats
    targets: Floats  # one-hot, [N, C]
    l2: float
    gone: tuple[Positions, Positions]
    shut: NDArray[np.bool_]  # [problems, C]: classes without an example
    tolerance: float = 0.0

    def gradient(self, points: Points) -> Points:
        """float64[problems, r + 1, C], of weights and bias in that shape."""
        n, width, classes = points.shape
        logits = (self.rows @ points.transpose(1, 0, 2).reshape(width, n * classes)).reshape(-1, n, classes)
        logits[:, self.shut] = -np.inf
        errors = _softmax(logits) - self.targets[:, None, :]
        errors[self.gone] = 0.0
        found = (self.rows.T @ errors.reshape(-1, n * classes)).reshape(width, n, classes).transpose(1, 0, 2)
        found[:, :-1] += self.l2 * points[:, :-1]
        return found


def _problem(rows: Floats, labels: Positions, n_classes: int, l2: float, removed: Sequence[Positions]) -> _Problem:
    gone = np.concatenate(removed), np.repeat(np.arange(len(removed)), [len(one) for one in removed])
    if len(gone[0]) and (gone[0].min() < 0 or gone[0].max() >= len(labels)):
        raise ValueError(f"training positions must lie in 0..{len(labels) - 1}, found {gone[0].min()}..{gone[0].max()}")
    shut = _shut(labels, n_classes, removed)
    if shut.all(axis=1).any():
        raise ValueError(f"a head needs training examples; found a set that removes all {len(labels)}: remove fewer")
    targets = np.eye(n_classes)[labels]
    at_zero = rows.T @ (1.0 / n_classes - targets)
    return _Problem(rows, targets, l2, gone, shut, TOLERANCE * float(np.linalg.norm(at_zero)))


def _shut(labels: Positions, n_classes: int, removed: Sequence[Positions]) -> NDArray[np.bool_]:
    sizes = np.bincount(labels, minlength=n_classes)
    return np.stack([sizes == np.bincount(labels[one], minlength=n_classes) for one in removed])


class _Preconditioner:
    """The Hessian at one point, class by class, on steps that sum to 0 over the classes, as those of all minima do: the direction of equal
    steps for all classes is curved by l2 alone, which no block knows. (With the whole Hessian, of 5,130 unknowns, a refit took half the
    steps but as many seconds, and 200 MB.) The bias is held by l2 here, so that each block has an inverse."""

    def __init__(self, rows: Floats, shut: NDArray[np.bool_], l2: float, point: Points) -> None:
        logits = rows @ point[0]
        logits[:, shut[0]] = -np.inf
        p = _softmax(logits)
        spread = p * (1.0 - p)
        self.factors = [cho_factor((rows * w[:, None]).T @ rows + l2 * np.eye(rows.shape[1])) for w in spread.T]

    def solve(self, points: Points) -> Points:
        level = points - points.mean(axis=2, keepdims=True)
        found = np.stack([cho_solve(factor, level[:, :, c].T).T for c, factor in enumerate(self.factors)], axis=2)
        return np.asarray(found - found.mean(axis=2, keepdims=True))


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _head(point: Floats, shut: NDArray[np.bool_], basis: Floats | None) -> Head:
    weight = np.where(shut, 0.0, point[:-1])
    bias = np.where(shut, -np.inf, point[-1] - point[-1][~shut].mean())
    return Head(weight if basis is None else basis @ weight, bias)


def _check(features: Features, labels: Positions, n_classes: int, l2: float) -> None:
    if features.ndim != 2 or labels.shape != (len(features),) or len(features) == 0 or not np.isfinite(features).all():
        raise ValueError(f"a head needs finite features [N, d] and N labels, found {features.shape} and {labels.shape}")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels must lie in 0..{n_classes - 1}, found {labels.min()}..{labels.max()}")
    if not l2 > 0:
        raise ValueError(f"l2 must be above 0, or separable classes have no minimum; found {l2}")


def _ended(norms: NDArray[np.float64], tolerance: float) -> None:
    if not (norms <= tolerance).all():
        raise ValueError(f"the head's gradient must fall to {tolerance:.1e}, found {norms.max():.1e}: raise l2 or scale the features down")
