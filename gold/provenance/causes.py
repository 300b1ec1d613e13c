"""Do predictions rest on the training examples that are named for them? Taken out, and trained again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from gold.provenance.arms import Arm
from gold.provenance.causal import leave_out, random_same_class
from gold.provenance.figures import Record
from gold.provenance.frozen_head import FrozenHead, fit_head
from gold.provenance.pictures import Pictures
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.tracin import Examples, supporters
from gold.provenance.trained import Made, made
from gold.statistics.intervals import mean_interval
from models.provenance.answers import class_logits, features, ranked
from models.provenance.neighbours import nearest
from models.provenance.slots import NOBODY, Positions

HEAD, KNN, TRACIN, RANDOM = "index_head", "knn", "tracin", "random"
METHODS = (HEAD, KNN, TRACIN, RANDOM)


def of_head(network: Made, seed: int, pictures: Pictures, settings: ProvenanceSettings) -> list[Record]:
    """Per test picture, method and k the change of p(predicted class) of a class head fitted again on frozen features, of which it and
    TracIn read those of the class head."""
    how, data = settings.causal, network.data
    meta = pictures.meta.only(np.arange(min(how.examples, len(pictures.meta.labels))))
    asked = torch.from_numpy(meta.pixels())
    (known, known_index), (own, own_index) = (features(network.network, one) for one in (data.inputs, asked))
    fitted = fit_head(known, data.labels, pictures.n_classes, how.penalty * len(known))
    targets = fitted.head.probabilities(own).argmax(axis=1)
    most = max(how.k)
    named = {
        HEAD: ranked(network.network, asked, most, classes=targets).positions,
        KNN: nearest(own_index, known_index, most).positions,
        TRACIN: supporters(
            Examples(own, _logits(fitted, own), targets), Examples(known, _logits(fitted, known), data.labels), most
        ).positions,
    }
    records: list[Record] = []
    for k in how.k:
        drawn = random_same_class(data.labels, targets, np.full(len(targets), k), meta.ids, seed, how.random_draws)
        sets = np.concatenate([np.stack([positions[:, :k] for positions in named.values()], axis=1), drawn], axis=1)
        changes = leave_out(fitted, own, targets, sets)
        told = {method: changes[:, place] for place, method in enumerate(named)} | {RANDOM: changes[:, len(named) :].mean(axis=1)}
        same: Record = {"scope": "head", "k": k, "seed": seed, "n_train": len(data.labels), "random_draws": how.random_draws}
        records += [
            same | {"method": method, "example_id": example_id, "change": float(change)}
            for method, values in told.items()
            for example_id, change in zip(meta.ids, values, strict=True)
        ]
    return records


def _logits(fitted: FrozenHead, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.log(np.maximum(fitted.head.probabilities(vectors), 1e-300))


def of_whole_net(arm: Arm, seed: int, place: int, pictures: Pictures, settings: ProvenanceSettings) -> list[Record]:
    """The same for one test picture with the whole network trained again, from the same start and in the same order of batches."""
    how = settings.causal
    small = arm.model_copy(update={"subset": how.whole_net_subset})
    base = made(small, seed, pictures, settings)
    if place >= len(pictures.meta.labels):
        raise ValueError(f"meta must have a picture number {place}, found {len(pictures.meta.labels)}: ask for fewer whole_net_examples")
    meta = pictures.meta.only(np.asarray([place]))
    asked = torch.from_numpy(meta.pixels())
    before = softmax(class_logits(base.network, asked).astype(np.float64), axis=1)
    targets = before.argmax(axis=1)
    removed = {name: named[0] for name, named in _named(base, asked, targets, how.whole_net_k).items()}
    removed[RANDOM] = random_same_class(base.data.labels, targets, np.asarray([how.whole_net_k]), meta.ids, seed, 1)[0, 0]
    records: list[Record] = []
    for method, positions in removed.items():
        kept = np.ones(len(base.data.labels), dtype=bool)
        kept[positions[positions != NOBODY]] = False
        again = made(small, seed, pictures, settings, kept=kept)
        after = softmax(class_logits(again.network, asked).astype(np.float64), axis=1)
        change = float(after[0, targets[0]] - before[0, targets[0]])
        told: Record = {"scope": "whole_net", "method": method, "k": how.whole_net_k, "seed": seed, "example_id": meta.ids[0]}
        records.append(told | {"change": change, "n_train": len(base.data.labels), "random_draws": 1})
    return records


def _named(network: Made, asked: torch.Tensor, targets: Positions, k: int) -> dict[str, Positions]:
    """The k training examples that each method names, by the network's own class head."""
    data = network.data
    (known, known_index), (own, own_index) = (features(network.network, one) for one in (data.inputs, asked))
    of_known, of_own = (class_logits(network.network, one) for one in (data.inputs, asked))
    return {
        HEAD: ranked(network.network, asked, k, classes=targets).positions,
        KNN: nearest(own_index, known_index, k).positions,
        TRACIN: supporters(Examples(own, of_own, targets), Examples(known, of_known, data.labels), k).positions,
    }


