"""Which explanation metric separates correct from wrong best, over all rows and within adapters?"""

from __future__ import annotations

import pandas as pd

from gold.frames import INVERSION_FEATURES, PROVENANCE_FEATURES, XAI_FEATURES, Frames
from gold.table import TAIL, GoldTable, as_table, rank_column, share
from gold.tables import correlations
from lake.spec import DATASET, Column, Table

FEATURES = (*XAI_FEATURES, *INVERSION_FEATURES, *PROVENANCE_FEATURES)

SPEC = Table(
    layer="gold",
    name="xai_feature_ranking",
    comment="explanation metrics by |Pearson's r| with is_correct; what changes from pooled to within_adapter belonged to the adapters",
    key=("dataset", "method", "scope", "feature"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        Column("method", "string", "attribution whose metrics are the features; of group provenance the head"),
        Column("scope", "string", "pooled or within_adapter, see correlations", allowed=correlations.SCOPES),
        Column("feature", "string", "metric of the clean input; see correlations", allowed=FEATURES),
        rank_column("1 = largest |r| in the scope; null without an r. Of fewer examples (n) a large one is more often chance"),
        share("abs_pearson_r", "|Pearson's r| of metric and is_correct"),
        Column("abs_cohens_d", "double", "|Cohen's d| between correct and wrong", unit="sd", low=0.0),
        Column("separation_ratio", "double", "|difference of means| / (sd correct + sd wrong)", low=0.0),
        *TAIL,
    ),
)


def build(frames: Frames) -> pd.DataFrame:
    """One row per scope and metric, from the correlations given in `built`, else computed from the rows."""
    found = frames.built["correlations"] if "correlations" in frames.built else correlations.build(frames)
    found = found[found["feature"].isin(FEATURES)]
    ranked = found.assign(
        abs_pearson_r=found["pearson_r"].abs(),
        abs_cohens_d=found["cohens_d"].abs(),
        rank=found["pearson_r"].abs().groupby(found["scope"]).rank(method="min", ascending=False),
    )
    wanted = [name for name in SPEC.column_names if name not in ("dataset", "settings_id")]
    return as_table(SPEC, frames.dataset, ranked[wanted])


TABLE = GoldTable(SPEC, build, needs_rows=True)
