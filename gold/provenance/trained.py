"""How is an arm's network made from the pictures?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gold.provenance.arms import Arm
from gold.provenance.pictures import Pictures, Split
from gold.provenance.selection import boundary, diversity, prototypes, stratified
from gold.provenance.settings import ProvenanceSettings
from models.provenance.answers import features
from models.provenance.network import ProvenanceNetwork
from models.provenance.training import ProvenanceTraining, Trained, TrainingSet, train_provenance
from models.provenance.trunk import conv_trunk

Each = Callable[[ProvenanceNetwork], dict[str, float]]


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
    started = time.perf_counter()
    trained = train_provenance(
        arm.variant,
        conv_trunk(arm.size),
        arm.shared,
        data,
        pictures.n_classes,
        training_of(arm, settings),
        seed,
        None if each is None else each(data),
    )
    return Made(trained, split, data, time.perf_counter() - started)


def training_of(arm: Arm, settings: ProvenanceSettings) -> ProvenanceTraining:
    own = {name: getattr(arm, name) for name in ("alpha", "lambda_class", "lambda_index", "teacher_forcing")}
    return settings.training.model_copy(update=own)


def subset_of(arm: Arm, seed: int, pictures: Pictures, settings: ProvenanceSettings) -> Split:
    """The training pictures of an arm, in the order of their ids. Chosen by features those of a plain classifier of the same seed, trained
    on as many pictures drawn at random."""
    every = pictures.train
    drawn = stratified(every.labels, arm.subset, every.ids, seed)
    if arm.selection == "stratified":
        return every.only(drawn)
    plain = made(Arm(variant="plain", size=arm.size, subset=arm.subset), seed, pictures, settings)
    vectors = features(plain.network, torch.from_numpy(every.pixels()))[0]
    sizes = np.bincount(every.labels[drawn], minlength=pictures.n_classes)
    chosen = {
        "prototypes": lambda: prototypes(vectors, every.labels, sizes),
        "boundary": lambda: boundary(vectors, every.labels, sizes),
        "diversity": lambda: diversity(vectors, every.labels, sizes, every.ids, seed),
    }
    return every.only(np.sort(chosen[arm.selection]()))
