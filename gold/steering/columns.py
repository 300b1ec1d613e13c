"""Which columns name a prior in every table about priors?"""

from __future__ import annotations

from lake.spec import Column

SELECTION = (
    Column("setting", "string", "texts the priors are for: full, 5-shot, …; +share50% a share of them, +noise5% wrong labels"),
    Column("shots_seed", "bigint", "seed that chose the shots; 0 where all texts are used", low=0),
    Column("label_noise_seed", "bigint", "seed that chose the wrong labels; 0 where there are none", low=0),
    Column("n_perturbations", "bigint", "masks per text; 0 for ig, which draws none", unit="masks", low=0),
)
SELECTION_KEY = tuple(column.name for column in SELECTION)
SCORER = Column("scorer", "string", "hash of the language model; for ig the adapter_id of the twin, as in silver.priors")
SOURCE = Column("source", "string", "where the prior comes from: cap, ig, lime, shap")
