"""Which columns name a network in every table of provenance?"""

from __future__ import annotations

from lake.spec import Column

SEED = Column("seed", "bigint", "of training and of the subset", low=0)
NETWORK = (
    Column(
        "variant",
        "string",
        "plain (class head alone), single_branch, two_branch (class-independent), class_conditional; knn_ before one: the nearest training "
        "examples (cosine) in the features that its index head, or the plain one's class head, takes",
    ),
    Column(
        "model_size",
        "string",
        "small, medium, large (2,048 numbers before the fully connected layer, the source's) or x_large conv net; embeddings: a head over "
        "bronze.embeddings",
        allowed=("small", "medium", "large", "x_large", "embeddings"),
    ),
    Column("subset", "double", "share of the training examples it learns from and names", unit="share", low=0.0, high=1.0),
    Column("selection", "string", "how the subset is chosen", allowed=("stratified", "prototypes", "boundary", "diversity")),
    Column("alpha", "double", "probability that the index target is another example of the class", unit="probability", low=0.0, high=1.0),
    Column(
        "sharing_level",
        "string",
        "layers that both heads share: conv block I, I-II, I-III, these and the fully connected layer (IV); all; none: no second head, or "
        "two branches over frozen embeddings",
        allowed=("I", "II", "III", "IV", "all", "none"),
    ),
    Column("lambda_class", "double", "weight of the class loss", low=0.0),
    Column("lambda_index", "double", "weight of the index loss", low=0.0),
    Column("teacher_forcing", "boolean", "a class-conditional head was told the true class in training, not the predicted one"),
    SEED,
)
KEY = ("dataset", *(column.name for column in NETWORK))
