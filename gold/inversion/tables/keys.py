"""Which columns name a row in every table of probe worlds?"""

from __future__ import annotations

from lake.spec import Column

DOMAIN = Column("domain", "string", "what the inputs are", allowed=("tabular", "image", "text"))
MODEL = Column("model", "string", "what is explained: formula (exact), mlp, xgboost, conv_net, roberta")
EXPLAINER = Column(
    "explainer",
    "string",
    "attribution method; lime_fresh draws new masks for every poke; controls: oracle (what the truth says), random, output_echo (says "
    "nothing but the output)",
)
