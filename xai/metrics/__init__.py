"""Which numbers do we compute about an explanation? One question per file; add a metric by adding a file and its lines here."""

from __future__ import annotations

from xai.metrics.curves import DELETION, DELETION_NORMALISED, INSERTION, INSERTION_NORMALISED, P_INTACT, Curve, deletion, insertion
from xai.metrics.entropy import ENTROPY, entropy
from xai.metrics.exemplar_agreement import EXEMPLAR_AGREEMENT, exemplar_agreement
from xai.metrics.exemplar_distance import EXEMPLAR_DISTANCE, exemplar_distance
from xai.metrics.exemplar_entropy import EXEMPLAR_ENTROPY, exemplar_entropy
from xai.metrics.exemplar_probability import EXEMPLAR_PROBABILITY, exemplar_probability
from xai.metrics.faithfulness import FAITHFULNESS, faithfulness
from xai.metrics.gains import DELETION_GAIN, DELETION_RANDOM, INSERTION_GAIN, INSERTION_RANDOM, deletion_gain, insertion_gain
from xai.metrics.gini import SPARSITY, gini
from xai.metrics.inversion_score import INVERSION_SCORE, inversion_score
from xai.metrics.reliance import RELIANCE, reliance
from xai.metrics.removal import (
    COMPREHENSIVENESS,
    COMPREHENSIVENESS_20,
    SUFFICIENCY,
    SUFFICIENCY_20,
    comprehensiveness,
    sufficiency,
)
from xai.metrics.reproduce_by_poking import RBP_MASS_KEPT, RBP_MEAN_DELTA, RBP_REJECTED
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
    RELIANCE,
    FAITHFULNESS,
    INVERSION_SCORE,
    RBP_MEAN_DELTA,
    RBP_MASS_KEPT,
    RBP_REJECTED,
    EXEMPLAR_ENTROPY,
    EXEMPLAR_AGREEMENT,
    EXEMPLAR_DISTANCE,
    EXEMPLAR_PROBABILITY,
)

__all__ = [
    "METRICS",
    "Curve",
    "comprehensiveness",
    "deletion",
    "deletion_gain",
    "entropy",
    "exemplar_agreement",
    "exemplar_distance",
    "exemplar_entropy",
    "exemplar_probability",
    "faithfulness",
    "gini",
    "insertion",
    "insertion_gain",
    "inversion_score",
    "precision_at_k",
    "reliance",
    "sufficiency",
    "truth_share",
]
