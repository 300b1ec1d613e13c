"""Which tables do probe worlds fill? One file per table."""

from gold.inversion.tables import inversion_summary, inversion_sweep, inversion_verdict

TABLES = (inversion_summary.SPEC, inversion_sweep.SPEC, inversion_verdict.SPEC)
