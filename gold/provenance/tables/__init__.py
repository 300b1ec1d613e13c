"""Which tables does provenance fill? One file per table."""

from gold.provenance.tables import (
    provenance_causal,
    provenance_class_errors,
    provenance_epochs,
    provenance_generated,
    provenance_generation,
    provenance_mislabels,
    provenance_robustness,
    provenance_summary,
    provenance_verdict,
)

TABLES = (
    provenance_summary.SPEC,
    provenance_epochs.SPEC,
    provenance_robustness.SPEC,
    provenance_class_errors.SPEC,
    provenance_mislabels.SPEC,
    provenance_causal.SPEC,
    provenance_generation.SPEC,
    provenance_generated.SPEC,
    provenance_verdict.SPEC,
)