def aggregated(records: Sequence[Mapping[str, object]], level: float) -> list[Record]:
    """Rows of gold.provenance_causal from changes of single test pictures and seeds: a picture's seeds are averaged, intervals are
    Student's t over pictures."""
    rows: list[Record] = []
    for scope, k in sorted({(str(one["scope"]), int(str(one["k"]))) for one in records}):
        own = [one for one in records if one["scope"] == scope and one["k"] == k]
        means = {method: _by_example(own, method) for method in METHODS}
        n_seeds, few = len({one["seed"] for one in own}), {name: own[0][name] for name in ("n_train", "random_draws")}
        for method, values in means.items():
            rows.append(_row(scope, method, k, values, means, n_seeds, level) | few)
    return rows


def _by_example(records: Sequence[Mapping[str, object]], method: str) -> NDArray[np.float64]:
    found: dict[str, list[float]] = {}
    for one in records:
        if one["method"] == method:
            found.setdefault(str(one["example_id"]), []).append(float(str(one["change"])))
    return np.asarray([np.mean(found[name]) for name in sorted(found)])


def _row(
    scope: str, method: str, k: int, values: NDArray[np.float64], means: Mapping[str, NDArray[np.float64]], n_seeds: int, level: float
) -> Record:
    own = mean_interval(values, level)
    row: Record = {
        "scope": scope, "method": method, "k": k, "change": float(values.mean()), "change_ci_low": own.low, "change_ci_high": own.high,
        "n_seeds": n_seeds, "n": len(values), "reason": None if own.reason is None else "an interval needs at least two test examples",
    }  # fmt: skip
    for other, name, ends in ((RANDOM, "difference_from_random", "difference"), (HEAD, "difference_from_index_head", "against_head")):
        apart = None if method == other else values - means[other]
        sure = None if apart is None else mean_interval(apart, level)
        row |= {
            name: None if apart is None else float(apart.mean()),
            f"{ends}_ci_low": None if sure is None else sure.low,
            f"{ends}_ci_high": None if sure is None else sure.high,
        }
    return row | {"sentence": _sentence(row)}


def _sentence(row: Mapping[str, object]) -> str:
    again = "the head was fitted" if row["scope"] == "head" else "the whole network was trained"
    what = f"Without the {row['k']} examples that {row['method']} names, {again} again: p(predicted class) changes by {row['change']:+.4f}"
    if row["method"] == RANDOM:
        return (
            f"Without {row['k']} random examples of the predicted class, {again} again: p(predicted class) changes by {row['change']:+.4f}."
        )
    low, high = row["difference_ci_low"], row["difference_ci_high"]
    if low is None or high is None:
        return f"{what}; too few test examples for an interval."
    told = f"{row['difference_from_random']:+.4f} against random ones of the class ({low:+.4f} to {high:+.4f}, n {row['n']} test examples)"
    if float(str(high)) < 0:
        return f"{what}, {told}: predictions rest on them more than on random ones."
    if float(str(low)) > 0:
        return f"{what}, {told}: predictions rest on them less than on random ones."
    return f"{what}, {told}: no evidence that predictions rest on them more than on random ones."
