"""Is an explanation used or merely told afterwards? R, F and IS in every probe world, with controls, before and after refining."""

from __future__ import annotations

from gold.inversion.tables.keys import DOMAIN, EXPLAINER, MODEL
from gold.table import TAIL, count, share, signed
from lake.spec import DATASET, Column, Table


def _ends(name: str) -> tuple[Column, Column]:
    return share(f"{name}_ci_low", f"lower end of {name}'s interval over examples"), share(f"{name}_ci_high", "upper end")


SPEC = Table(
    layer="gold",
    name="inversion_summary",
    comment="R, F and inversion score (never read alone) of every method and control in a probe world, means over examples",
    key=("dataset", "domain", "model", "explainer", "slot", "psi", "refined", "lam", "p", "seed"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        DOMAIN,
        MODEL,
        EXPLAINER,
        Column("slot", "string", "untouched, or overwritten by psi M(x) + noise at test time", allowed=("untouched", "overwritten")),
        Column("psi", "double", "how strongly the slot echoes the output; 0 is the placebo, and stands beside untouched too", low=0.0),
        Column(
            "refined",
            "string",
            "none; literal and scale_free are Reproduce-by-Poking; shapley_stability; shrink is the control of scale_free: one factor",
            allowed=("none", "literal", "scale_free", "shapley_stability", "shrink"),
        ),
        Column("lam", "double", "lambda of the refinement, 0 without one", low=0.0),
        Column("p", "double", "exponent of the inversion score", low=0.0),
        Column("seed", "bigint", "of the model", low=0),
        share("reliance", "R: |correlation| over pokes of how far explanation and output move; describes, and judges nothing"),
        share(
            "faithfulness",
            "F: correlation over units of |a| with the effect of hiding the unit at zero, floored at 0; 1 by definition for occlusion",
        ),
        share("inversion_score", "IS of R and F; an exact explanation of a product has 0.707, a random one 0.60: read R and F beside it"),
        *_ends("reliance"),
        *_ends("faithfulness"),
        *_ends("inversion_score"),
        share("inversion_score_p1", "IS with exponent 1"),
        signed("delta_inversion_score", "IS minus that under the placebo, paired; null for the untouched input"),
        signed("reliance_over_oracle", "R minus that of the truth's own attribution; null where the truth is not known"),
        share("partial_reliance", "R given how far the units' true effects on this model move; null where these explain everything"),
        share("faithfulness_mean", "F where a hidden unit shows the training mean"),
        share("faithfulness_background", "F where a hidden unit shows those of training rows, effects averaged"),
        share("spurious_share", "share of |a| on the slot"),
        share("true_unit_share", "share of |a| on the units that are known to decide; null where nobody knows"),
        Column("model_sensitivity", "double", "|M(x) - M(x, slot at zero)|: what the model itself makes of the slot", low=0.0),
        share("model_sensitivity_share", "the same over the sum of all units' effects; an exact explainer's share of the slot"),
        Column("mean_delta", "double", "mean over units of what the refinement discounts by, before lambda", low=0.0),
        share("mass_kept", "sum of |a| after refining over that before"),
        share("rejected_pokes", "pokes of one unit that changed the prediction, and do not count"),
        Column("model_score", "double", "of the trained model on rows it has not seen: accuracy, or R2 of a regression", high=1.0),
        count("n_reliance", "examples whose R is known"),
        count("n_faithfulness", "examples whose F is known"),
        count("n_partial", "examples whose partial reliance is known"),
        count("n_null", "examples without an inversion score"),
        *TAIL,
    ),
)
