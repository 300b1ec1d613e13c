"""Which statistics does gold know? Association, contrast, separation, interval; each is null with a reason where there is none."""

from gold.statistics.contrast import (
    Contrast,
    cohens_d,
    contrast,
    effect_size_label,
    separation_ratio,
    separation_ratio_pooled,
)
from gold.statistics.correlation import pearson, point_biserial, spearman
from gold.statistics.estimate import Estimate
from gold.statistics.intervals import (
    Interval,
    cluster_counts,
    clustered_pearson_interval,
    mean_interval,
    percentile_interval,
    wilson,
)
from gold.statistics.separation import Separation, separation

__all__ = [
    "Contrast",
    "Estimate",
    "Interval",
    "Separation",
    "cluster_counts",
    "clustered_pearson_interval",
    "cohens_d",
    "contrast",
    "effect_size_label",
    "mean_interval",
    "pearson",
    "percentile_interval",
    "point_biserial",
    "separation",
    "separation_ratio",
    "separation_ratio_pooled",
    "spearman",
    "wilson",
]
