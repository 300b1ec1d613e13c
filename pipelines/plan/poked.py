"""How many rows of group inversion does a plan ask for, and what do they cost?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bronze.build import Examples, examples_of, first_examples
from lake.ledger import Cell
from pipelines.config import Config
from pipelines.plan.adapters import Adapters
from pipelines.plan.estimate import Line, Machine, stage_line
from pipelines.poked import poked_examples
from silver.inversion.forwards import forwards_per_example
from silver.specs import EXPLANATION_METRICS, INVERSION

if TYPE_CHECKING:
    from pipelines.run import Pipeline

STAGE = f"its group {INVERSION}"


def rows_per_example(config: Config) -> int:
    """Rows of group inversion of one example and adapter; 0 where they are not asked for."""
    asked = config.explanations.inversion
    return 0 if asked is None else len(asked.methods or config.explanations.methods) + len(asked.controls)


def poked_rows(pipeline: Pipeline, examples: Examples, adapters: Adapters, identity: str | None) -> tuple[int, int]:
    """Rows of group inversion (to do, done). `identity`: of its planned generation, None where it is not known yet."""
    config = pipeline.config
    meta = examples_of(pipeline.lake, examples, ("meta",), 1)
    inputs = poked_examples(first_examples(meta, config.examined), config.explanations)
    if inputs is None:
        return 0, 0
    each = rows_per_example(config) * inputs.n_examples
    wanted = {Cell(adapter_id, INVERSION): each for adapter_id in adapters.ids}
    done = 0 if identity is None else pipeline.ledger.rows_done(EXPLANATION_METRICS, identity, inputs.sha256, wanted)
    return each * adapters.n_scored - done, done


def poked_lines(config: Config, to_do: int, n_units: Sequence[int], forward: float, crowding: float, machine: Machine) -> list[Line]:
    """The stage of these rows, none where nothing is to do. `n_units`: of drawn examples; `forward`: seconds of one. A poke is drawn and
    added besides, which is little beside a forward of a model worth explaining; of a tiny one it can be as much again."""
    asked = config.explanations.inversion
    if asked is None or not to_do:
        return []
    methods = asked.methods or config.explanations.methods
    each = float(np.mean([forwards_per_example(methods, n, config.explanations.method_settings, asked) for n in n_units]))
    forwards = each * to_do / rows_per_example(config)
    own = Machine(machine.workers, {STAGE: machine.bytes_per_row[EXPLANATION_METRICS.full_name]})
    return [stage_line(STAGE, to_do, forwards, forwards * forward * crowding, own, config.execution.chunk_rows)]
