"""How is an arm's network made from the pictures?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray

from gold.provenance.arms import Arm
from gold.provenance.kept import find, keep
from gold.provenance.pictures import Pictures, Split
from gold.provenance.selection import select, stratified
from gold.provenance.settings import ProvenanceSettings
from lake.identity import settings_id
from models.provenance.answers import features
from models.provenance.network import ProvenanceNetwork
from models.provenance.slots import Slots
from models.provenance.training import ProvenanceTraining, Trained, TrainingSet, train_provenance
from models.provenance.trunk import conv_trunk

Each = Callable[[ProvenanceNetwork], dict[str, float]]
ENGINE = 1  # part of every kept network's name: raise it with any change of network or training


@dataclass(frozen=True)
class Made:
    """A trained network, its training examples in the order of its slots, and how long training took."""

    trained: Trained
    split: Split
    data: TrainingSet
    seconds: float

    @property
    def network(self) -> ProvenanceNetwork:
        return self.trained.network


def made(
    arm: Arm,
    seed: int,
    pictures: Pictures,
    settings: ProvenanceSettings,
    each: Callable[[TrainingSet], Each] | None = None,
    labels: NDArray[np.int64] | None = None,
    kept: NDArray[np.bool_] | None = None,
) -> Made:
    """The network of this arm and seed. `labels` int64[subset]: given in place of the true ones; `kept` bool[subset]: learned from."""
    split = subset_of(arm, seed, pictures, settings)
    data = TrainingSet.of(split.pixels(), split.labels if labels is None else labels, split.ids, kept)
    how, file = training_of(arm, settings), None
    if pictures.store is not None and labels is None and kept is None:
        file = pictures.store / f"{_identity(arm, seed, data, how, settings.epoch_examples, pictures.meta)}.safetensors"
        known = find(file, data.ids, lambda: _untrained(arm, data, pictures.n_classes))
        if known is not None:
            return Made(known[0], split, data, known[1])
    started = time.perf_counter()
    looked = None if each is None else each(data)
    trained = train_provenance(arm.variant, conv_trunk(arm.size), arm.shared, data, pictures.n_classes, how, seed, looked)
    seconds = time.perf_counter() - started
    if file is not None and each is not None:  # without `each` there is no history to keep
        keep(file, trained, seconds)
    return Made(trained, split, data, seconds)


def _untrained(arm: Arm, data: TrainingSet, n_classes: int) -> ProvenanceNetwork:
    return ProvenanceNetwork(
        arm.variant, conv_trunk(arm.size), Slots(data.labels, n_classes, conditional=arm.variant == "class_conditional"), arm.shared
    )


def _identity(arm: Arm, seed: int, data: TrainingSet, how: ProvenanceTraining, n: int, meta: Split) -> str:
    """All that defines a network, and the `n` pictures of each split that were looked at after its epochs."""
    told: dict[str, object] = {"engine": ENGINE, "arm": arm, "seed": seed, "training": how, "looked_at": [n, meta.ids[:n]]}
    told |= {"ids": data.ids, "labels": data.labels.tolist(), "libraries": version("torch")}
    seen = (data.inputs.numpy().tobytes(), meta.pictures[:n].tobytes())  # an id is a file's, which is read by code that may change
    return settings_id(told | {"pixels": [hashlib.sha256(one).hexdigest() for one in seen]})


def training_of(arm: Arm, settings: ProvenanceSettings) -> ProvenanceTraining:
    own = {name: getattr(arm, name) for name in ("alpha", "lambda_class", "lambda_index", "teacher_forcing")}
    return settings.training.model_copy(update=own)


def subset_of(arm: Arm, seed: int, pictures: Pictures, settings: ProvenanceSettings) -> Split:
    """The training pictures of an arm, in the order of their ids. Chosen by features those of a plain classifier of the same seed, trained
    on as many pictures drawn at random."""
    every = pictures.train
    if arm.selection == "stratified":
        return every.only(stratified(every.labels, arm.subset, every.ids, seed))
    plain = made(Arm(variant="plain", size=arm.size, subset=arm.subset), seed, pictures, settings)
    vectors = features(plain.network, torch.from_numpy(every.pixels()))[0]
    return every.only(select(arm.selection, vectors, every.labels, arm.subset, every.ids, seed))
