"""How do many masked texts, and all labels behind each, become few token trees in which nothing common is read twice?

A tree is laid out in one row of tokens, parents before children; each token sees the shared prefix, its ancestors and itself, and its
position is its depth. Texts that begin alike share their beginning, labels that begin alike share theirs (the tree-shaped attention of
SpecInfer, arXiv 2305.09781, used here for scoring instead of drafting).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

ROOT = -1  # as a parent: the token before the tree, be it the prefix's last or the text's last
Path = tuple[int, ...]


@dataclass(frozen=True)
class LabelTree:
    """Labels that begin with the same tokens, sharing them. Only tokens that something follows are nodes: a label's last token is
    predicted, never read.

    `edges`: every (node that predicts, token predicted) once; node 0 is the text's last token, node k + 1 the tree's k-th.
    `label_edges[l]`: the edges that label l is the sum of.
    """

    tokens: Int64[np.ndarray, " nodes"]
    parents: Int64[np.ndarray, " nodes"]  # ROOT or an earlier node
    depths: Int64[np.ndarray, " nodes"]  # 1 for a first token
    edges: Int64[np.ndarray, "edges 2"]
    label_edges: tuple[tuple[int, ...], ...]

    def sums(self, edge_scores: Float64[np.ndarray, "rows edges"]) -> Float64[np.ndarray, "rows labels"]:
        """Log-probability of each whole label: the sum over its tokens."""
        flat = np.concatenate([np.asarray(edges) for edges in self.label_edges])
        starts = np.cumsum([0, *(len(edges) for edges in self.label_edges[:-1])])
        summed: Float64[np.ndarray, "rows labels"] = np.add.reduceat(edge_scores[:, flat], starts, axis=1)
        return summed


def label_tree(labels: Sequence[Path]) -> LabelTree:
    """The tree of labels given as token ids. ValueError for no label or one without a token."""
    if not labels or not all(labels):
        raise ValueError(
            f"at least one label, each of at least one token, is needed; found {len(labels)} labels, lengths {set(map(len, labels))}"
        )
    inner = sorted({ids[:stop] for ids in labels for stop in range(1, len(ids))})  # a path sorts before what continues it
    place = {path: number for number, path in enumerate(inner)}
    paths = sorted({ids[:stop] for ids in labels for stop in range(1, len(ids) + 1)})
    edge = {path: number for number, path in enumerate(paths)}
    return LabelTree(
        tokens=np.array([path[-1] for path in inner], dtype=np.int64),
        parents=np.array([place.get(path[:-1], ROOT) for path in inner], dtype=np.int64),
        depths=np.array([len(path) for path in inner], dtype=np.int64),
        edges=np.array([(place.get(path[:-1], ROOT) + 1, path[-1]) for path in paths], dtype=np.int64),
        label_edges=tuple(tuple(edge[ids[:stop]] for stop in range(1, len(ids) + 1)) for ids in labels),
    )


@dataclass(frozen=True)
class Pack:
    """One forward: a tree of tokens behind a prefix.

    `asked`: for each path of this pack, in order, the places of its last token and of its labels' nodes: where logits are read.
    """

    tokens: Int64[np.ndarray, " tokens"]
    depths: Int64[np.ndarray, " tokens"]  # 0 directly behind the prefix
    visible: Bool[np.ndarray, "tokens tokens"]
    asked: Int64[np.ndarray, "paths nodes"]


def packs(paths: Sequence[Path], labels: LabelTree, limit: int, step: int) -> Iterator[Pack]:
    """Trees of at most `limit` tokens that hold every path (distinct, sorted, none empty) with the labels behind it, in this order.

    A path that is longer alone has a tree of its own. Sizes are rounded up to a multiple of `step`, or to `limit` where that is less; what
    is added sees itself alone.
    Only the paths and settings decide which tokens stand together: the same call gives the same trees.
    """
    group: list[Path] = []
    size = 0
    for path in paths:
        more = len(path) - (shared_length(group[-1], path) if group else 0) + len(labels.tokens)
        if group and size + more > limit:
            yield _packed(group, labels, limit, step)
            group, size, more = [], 0, len(path) + len(labels.tokens)
        group.append(path)
        size += more
    if group:
        yield _packed(group, labels, limit, step)


def shared_length(left: Path, right: Path) -> int:
    """Number of tokens at the beginning that two sequences share."""
    shorter = min(len(left), len(right))
    if left[:shorter] == right[:shorter]:
        return shorter
    return next(place for place in range(shorter) if left[place] != right[place])


def _packed(group: Sequence[Path], labels: LabelTree, limit: int, step: int) -> Pack:
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    asked: list[list[int]] = []
    places: list[int] = []  # of the tokens of the path being laid out
    previous: Path = ()
    for path in group:
        del places[shared_length(previous, path) :]
        for token in path[len(places) :]:
            parents.append(places[-1] if places else ROOT)
            depths.append(len(places))
            places.append(len(tokens))
            tokens.append(token)
        last, first = places[-1], len(tokens)
        tokens += labels.tokens.tolist()
        parents += [last if parent == ROOT else first + parent for parent in labels.parents.tolist()]
        depths += [len(path) - 1 + depth for depth in labels.depths.tolist()]
        asked.append([last, *range(first, len(tokens))])
        previous = path
    rounded = -(-len(tokens) // step) * step
    size = min(rounded, limit) if len(tokens) <= limit else rounded
    return Pack(_filled(tokens, size), _filled(depths, size), _visible(parents, size), np.array(asked, dtype=np.int64))


def _filled(values: list[int], size: int) -> Int64[np.ndarray, " tokens"]:
    return np.array(values + [0] * (size - len(values)), dtype=np.int64)


def _visible(parents: list[int], size: int) -> Bool[np.ndarray, "tokens tokens"]:
    visible = np.zeros((size, size), dtype=bool)
    for place, parent in enumerate(parents):
        if parent != ROOT:
            visible[place] = visible[parent]
        visible[place, place] = True
    padding = np.arange(len(parents), size)
    visible[padding, padding] = True
    return visible
