"""One network and seed: trained, looked at after every epoch, judged on new inputs, attacked and misled."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import torch

from gold.provenance.arms import Arm
from gold.provenance.causes import of_head
from gold.provenance.figures import (
    K,
    Record,
    accuracy,
    class_match,
    each_epoch,
    index_accuracy,
    knn_rankings,
    majority,
    without_self,
)
from gold.provenance.membership import Membership, membership
from gold.provenance.pictures import Pictures, Split
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.trained import Made, made
from gold.statistics.intervals import wilson
from lake.identity import rng
from models.provenance.adversarial import fgsm, pgd
from models.provenance.answers import class_logits, features, ranked
from models.provenance.neighbours import nearest
from models.provenance.slots import Positions

KNN, CONV_NET = "knn_", "conv_net"
FEWEST = 10  # pictures of the training split that a network has not seen, from which membership can be asked of them


@dataclass
class Found:
    """Records of each table, by its name."""

    tables: dict[str, list[Record]] = field(default_factory=dict)

    def add(self, table: str, *records: Record) -> None:
        self.tables.setdefault(table, []).extend(records)


def judged(arm: Arm, seed: int, pictures: Pictures, settings: ProvenanceSettings) -> dict[str, list[Record]]:
    """Everything that one network has to say for itself, and kNN over its features."""
    meta = torch.from_numpy(pictures.meta.pixels())
    look = each_epoch(meta, pictures.meta.labels, settings.epoch_examples)
    network = made(arm, seed, pictures, settings, look)
    found, key = Found(), arm.key() | {"seed": seed}
    found.add("provenance_summary", key | _summary(network, meta, pictures, settings), *_knn(key, network, meta, pictures, settings))
    for epoch, told in enumerate(network.trained.history, start=1):
        n, n_train = (min(settings.epoch_examples, len(one)) for one in (pictures.meta.labels, network.data.labels))
        counted: Record = {"epoch": epoch, "n": n, "n_train": n_train, "reason": None}
        found.add("provenance_epochs", key | {"top1_index": None, "top5_index": None} | told | counted)
    if settings.is_examined(arm):
        if "robustness" in settings.applications:
            found.add("provenance_robustness", *(key | one for one in _robustness(network, pictures, settings, seed)))
        if "class_errors" in settings.applications and network.network.index_head is not None:
            found.add("provenance_class_errors", *(key | one for one in _class_errors(network, settings, seed)))
        if "causal" in settings.applications and arm == settings.arms[0].arm and network.network.index_head is not None:
            found.add("causes", *of_head(network, seed, pictures, settings))
    return found.tables


def _summary(network: Made, meta: torch.Tensor, pictures: Pictures, settings: ProvenanceSettings) -> Record:
    net, data, split = network.network, network.data, pictures.meta
    told, known = class_logits(net, meta), class_logits(net, data.inputs)
    record: Record = accuracy(told.argmax(axis=1) == split.labels, settings.level)
    record |= {"class_accuracy_train": float((known.argmax(axis=1) == data.labels).mean())}
    others, kind = strangers(network, pictures)
    by_class = _attacked(_confidence(known), _confidence(class_logits(net, others)), settings)
    if net.index_head is None:
        own: Record = dict.fromkeys(INDEXED)
        attack = by_class
    else:
        of_train, of_meta = ranked(net, data.inputs, K), ranked(net, meta, K)
        attack = _attacked(of_train.probability[:, 0], ranked(net, others, 1).probability[:, 0], settings)
        own = index_accuracy(of_train) | class_match(of_meta, data.labels, split.labels, settings.level)
    return record | own | _membership(attack, by_class) | {
        "others": kind,
        "name": CONV_NET,
        "head_id": None,
        "parameters": net.parameters_count,
        "slots": None if net.index_head is None else network.trained.slots.width,
        "n_train": int(data.kept.sum()),
        "epochs": settings.training.epochs,
        "seconds": network.seconds,
        "n": len(split.labels),
        "reason": "the plain classifier names no training examples" if net.index_head is None else None,
    }  # fmt: skip


def strangers(network: Made, pictures: Pictures) -> tuple[torch.Tensor, str]:
    """Pictures that the network has not learned from, and where they are from: the rest of the training split, as many as meta has at
    most and those of the smallest ids, for they come from where the members come from; meta where no ten are left."""
    known = set(network.data.ids)
    left = [place for place, one in enumerate(pictures.train.ids) if one not in known][: len(pictures.meta.ids)]
    if len(left) < FEWEST:
        return torch.from_numpy(pictures.meta.pixels()), "meta"
    return torch.from_numpy(pictures.train.only(np.asarray(left, dtype=np.int64)).pixels()), "adapter_train"


INDEXED = (
    "top1_index", "top5_index", "class_match_top1", "class_match_top1_ci_low", "class_match_top1_ci_high", "class_match_top5",
    "class_match_top5_share",
)  # fmt: skip


def _knn(key: Record, network: Made, meta: torch.Tensor, pictures: Pictures, settings: ProvenanceSettings) -> list[Record]:
    """kNN over the same features, as a row of its own."""
    started = time.perf_counter()
    of_train, of_meta, known = knn_rankings(network, meta)
    seconds = time.perf_counter() - started
    labels, split = network.data.labels, pictures.meta
    right, level = majority(of_meta, labels, pictures.n_classes) == split.labels, settings.level
    itself = float((majority(without_self(of_train), labels, pictures.n_classes) == labels).mean())
    others, kind = strangers(network, pictures)
    unseen = features(network.network, others)[0 if network.network.index_head is None else 1]
    cosines = (
        _largest_cosine(known, known, of_train.positions[:, 0]),
        _largest_cosine(unseen, known, nearest(unseen, known, 1).positions[:, 0]),
    )
    attack = _attacked(*cosines, settings)
    return [
        key | accuracy(right, level) | index_accuracy(of_train) | class_match(of_meta, labels, split.labels, level)
        | _membership(attack, None) | {
            "variant": f"{KNN}{key['variant']}",
            "class_accuracy_train": itself,
            "others": kind,
            "name": CONV_NET,
            "head_id": None,
            "parameters": 0,
            "slots": len(labels),
            "n_train": len(labels),
            "epochs": None,
            "seconds": seconds,
            "n": len(split.labels),
            "reason": None,
        }
    ]  # fmt: skip


def _largest_cosine(asked: np.ndarray, known: np.ndarray, nearest: Positions) -> np.ndarray:
    found = known[nearest].astype(np.float64)
    own = asked.astype(np.float64)
    return np.asarray((found * own).sum(axis=1) / np.maximum(np.linalg.norm(found, axis=1) * np.linalg.norm(own, axis=1), 1e-30))


def _attacked(members: np.ndarray, others: np.ndarray, settings: ProvenanceSettings) -> Membership:
    return membership(members, others, settings.resamples, rng(0, "", "provenance", "membership"), level=settings.level)


def _membership(attack: Membership, by_class: Membership | None) -> Record:
    return {
        "membership_auc": attack.auc,
        "membership_auc_ci_low": attack.auc_interval.low,
        "membership_auc_ci_high": attack.auc_interval.high,
        "membership_tpr": attack.tpr,
        "membership_tpr_ci_low": attack.tpr_interval.low,
        "membership_tpr_ci_high": attack.tpr_interval.high,
        "membership_auc_class": None if by_class is None else by_class.auc,
        "n_members": attack.n_members,
    }


def _confidence(logits: np.ndarray) -> np.ndarray:
    """Largest softmax probability, float64[n]."""
    wide = logits.astype(np.float64)
    return np.asarray(1.0 / np.exp(wide - wide.max(axis=1, keepdims=True)).sum(axis=1))


def _robustness(network: Made, pictures: Pictures, settings: ProvenanceSettings, seed: int) -> list[Record]:
    meta, net = pictures.meta, network.network
    records = [_met(network, meta, meta.pixels(), "none", 0, None, settings.level)]
    for (name, severity), shifted in sorted(pictures.shifted.items()):
        records.append(_met(network, meta, shifted.astype(np.float32) / 255.0, name, severity, None, settings.level))
    first = meta.only(np.arange(min(settings.attacks.examples, len(meta.labels))))
    pixels = torch.from_numpy(first.pixels())
    for severity, epsilon in enumerate(settings.attacks.epsilons, start=1):
        steps = settings.attacks.steps
        made_by = {
            "fgsm": fgsm(net, pixels, first.labels, epsilon),
            "pgd": pgd(net, pixels, first.labels, epsilon, steps=steps, step_size=2.5 * epsilon / steps, seed=seed),
        }
        records += [_met(network, first, changed.numpy(), name, severity, epsilon, settings.level) for name, changed in made_by.items()]
    return records


def _met(network: Made, split: Split, pixels: np.ndarray, shift: str, severity: int, parameter: float | None, level: float) -> Record:
    net, inputs = network.network, torch.from_numpy(pixels)
    right = class_logits(net, inputs).argmax(axis=1) == split.labels
    sure = wilson(float(right.sum()), len(right), level)
    match = None
    if net.index_head is not None:
        match = class_match(ranked(net, inputs, 1), network.data.labels, split.labels)["class_match_top1"]
    return {
        "shift": shift, "severity": severity, "parameter": parameter, "class_accuracy": float(right.mean()), "ci_low": sure.low,
        "ci_high": sure.high, "class_match_top1": match, "n": len(right), "reason": None,
    }  # fmt: skip


def _class_errors(network: Made, settings: ProvenanceSettings, seed: int) -> list[Record]:
    """Of the training inputs a growing set, drawn once, is told a wrong class: what is wrong at 10 % is wrong at 20 %."""
    net, data = network.network, network.data
    generator = rng(seed, "", "provenance", "class_errors")
    order = generator.permutation(len(data.labels))
    n_classes = network.trained.slots.n_classes
    other = (data.labels + 1 + generator.integers(0, max(n_classes - 1, 1), len(data.labels))) % n_classes
    records: list[Record] = []
    for share in settings.wrong_conditions:
        told = data.labels.copy()
        wrong = order[: round(share * len(order))]
        told[wrong] = other[wrong]
        ranking = ranked(net, data.inputs, K, classes=told)
        records.append({"wrong_share": share} | index_accuracy(ranking) | {"n": len(told), "reason": None})
    return records
