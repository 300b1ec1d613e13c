"""Gold: what is worth knowing about a dataset, one table per question. Adding a table = one file in `gold/tables` and one line here.

The order is the build order: a table may read those before it through `Frames.built`. Where the dataset is of texts, corruption stands for
attack in every name and column.
"""

from __future__ import annotations

from gold import attack_reach
from gold.table import GoldTable
from gold.tables import (
    adapter_ranking,
    adapter_summary,
    cap_hybrid_arms,
    cap_hybrid_training,
    classifier_comparison,
    correlations,
    corruption_settings,
    degradation,
    feature_importance,
    out_of_scope,
    prior_correlations,
    prior_homogeneity,
    prior_precision,
    prior_top_words,
    qualitative_summary,
    quantitative_summary,
    rank_effect,
    slices,
    training_summary,
    worst_corruption,
    xai_feature_ranking,
)

TABLES: tuple[GoldTable, ...] = (
    corruption_settings.TABLE,
    training_summary.TABLE,
    adapter_summary.TABLE,
    adapter_ranking.TABLE,
    slices.TABLE,
    degradation.TABLE,
    worst_corruption.TABLE,
    rank_effect.TABLE,
    correlations.TABLE,
    xai_feature_ranking.TABLE,
    classifier_comparison.TABLE,
    feature_importance.TABLE,
    quantitative_summary.TABLE,
    qualitative_summary.TABLE,
    out_of_scope.TABLE,
    cap_hybrid_training.TABLE,
    cap_hybrid_arms.TABLE,
    prior_correlations.TABLE,
    prior_top_words.TABLE,
    prior_homogeneity.TABLE,
    prior_precision.TABLE,
)

VIEWS: dict[str, str] = {degradation.WIDE_VIEW: degradation.WIDE_SQL, attack_reach.VIEW: attack_reach.SQL}
"""Views of gold by name: SELECT text that both Spark and DuckDB accept, reading `<layer>.<table>`."""
