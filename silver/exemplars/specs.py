"""Which tables do heads leave? What each head is, and the training examples that it names."""

from __future__ import annotations

from lake.spec import DATASET, EXAMPLE, SETTINGS, Column, Table

KNN = "knn"  # name and variant of the head that is always asked beside the others
HEAD = Column("head_id", "string", "hash of the head's settings, the embeddings it reads and its training examples (ids and labels)")


def _of_training(name: str, comment: str) -> Column:
    told = f"share of training inputs (the first 10,000 ids) where {comment}"
    return Column(name, "double", told, unit="share", low=0.0, high=1.0)


HEADS = Table(
    "silver",
    "heads",
    "Every head that names training examples behind an input: a provenance network over frozen embeddings, or knn over the same.",
    ("dataset", "head_id", "settings_id"),
    (
        DATASET,
        HEAD,
        SETTINGS,
        Column("name", "string", "name of the head in the configuration; knn is always there", nullable=False),
        Column(
            "variant",
            "string",
            "which training examples it chooses from: those of the class that it tells, or all",
            allowed=("class_conditional", "two_branch", "single_branch", KNN),
            nullable=False,
        ),
        Column("backbone", "string", "backbone whose embeddings it reads", nullable=False),
        Column("training_fingerprint", "string", "hash of ids and labels of the training examples it knows", nullable=False),
        Column("n_train", "bigint", "training examples it knows: those of adapter_train with an embedding", unit="count", low=1),
        Column("n_classes", "int", "classes of the dataset", unit="count", low=1),
        Column("n_slots", "bigint", "outputs of the index head: n_train, or the size of the largest class", unit="count", low=1),
        Column("hidden", "int", "width of its layers; null for knn", unit="count", low=1),
        Column("seed", "bigint", "training seed; null for knn", low=0),
        Column("epochs", "int", "passes over the training examples; null for knn", unit="count", low=1),
        Column("parameters", "bigint", "numbers that were trained", unit="count", low=0),
        Column("seconds", "double", "time of training, and of asking about the training inputs", unit="s", low=0.0, volatile=True),
        _of_training("class_accuracy", "the class it tells is the training label; of knn that of the nearest other example"),
        _of_training("top1_index", "the likeliest training example is the input itself"),
        _of_training("top5_index", "the input itself is among the five likeliest"),
        Column("status", "string", "ready, or rejected: it answers nothing", allowed=("ready", "rejected"), nullable=False),
        Column("reason", "string", "why it is not ready"),
    ),
    ("dataset",),
)

EXEMPLARS = Table(
    "silver",
    "exemplars",
    "The training examples behind each meta example, likeliest first, as each head names them.",
    ("dataset", "example_id", "head_id", "rank", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        HEAD,
        Column("rank", "int", "1 = likeliest", low=1),
        SETTINGS,
        Column("train_example_id", "string", "the training example; null where fewer than rank can be named"),
        Column(
            "probability",
            "double",
            "its share among all that could be named; 0 where there is none",
            unit="share",
            low=0.0,
            high=1.0,
            nullable=False,
        ),
        Column("same_class", "boolean", "its label is the true label of the example; null where there is none"),
        Column("train_label_id", "int", "its label, position in the ordered labels; null where there is none", unit="index", low=0),
        Column(
            "predicted_id",
            "int",
            "class that the head itself tells, position in the ordered labels; of knn that of the nearest training example",
            unit="index",
            low=0,
        ),
        Column("distance", "double", "1 - cosine of the two embeddings; null where there is none", low=0.0, high=2.0),
    ),
    ("dataset",),
)
