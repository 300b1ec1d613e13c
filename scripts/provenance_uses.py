"""What do the applications say: shift, wrong classes, membership, wrong labels, generation?"""

from __future__ import annotations

import pandas as pd
import provenance_words as words
from docs_markdown import grid
from provenance_figures import Figure, cell, counted, over_seeds, paired, signed, span, word
from provenance_networks import neighbours, usual, variants
from provenance_read import Study

from gold.provenance.generation_told import generation_told

ATTACKS = ("fgsm", "pgd")
METHODS = ("index_head", "knn", "loss", "loss_mean", "random")


def robustness_part(study: Study) -> str:
    """Differences from the plain classifier, by shift."""
    rows = study.rows("robustness")
    if rows.empty or study.nets.empty:
        return ""
    rows = rows.assign(group=rows.apply(_shift, axis=1))
    networks = variants(rows, usual(study.nets))
    if "plain" not in networks:
        return ""
    own = pd.concat(networks.values())
    attacked = own[own["shift"].isin(ATTACKS)]
    groups = ["none", *sorted(set(own["group"]) - {"none"} - set(attacked["group"])), EVERY, *sorted(set(attacked["group"]))]
    names = [name for name in networks if name != "plain"]
    lines = [
        [group, cell(_mean(networks["plain"], group)), *(_difference(networks[name], group) for name in names)]
        for group in groups
        if len(_of(networks["plain"], group))
    ]
    head = words.ROBUSTNESS.format(name=study.dataset, n=span(own[~own["shift"].isin(ATTACKS)]["n"]), attacked=span(attacked["n"]))
    return head + grid(["shift", "plain", *names], lines)


EVERY = "all corruptions"


def _shift(row: pd.Series) -> str:
    return f"{row['shift']}, epsilon {row['parameter']:g}" if row["shift"] in ATTACKS else str(row["shift"])


