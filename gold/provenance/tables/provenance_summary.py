"""How well does each network classify, and name training examples?"""

from __future__ import annotations

from gold.provenance.tables.keys import KEY, NETWORK
from gold.table import TAIL, count, share
from lake.spec import DATASET, Column, Table


def _ends(name: str, of: str) -> tuple[Column, Column]:
    return share(f"{name}_ci_low", f"lower end of {name}'s interval: {of}"), share(f"{name}_ci_high", "upper end")


SPEC = Table(
    layer="gold",
    name="provenance_summary",
    comment="Class and index accuracy of provenance networks, of the plain classifier, and of kNN over each network's features",
    key=(*KEY, "name"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        *NETWORK,
        Column("name", "string", "conv_net, or of a head over embeddings: as configured, knn, logistic_regression"),
        Column("head_id", "string", "the head in silver.heads; null for conv nets"),
        share("class_accuracy", "of the class head on meta; of kNN by majority of five, ties to the nearer (over embeddings: the nearest)"),
        *_ends("class_accuracy", "Wilson"),
        share("class_accuracy_train", "the same on the training examples"),
        share("top1_index", "training inputs that are named first themselves; a class-conditional head is told the predicted class"),
        share("top5_index", "training inputs among the first five"),
        share("class_match_top1", "inputs of meta whose first named example has their true class; by construction class accuracy where the "
              "head is told the predicted class"),
        *_ends("class_match_top1", "Wilson"),
        share("class_match_top5", "inputs of meta with an example of their true class among min(5, K_y) named ones"),
        share("class_match_top5_share", "mean share of the true class among them"),
        share("membership_auc", "training inputs against others by the largest index probability (plain: class probability; kNN: cosine): "
              "near 1 is a privacy leak as much as a feature"),
        *_ends("membership_auc", "bootstrap over the asked examples"),
        share("membership_tpr", "training inputs recognised at no more than 1 % of others taken for them"),
        *_ends("membership_tpr", "bootstrap over the asked examples"),
        share("membership_auc_class", "the same attack by the largest class probability; null for kNN"),
        count("n_members", "training inputs that were asked about membership"),
        Column(
            "others",
            "string",
            "who was asked beside them: pictures of adapter_train that it has not learned from, as many as meta has at most, or meta",
            allowed=("adapter_train", "meta"),
        ),
        Column("privacy", "string", "what the attack's figures mean, beside the plain classifier's of the same seed, in words"),
        count("parameters", "trainable numbers, those of the heads included; kNN keeps the features instead: N x width"),
        count("slots", "outputs of the index head: N, or max_y K_y of a class-conditional one; null without"),
        count("n_train", "training examples"),
        Column("epochs", "bigint", "of training; null for kNN", low=1),
        Column("seconds", "double", "of training and looking after epochs; of kNN to rank", unit="s", low=0.0, volatile=True),
        *TAIL,
    ),
)  # fmt: skip
