"""Which sections has the page, in which order? One file each; adding one is a file and its line in `SECTIONS`."""

from __future__ import annotations

from pipelines.report.section import Section
from pipelines.report.sections import (
    adapters,
    arms,
    correlations,
    coverage,
    degradation,
    failures,
    forecasts,
    importance,
    learners,
    metrics,
    provenance,
    reliability,
    training,
    verdict,
)

SECTIONS: tuple[Section, ...] = (
    verdict.SECTION,
    adapters.SECTION,
    degradation.SECTION,
    forecasts.SECTION,
    reliability.SECTION,
    coverage.SECTION,
    correlations.SECTION,
    metrics.SECTION,
    training.SECTION,
    arms.SECTION,
    learners.SECTION,
    importance.SECTION,
    failures.SECTION,
    provenance.SECTION,
)

__all__ = ["SECTIONS", "Section"]