def _of(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    corrupted = ~rows["shift"].isin([*ATTACKS, "none"])
    return rows[corrupted] if group == EVERY else rows[rows["group"] == group]


def _mean(rows: pd.DataFrame, group: str) -> Figure | None:
    found = _of(rows, group)
    return over_seeds(found.groupby("seed")["class_accuracy"].mean(), int(found["n"].max()))


def _difference(rows: pd.DataFrame, group: str) -> str:
    found = _of(rows, group).groupby("seed")["difference_from_plain"].mean()
    return signed(paired(found, pd.Series(0.0, index=found.index)))


def class_errors_part(study: Study) -> str:
    """Index accuracy while wrong classes are told, and what teacher forcing changes."""
    rows = study.rows("class_errors")
    if rows.empty or study.nets.empty:
        return ""
    networks = variants(rows, usual(study.nets))
    if not networks:
        return ""
    shares = sorted(rows["wrong_share"].unique())
    lines = [[f"{share:.0%}", *(cell(_named(found, share)) for found in networks.values())] for share in shares]
    table = grid(["told wrong", *networks], lines)
    return words.CLASS_ERRORS.format(name=study.dataset, n=span(rows["n"])) + table + _forced(networks, shares)


def _named(rows: pd.DataFrame, share: float) -> Figure | None:
    found = rows[rows["wrong_share"] == share]
    return over_seeds(found["top5_index"], int(found["n"].max())) if len(found) else None


def _forced(networks: dict[str, pd.DataFrame], shares: list[float]) -> str:
    """Without teacher forcing minus with it, at the least and the largest share."""
    own = {name: rows for name, rows in networks.items() if name.startswith("class_conditional")}
    if len(own) < 2:
        return ""
    by = [rows.set_index(["wrong_share", "seed"])["top5_index"] for rows in own.values()]
    parts = []
    for share in sorted({shares[0], shares[-1]}):
        one = paired(by[1].loc[share], by[0].loc[share])
        if one is not None:
            parts.append(f"{signed(one)} at {share:.0%} told wrong ({word(one)}, {counted(one.pairs, 'seed')})")
    return f"\nWithout teacher forcing, top-5 index against with it: {'; '.join(parts)}.\n" if parts else ""


def membership_part(study: Study) -> str:
    """The attack's figures, the plain classifier's beside them, and what they mean for privacy."""
    nets = study.nets
    if nets.empty or nets["membership_auc"].isna().all():
        return ""
    network = usual(nets)
    found = variants(nets, network) | neighbours(nets, network)
    lines = [
        [name, f"{rows['seed'].nunique()}", *(cell(_attack(rows, figure)) for figure in ("auc", "tpr")), cell(_attack(rows, "auc_class"))]
        for name, rows in found.items()
    ]
    own = pd.concat(found.values())
    head = words.MEMBERSHIP.format(name=study.dataset, n=span(own["n_members"]), n_meta=span(own["n"]))
    table = grid(["network", "seeds", "AUC", "found at 1 % false alarms", "AUC by class"], lines)
    told = {name: rows[rows["privacy"].notna()] for name, rows in found.items() if not name.startswith("kNN")}
    said = [f"- {name}, seed {int(rows['seed'].iloc[0])}: {rows['privacy'].iloc[0]}\n" for name, rows in told.items() if len(rows)]
    knn = own[own["variant"].str.startswith("knn_")]["privacy"].dropna()
    return head + table + "\n" + "".join([*said, *([f"- {knn.iloc[0]}\n"] if len(knn) else [])])


def _attack(rows: pd.DataFrame, figure: str) -> Figure | None:
    """Over seeds; of one seed the bootstrap's interval that the lake holds."""
    found = over_seeds(rows[f"membership_{figure}"], int(rows["n"].max()))
    if found is None or not found.of_inputs:
        return found
    ends = [
        rows[f"membership_{figure}_ci_{end}"].iloc[0] if f"membership_{figure}_ci_{end}" in rows else found.mean for end in ("low", "high")
    ]
    return found if any(pd.isna(end) for end in ends) else found._replace(low=float(ends[0]), high=float(ends[1]))


def mislabels_part(study: Study) -> str:
    """Precision and recall by the share that is looked at, and average precision, by method."""
    rows = study.rows("mislabels")
    if rows.empty:
        return ""
    methods = [method for method in METHODS if method in set(rows["method"])]
    head = words.MISLABELS.format(name=study.dataset, n=span(rows["n"]), seeds=counted(rows["seed"].nunique(), "seed"))
    parts = []
    for flipped, own in rows.groupby("flipped"):
        by = {method: own[own["method"] == method] for method in methods}
        lines = [
            [f"{share:.1%}", *(_found(found[found["checked"] == share]) for found in by.values())]
            for share in sorted(own["checked"].unique())
        ]
        lines.append(["average precision", *(cell(_whole(found)) for found in by.values())])
        parts.append(f"{flipped:.0%} flipped:\n\n{grid(['looked at', *methods], lines)}")
    return head + "\n".join(parts)


def _found(rows: pd.DataFrame) -> str:
    precision = rows["precision"].mean()
    wrong = max(1, round(float((rows["n"] * rows["flipped"]).max()))) if len(rows) else 1
    return f"{precision:.3f} / {cell(over_seeds(rows['recall'], wrong))}"


def _whole(rows: pd.DataFrame) -> Figure | None:
    return over_seeds(rows.drop_duplicates("seed")["average_precision"], int(rows["n"].max()))


def generation_part(study: Study) -> str:
    """What the head costs the generator, and its exemplars beside kNN's."""
    rows = study.rows("generation")
    if rows.empty:
        return ""
    lines = []
    for model, own in rows.groupby("model"):
        nats = [f"{own[name].mean():.2f}" for name in ("reconstruction_meta", "kl_meta")]
        lines.append([str(model), f"{own['seed'].nunique()}", *nats, cell(over_seeds(own["top5_index"], int(own["n_train"].max())))])
    head = words.GENERATION.format(name=study.dataset, n_train=span(rows["n_train"]))
    records: list[dict[str, object]] = rows.astype(object).to_dict("records")  # type: ignore[assignment]  # columns have names
    told = "".join(f"- {sentence}\n" for sentence in generation_told(records))
    return head + grid(["model", "seeds", "reconstruction", "KL", "top-5 index"], lines) + f"\n{told}{_kept(study)}"


def _kept(study: Study) -> str:
    rows = study.rows("generated")
    if rows.empty:
        return ""
    n = len(rows[["seed", "picture"]].drop_duplicates())
    return (
        f"- `gold.provenance_generated` holds {counted(n, 'generated picture')} with the five training pictures that each method names.\n"
    )
