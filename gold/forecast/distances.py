"""How far from what adapters were trained on does an example lie, in the backbone's own space?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gold.statistics.estimate import Codes, Floats


def distances(
    train: Floats, labels: Codes, asked: Floats, neighbours: int, components: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(kNN distance, centroid margin) of each asked vector, float64[asked] each; NaN without training vectors (margin: below two classes).

    train float64[n, d] with labels int[n], asked float64[m, d]; both are centred and reduced to the leading `components` principal axes of
    `train`. kNN distance: mean Euclidean distance to the nearest `neighbours` training vectors. Centroid margin: distance to the second
    nearest class centre minus that to the nearest, >= 0; small where two classes are close.
    """
    if not len(train) or not len(asked):
        nothing = np.full(len(asked), np.nan)
        return nothing, nothing.copy()
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    axes = PCA(min(components, len(train), train.shape[1]), svd_solver="full").fit(train)
    known, other = axes.transform(train), axes.transform(asked)
    found, _ = NearestNeighbors(n_neighbors=min(neighbours, len(known)), algorithm="brute").fit(known).kneighbors(other)
    names = np.unique(labels)
    if len(names) < 2:
        return found.mean(axis=1), np.full(len(asked), np.nan)
    centres = np.stack([known[labels == name].mean(axis=0) for name in names])
    to_centres = np.sort(np.linalg.norm(other[:, None, :] - centres[None, :, :], axis=2), axis=1)
    return found.mean(axis=1), to_centres[:, 1] - to_centres[:, 0]
