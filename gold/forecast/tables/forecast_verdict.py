"""Do explanations add anything over plain confidence? One row per protocol, by a rule fixed before the run."""

from __future__ import annotations

from gold.forecast.tables.forecast_comparison import PROTOCOL
from gold.forecast.verdict import VERDICTS
from gold.table import TAIL, count, signed
from lake.spec import DATASET, Column, Table


def _gain(name: str, of: str) -> tuple[Column, Column, Column]:
    return signed(name, of), signed(f"{name}_ci_low", f"lower end of {name}"), signed(f"{name}_ci_high", f"upper end of {name}")


def _added(name: str, of: str) -> tuple[Column, ...]:
    """Columns that tables made by an earlier version lack; such have no range."""
    return tuple(Column(column.name, "double", column.comment, added=True) for column in _gain(name, of))


SPEC = Table(
    layer="gold",
    name="forecast_verdict",
    comment="gain of confidence+xai over confidence with the headline learner, paired on the same rows, and the verdict of METHODS 4.2",
    key=("dataset", "protocol"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        PROTOCOL,
        Column("leaky", "boolean", "true where train and test share examples: no verdict counts there"),
        Column("model", "string", "headline learner: the higher AUROC on confidence inside the training rows"),
        Column("verdict", "string", "null with the reason where nothing can be computed", allowed=VERDICTS),
        Column("sentence", "string", "the verdict in plain words"),
        signed("delta_auroc", "AUROC of confidence+xai minus that of confidence"),
        signed("ci_low", "lower end of its interval"),
        signed("ci_high", "upper end of its interval"),
        Column(
            "min_detectable_delta",
            "double",
            "gain that the rule would find with 80 % power: 2.8 times the largest standard error of the three gains",
            low=0.0,
        ),
        *_gain("delta_within_adapter", "the same over pairs of one adapter"),
        *_gain("delta_over_control", "AUROC of confidence+xai minus that of confidence+shuffled_xai"),
        *_gain("delta_aurc", "AURC of confidence+xai minus that of confidence; below 0 is better"),
        Column("auroc_confidence", "double", "AUROC of confidence", low=0.0, high=1.0),
        Column("auroc_confidence_xai", "double", "AUROC of confidence+xai", low=0.0, high=1.0),
        Column("other_model", "string", "the other learner"),
        Column("other_verdict", "string", "its verdict", allowed=VERDICTS),
        signed("other_delta_auroc", "its gain"),
        Column("rule", "string", "the rule's bounds as canonical JSON"),
        Column("rule_sha256", "string", "hash of all settings of the forecast, the rule among them"),
        count("n_examples", "examples"),
        count("n_adapters", "adapters"),
        *TAIL,
        *_added("delta_attributions", "AUROC of confidence+attributions minus that of confidence; null where that set is none of its own"),
        *_added("delta_exemplars", "AUROC of confidence+xai minus that of confidence+attributions; null likewise"),
    ),
)
