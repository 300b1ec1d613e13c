"""Which training examples stand behind an answer, and behind a generated picture?"""

from __future__ import annotations

from pipelines.report.failures.details import SETTINGS
from pipelines.report.markup import Markup, joined
from pipelines.report.provenance.examples import EXAMPLES
from pipelines.report.provenance.grid import GENERATED, GENERATION, grid
from pipelines.report.provenance.networks import SUMMARY, VERDICT, networks
from pipelines.report.provenance.wrong import EXEMPLARS, HEADS, PREDICTIONS, wrong_answers
from pipelines.report.section import Section
from pipelines.report.source import Reading


def draw(reading: Reading) -> Markup | None:
    """Networks beside kNN, wrong answers with their exemplars, and generated pictures with theirs: whatever the lake has."""
    parts = [part for part in (networks(reading), wrong_answers(reading), grid(reading)) if part is not None]
    return joined(parts) if parts else None


SECTION = Section(
    "provenance",
    "Which training examples stand behind it",
    "Provenance",
    (),
    draw,
    one_of=(SUMMARY, GENERATION, GENERATED, EXEMPLARS),
    also=(VERDICT, HEADS, PREDICTIONS, EXAMPLES, SETTINGS),
)
