"""Which numbers do we compute about an explanation? One question per file; add a metric by adding a file and its lines here."""

from __future__ import annotations

from xai.metrics.curves import DELETION, DELETION_NORMALISED, INSERTION, INSERTION_NORMALISED, P_INTACT, Curve, deletion, insertion
from xai.metrics.entropy import ENTROPY, entropy
from xai.metrics.gains import DELETION_GAIN, DELETION_RANDOM, INSERTION_GAIN, INSERTION_RANDOM, deletion_gain, insertion_gain
from xai.metrics.gini import SPARSITY, gini
from xai.metrics.removal import (
    COMPREHENSIVENESS,
    COMPREHENSIVENESS_20,
    SUFFICIENCY,
    SUFFICIENCY_20,
    comprehensiveness,
    sufficiency,
)
from xai.metrics.truth import PRECISION_AT_K, TRUTH_SHARE, precision_at_k, truth_share
from xai.records import Metric

METRICS: tuple[Metric, ...] = (
    ENTROPY,
    SPARSITY,
    DELETION,
    INSERTION,
    DELETION_NORMALISED,
    INSERTION_NORMALISED,
    DELETION_RANDOM,
    INSERTION_RANDOM,
    DELETION_GAIN,
    INSERTION_GAIN,
    P_INTACT,
    COMPREHENSIVENESS,
    SUFFICIENCY,
    COMPREHENSIVENESS_20,
    SUFFICIENCY_20,
    PRECISION_AT_K,
    TRUTH_SHARE,
)

__all__ = [
    "METRICS",
    "Curve",
    "comprehensiveness",
    "deletion",
    "deletion_gain",
    "entropy",
    "gini",
    "insertion",
    "insertion_gain",
    "precision_at_k",
    "sufficiency",
    "truth_share",
]
