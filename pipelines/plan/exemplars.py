"""How many rows of silver.exemplars, and of group provenance, does a plan ask for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bronze.build import Examples, examples_of, first_examples
from bronze.specs import EMBEDDINGS
from lake.identity import settings_id
from lake.ledger import Cell
from pipelines.plan.adapters import Adapters
from silver.build import SilverIds
from silver.exemplars.specs import EXEMPLARS
from silver.specs import EXPLANATION_METRICS, PROVENANCE

if TYPE_CHECKING:
    from models.backbone_record import AnyBackbone
    from pipelines.run import Pipeline

STAGE = f"its group {PROVENANCE}"
Rows = tuple[int, int]  # to do, done


def exemplar_rows(
    pipeline: Pipeline, examples: Examples, adapters: Adapters, backbone: AnyBackbone | None, silver: SilverIds | None
) -> tuple[Rows, Rows]:
    """Rows of silver.exemplars, and of group provenance. Before all examples are embedded nobody knows the identity of a head: nothing is
    done. Both cost little beside a forward of anything: a product with the training examples' weights, and four numbers."""
    config = pipeline.config
    n_heads = len(config.exemplars.heads) and 1 + len(config.exemplars.heads)
    meta = examples_of(pipeline.lake, examples, ("meta",), 1)
    examined = first_examples(meta, config.examined)
    k, of_adapter = config.exemplars.k * meta.n_examples, examined.n_examples
    named, supported = n_heads * k, n_heads * of_adapter * adapters.n_scored
    if not n_heads or backbone is None or silver is None:
        return (named, 0), (supported, 0)
    scoring = pipeline.scoring(backbone, config.scoring.dtype, config.scoring.batch_size)
    if not pipeline.ledger.complete(EMBEDDINGS, pipeline.embeddings_id(examples, scoring), Cell(), examples.inputs(*examples.splits)):
        return (named, 0), (supported, 0)
    plan = pipeline.exemplars(examples, scoring)
    if plan is None:
        return (0, 0), (0, 0)
    done = sum(
        pipeline.ledger.rows_done(EXEMPLARS, settings_id(plan.exemplar_settings(head)), meta.sha256, {Cell(corruption=head.name): k})
        for head in plan.usable
    )
    cells = ((part, {Cell(name, part.name): of_adapter for name in adapters.ids}) for part in plan.parts(silver.predictions))
    scored = sum(pipeline.ledger.rows_done(EXPLANATION_METRICS, part.settings_id, examined.sha256, wanted) for part, wanted in cells)
    return (named - done, done), (supported - scored, scored)
